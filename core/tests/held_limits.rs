//! Limits and graces of jobs without a heap, alone and below a token.
#![cfg(feature = "std")]

mod common;

use std::future::{Future, pending, poll_fn};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use common::held::{outcome, run};
use countermand_core::{HeldJob, HeldToken, HeldWorker, Instant, Outcome, Phase};

const SECOND: Duration = Duration::from_secs(1);

/// J5: what is asked for a grace has one, whatever it gives; and a token above it does not cut that short.
#[test]
fn j5_a_plain_and_a_fallible_job_have_a_grace_too() {
    static WORKER: HeldWorker<3, 3, 160> = HeldWorker::new();
    static ABOVE: HeldToken<'static> = HeldToken::new();
    static POLLS: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];
    fn counts<T: 'static>(which: usize) -> impl Future<Output = T> + Send + 'static {
        poll_fn(move |_| {
            POLLS[which].fetch_add(1, Ordering::SeqCst);
            Poll::Pending
        })
    }
    let mut driver = WORKER.attend().expect("nobody else drives it");
    let submit = "there is a slot";
    let plain = HeldJob::task(counts::<()>(0)).grace(SECOND);
    let mut plain = WORKER.submit(plain, Instant::ORIGIN).expect(submit);
    let fallible = HeldJob::fallible(counts::<Result<(), u8>>(1)).grace(SECOND).under(&ABOVE);
    let mut fallible = WORKER.submit(fallible, Instant::ORIGIN).expect(submit);
    let not_asked = HeldJob::fallible(counts::<Result<(), u8>>(2)).grace(SECOND);
    let mut not_asked = WORKER.submit(not_asked, Instant::ORIGIN).expect(submit);
    run(&mut driver, Duration::ZERO);
    assert!(plain.cancel() && ABOVE.cancel());
    run(&mut driver, Duration::ZERO);
    assert!(POLLS[..2].iter().all(|polls| polls.load(Ordering::SeqCst) > 1), "they are polled on");
    assert!(!plain.is_finished() && !fallible.is_finished());
    run(&mut driver, SECOND);
    assert!(matches!(outcome(&mut plain), Some(Outcome::Cancelled { started: true, .. })), "its grace is over");
    assert!(matches!(outcome(&mut fallible), Some(Outcome::Cancelled { started: true, .. })), "its grace is over");
    assert!(outcome(&mut not_asked).is_none() && not_asked.cancel(), "nobody has asked it");
    run(&mut driver, SECOND);
    run(&mut driver, SECOND * 2);
    assert!(not_asked.is_finished());
}

/// Q7, D4, D5: a job below a token has the limits that it has without one.
#[test]
fn d5_a_job_under_a_token_keeps_its_limits() {
    static WORKER: HeldWorker<1, 4, 192> = HeldWorker::new();
    static ABOVE: HeldToken<'static> = HeldToken::new();
    let mut driver = WORKER.attend().expect("nobody else drives it");
    let submit = "there is a slot";
    let runs = HeldJob::task(pending::<()>()).run_timeout(SECOND * 2).under(&ABOVE);
    let mut runs = WORKER.submit(runs, Instant::ORIGIN).expect(submit);
    let queued = HeldJob::task(pending::<()>()).queue_timeout(SECOND).under(&ABOVE);
    let mut queued = WORKER.submit(queued, Instant::ORIGIN).expect(submit);
    let never = HeldJob::task(async { unreachable!("its time is out before it begins") }).run_timeout(Duration::ZERO);
    let mut never = WORKER.submit(never.under(&ABOVE), Instant::ORIGIN).expect(submit);
    run(&mut driver, Duration::ZERO);
    let timed_out = |handle: &mut _| match outcome(handle) {
        Some(Outcome::TimedOut { phase, .. }) => Some(phase),
        _ => None,
    };
    assert_eq!(timed_out(&mut never), Some(Phase::Queued));
    run(&mut driver, SECOND);
    assert_eq!((timed_out(&mut queued), timed_out(&mut runs)), (Some(Phase::Queued), None));
    // What waits for its turn has all of its time in its lane, and no more.
    let later = HeldJob::task(pending::<()>()).queue_timeout(SECOND * 2).run_timeout(SECOND).under(&ABOVE);
    let mut later = WORKER.submit(later, Instant::from_nanos(1_000_000_000)).expect(submit);
    run(&mut driver, SECOND * 2);
    assert_eq!(timed_out(&mut runs), Some(Phase::Running), "two seconds after it has begun");
    run(&mut driver, SECOND * 2);
    assert!(outcome(&mut later).is_none());
    run(&mut driver, SECOND * 3);
    assert_eq!(timed_out(&mut later), Some(Phase::Running), "a second after it has begun");
}

/// D5: the time in its lane counts from when a job begins, not from when it was polled last.
#[test]
fn d5_a_job_that_is_polled_again_has_no_more_time_for_that() {
    static WORKER: HeldWorker<1, 1, 192> = HeldWorker::new();
    let mut driver = WORKER.attend().expect("nobody else drives it");
    let sleep = WORKER.sleep(SECOND);
    let twice = HeldJob::task(async move {
        sleep.await;
        pending::<()>().await;
    });
    let twice = twice.run_timeout(SECOND * 2).queue_timeout(SECOND);
    let mut twice = WORKER.submit(twice, Instant::ORIGIN).expect("there is a slot");
    run(&mut driver, Duration::ZERO);
    run(&mut driver, SECOND);
    assert!(outcome(&mut twice).is_none());
    run(&mut driver, SECOND * 2);
    assert!(matches!(outcome(&mut twice), Some(Outcome::TimedOut { phase: Phase::Running, .. })));
}

/// J11: a token is above a job whichever way round it was given that and its limits.
#[test]
fn j11_a_limit_around_a_token_hides_it_not() {
    static WORKER: HeldWorker<2, 2, 192> = HeldWorker::new();
    static ABOVE: HeldToken<'static> = HeldToken::new();
    let mut driver = WORKER.attend().expect("nobody else drives it");
    let run_limited = HeldJob::task(pending::<()>()).under(&ABOVE).run_timeout(SECOND);
    let mut run_limited = WORKER.submit(run_limited, Instant::ORIGIN).expect("there is a slot");
    let queue_limited = HeldJob::task(pending::<()>()).under(&ABOVE).queue_timeout(SECOND);
    let mut queue_limited = WORKER.submit(queue_limited, Instant::ORIGIN).expect("there is a slot");
    run(&mut driver, Duration::ZERO);
    assert!(ABOVE.cancel());
    run(&mut driver, Duration::ZERO);
    assert!(matches!(outcome(&mut run_limited), Some(Outcome::Cancelled { started: true, .. })));
    assert!(matches!(outcome(&mut queue_limited), Some(Outcome::Cancelled { started: true, .. })));
}

//! Corners of a worker and a router without a heap that boards cannot show: what panics when it is dropped, a host with an executor, packets that hold something.
#![cfg(feature = "std")]

mod common;

use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::bench::Hand;
use common::held::{outcome, run};
use common::{Count, poll};
use countermand_core::{
    Cause, Class, HeldEnd, HeldEvicts, HeldHandle, HeldJob, HeldPolicy, HeldRefuses, HeldRouter, HeldToken, HeldUrgent,
    HeldWaits, HeldWeighted, HeldWorker, Host, Instant, Label, Level, Outcome, PacketId, Priority, RefuseReason,
    Source, Step, Stream,
};

const SECOND: Duration = Duration::from_secs(1);

/// Counts its drops; panics in its poll, or in its destructor.
struct Bad {
    drops: Arc<AtomicUsize>,
    in_poll: bool,
    in_drop: bool,
}

impl Future for Bad {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        assert!(!self.in_poll, "in its poll");
        Poll::Ready(7)
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::SeqCst);
        assert!(!self.in_drop, "in its destructor");
    }
}

/// X2, P1, P2: dropped once, whichever of the two panics, and the next job runs.
#[test]
fn x2_a_job_that_panics_is_dropped_once() {
    static WORKER: HeldWorker<1, 2, 64> = HeldWorker::new();
    let mut driver = WORKER.attend().expect("nobody else drives it");
    for (in_poll, in_drop) in [(false, false), (true, false), (false, true)] {
        let drops = Arc::new(AtomicUsize::new(0));
        let bad = Bad { drops: drops.clone(), in_poll, in_drop };
        let mut handle = WORKER.submit(HeldJob::task(bad), Instant::ORIGIN).expect("a slot");
        let mut next = WORKER.submit(HeldJob::task(async { 9_u32 }), Instant::ORIGIN).expect("a slot");
        run(&mut driver, Duration::ZERO);
        match outcome(&mut handle) {
            Some(Outcome::Completed(7)) => assert!(!in_poll && !in_drop),
            Some(Outcome::Panicked(panic)) => {
                let says = if in_poll { "in its poll" } else { "in its destructor" };
                assert!(panic.to_string().contains(says), "{panic}");
            }
            other => panic!("{in_poll} {in_drop}: {other:?}"),
        }
        assert!(matches!(outcome(&mut next), Some(Outcome::Completed(9))));
        drop(handle);
        drop(next);
        assert_eq!((drops.load(Ordering::SeqCst), Arc::strong_count(&drops)), (1, 1), "{in_poll} {in_drop}");
        assert_eq!(WORKER.occupied(), 0);
    }
}

/// Driven by a host's executor and alarm, as by hand.
#[test]
fn a_driver_runs_by_the_time_and_the_alarm_of_a_host() {
    static WORKER: HeldWorker<2, 4, 128> = HeldWorker::new();
    let host = Arc::new(Hand::default());
    let driver = WORKER.attend().expect("nobody else drives it");
    let mut run = Box::pin(driver.run(&*host));
    let (woken, waker) = Count::new();
    assert!(poll(run.as_mut(), &waker).is_pending());
    let job = HeldJob::task(async {
        WORKER.sleep(SECOND).await;
        7
    });
    let mut handle = WORKER.submit(job, host.now()).expect("a slot");
    assert_eq!(woken.get(), 1, "there is something to do");
    assert!(poll(run.as_mut(), &waker).is_pending());
    assert_eq!((host.alarms(), outcome(&mut handle).is_none()), (1, true));
    host.pass(SECOND);
    assert!(poll(run.as_mut(), &waker).is_pending());
    assert!(matches!(outcome(&mut handle), Some(Outcome::Completed(7))));
    WORKER.shutdown(countermand_core::Shutdown::Drain, host.now());
    assert!(poll(run.as_mut(), &waker).is_ready());
}

/// Q2: those that are queued start in the order of their submits, in whichever slots they are.
#[test]
fn q2_the_order_outlives_the_slots() {
    static WORKER: HeldWorker<1, 4, 128> = HeldWorker::new();
    let mut driver = WORKER.attend().expect("nobody else drives it");
    let log: Arc<Mutex<Vec<usize>>> = Arc::default();
    let submit = |number: usize| {
        let log = log.clone();
        let job = HeldJob::task(async move { log.lock().expect("free").push(number) });
        WORKER.submit(job, Instant::ORIGIN).expect("a slot")
    };
    let mut one_step = || driver.step(&mut Context::from_waker(Waker::noop()), Instant::ORIGIN);
    let mut handles: Vec<_> = (0..4).map(submit).collect();
    for number in 4..40 {
        // One ends, and its slot, which comes before those of the others, is the newcomer's.
        while outcome(&mut handles[0]).is_none() {
            one_step();
        }
        drop(handles.remove(0));
        handles.push(submit(number));
    }
    while log.lock().expect("free").len() < 40 {
        one_step();
    }
    assert_eq!(*log.lock().expect("free"), (0..40).collect::<Vec<_>>());
}

/// L2: new jobs and the lanes alternate, where there are both, and a job in a lane learns of a request only if there is one.
#[test]
fn l2_new_jobs_and_lanes_alternate_without_a_heap() {
    static WORKER: HeldWorker<4, 8, 128> = HeldWorker::new();
    let mut driver = WORKER.attend().expect("nobody else drives it");
    let log: Arc<Mutex<String>> = Arc::default();
    let lane = log.clone();
    let spins = poll_fn(move |cx| {
        lane.lock().expect("free").push('l');
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    });
    let spins = WORKER.submit(HeldJob::task(spins), Instant::ORIGIN).expect("a slot");
    driver.step(&mut Context::from_waker(Waker::noop()), Instant::ORIGIN);
    let handles: Vec<_> = (0..6)
        .map(|_| {
            let new = log.clone();
            let job = HeldJob::task(async move { new.lock().expect("free").push('n') });
            WORKER.submit(job.priority(Priority::Low), Instant::ORIGIN).expect("a slot")
        })
        .collect();
    log.lock().expect("free").clear();
    for _ in 0..14 {
        driver.step(&mut Context::from_waker(Waker::noop()), Instant::ORIGIN);
    }
    assert!(handles.iter().all(HeldHandle::is_finished));
    let log = log.lock().expect("free").clone();
    let first = log.find('n').expect("they ran");
    assert!(first <= 1 && log[first..].starts_with("nlnlnlnlnlnl"), "{log}");
    spins.cancel();
}

#[test]
fn j5_a_job_with_a_grace_learns_of_a_request_when_there_is_one() {
    static WORKER: HeldWorker<1, 2, 256> = HeldWorker::new();
    static ABOVE: HeldToken<'static> = HeldToken::new();
    let mut driver = WORKER.attend().expect("nobody else drives it");
    for by_token in [false, true] {
        let seen: Arc<Mutex<Vec<bool>>> = Arc::default();
        let note = seen.clone();
        let job = HeldJob::task_with(async move |cx| {
            poll_fn(|task| {
                note.lock().expect("free").push(cx.is_cancelled());
                if cx.is_cancelled() {
                    return Poll::Ready(());
                }
                task.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
            7
        });
        let mut handle = WORKER.submit(job.under(&ABOVE).grace(SECOND), Instant::ORIGIN).expect("a slot");
        for _ in 0..3 {
            driver.step(&mut Context::from_waker(Waker::noop()), Instant::ORIGIN);
        }
        assert!(!seen.lock().expect("free").is_empty() && seen.lock().expect("free").iter().all(|seen| !seen));
        if by_token {
            ABOVE.cancel();
        } else {
            handle.cancel();
        }
        run(&mut driver, Duration::ZERO);
        assert_eq!(seen.lock().expect("free").last(), Some(&true), "by its token: {by_token}");
        assert!(matches!(outcome(&mut handle), Some(Outcome::Completed(7))));
    }
    // One that waits, and is woken by its token.
    static WAITS: HeldToken<'static> = HeldToken::new();
    let waits = HeldJob::task_with(async move |cx| {
        cx.cancelled().await;
        7
    });
    let mut waits = WORKER.submit(waits.under(&WAITS).grace(SECOND), Instant::ORIGIN).expect("a slot");
    assert_eq!(run(&mut driver, Duration::ZERO), Step::Parked(None));
    WAITS.cancel();
    run(&mut driver, Duration::ZERO);
    assert!(matches!(outcome(&mut waits), Some(Outcome::Completed(7))));
    drop(waits);
    let stuck = WORKER.submit(HeldJob::task(pending::<()>()).grace(SECOND), Instant::ORIGIN).expect("a slot");
    stuck.cancel();
    run(&mut driver, Duration::ZERO);
    assert!(stuck.is_finished(), "in the queue it has none");
}

/// Q5: the youngest of the least urgent that wait makes room; what runs does not, however little urgent it is.
#[test]
fn q5_the_youngest_of_the_lowest_makes_room_without_a_heap() {
    struct Evicts;
    impl HeldPolicy for Evicts {
        type Order = HeldUrgent;
        type Full = HeldEvicts;
    }
    static WORKER: HeldWorker<1, 4, 64, Evicts> = HeldWorker::new();
    let mut driver = WORKER.attend().expect("nobody else drives it");
    let job = |priority| HeldJob::task(pending::<u32>()).priority(priority);
    let submit = |priority| WORKER.submit(job(priority), Instant::ORIGIN).expect("a slot");
    let runs = submit(Priority::Low);
    run(&mut driver, Duration::ZERO);
    let [older, mut younger, urgent] = [Priority::Normal, Priority::Normal, Priority::High].map(submit);
    let mut waits = Box::pin(WORKER.submit_or_evict(job(Priority::Critical), Instant::ORIGIN));
    assert!(poll(waits.as_mut(), Waker::noop()).is_pending());
    run(&mut driver, Duration::ZERO);
    assert!(matches!(outcome(&mut younger), Some(Outcome::Cancelled { cause: Cause::EVICTED, started: false })));
    assert!(![runs, older, urgent].iter().any(HeldHandle::is_finished));
}

/// Q1, Q4: weights say which of those that are queued starts, when one may; not whether, nor which is dropped.
#[test]
fn q1_q4_weights_choose_only_who_starts() {
    struct Fair;
    impl HeldPolicy for Fair {
        type Order = HeldWeighted<1, 2, 4, 8>;
        type Full = HeldWaits;
    }
    static WORKER: HeldWorker<1, 4, 64, Fair> = HeldWorker::new();
    let mut driver = WORKER.attend().expect("nobody else drives it");
    let mut one_step = || driver.step(&mut Context::from_waker(Waker::noop()), Instant::ORIGIN);
    let polls = Arc::new(AtomicUsize::new(0));
    let count = polls.clone();
    let spins = poll_fn(move |cx| {
        count.fetch_add(1, Ordering::SeqCst);
        cx.waker().wake_by_ref();
        Poll::<u32>::Pending
    });
    let spins = WORKER.submit(HeldJob::task(spins), Instant::ORIGIN).expect("a slot");
    one_step();
    let [mut older, mut younger] =
        [(); 2].map(|()| WORKER.submit(HeldJob::task(async { 7 }), Instant::ORIGIN).expect("a slot"));
    for expected in 2..6 {
        one_step();
        assert_eq!((polls.load(Ordering::SeqCst), older.is_finished()), (expected, false), "the lane is taken");
    }
    younger.cancel();
    one_step();
    assert!(matches!(outcome(&mut younger), Some(Outcome::Cancelled { started: false, .. })));
    spins.cancel();
    (0..2).for_each(|_| _ = one_step());
    assert!(matches!(outcome(&mut older), Some(Outcome::Completed(7))));
}

/// E7: that a job panicked is told as that.
#[test]
fn e7_a_panic_is_told_without_a_heap() {
    struct Tells;
    static TOLD: Mutex<Vec<Class>> = Mutex::new(Vec::new());
    impl HeldPolicy for Tells {
        type Order = HeldUrgent;
        type Full = HeldRefuses;

        fn settled(end: HeldEnd) {
            TOLD.lock().expect("free").push(end.class);
        }
    }
    static WORKER: HeldWorker<1, 2, 64, Tells> = HeldWorker::new();
    let mut driver = WORKER.attend().expect("nobody else drives it");
    let handle = WORKER.submit(HeldJob::task(async { panic!("in its poll") }), Instant::ORIGIN).expect("a slot");
    run(&mut driver, Duration::ZERO);
    assert!(handle.is_finished());
    assert_eq!(*TOLD.lock().expect("free"), [Class::Panicked]);
}

fn label(number: u128, level: Level) -> Label {
    Label::new(PacketId::new(number), Source::of("pump"), level)
}

/// E3: a place that becomes free is not ahead of those that wait.
#[test]
fn e3_the_order_outlives_the_places() {
    let router = HeldRouter::<u32, 3>::new();
    let offer = |number: u32| assert!(router.offer(label(number.into(), Level::Info), number).is_ok());
    (0..3).for_each(offer);
    for number in 3..30 {
        let packet = router.take(Stream::Normal).expect("one waits");
        assert_eq!(packet.body(), Some(&(number - 3)));
        packet.acknowledge();
        offer(number);
    }
}

/// X2: what nobody took goes with the router; E8: what is refused is counted.
#[test]
fn x2_packets_go_with_their_router() {
    let held = Arc::new(());
    let router = HeldRouter::<Arc<()>, 2>::new();
    for level in [Level::Info, Level::Error, Level::Critical] {
        assert!(router.offer(label(1, level), held.clone()).is_ok());
    }
    router.close();
    for number in 1..=3 {
        let refused = router.offer(label(2, Level::Error), held.clone()).expect_err("it is closed");
        assert_eq!(refused.reason, RefuseReason::Closed);
        assert_eq!(router.ledger().refused[Priority::High.index()], number);
    }
    assert_eq!(Arc::strong_count(&held), 4);
    drop(router);
    assert_eq!(Arc::strong_count(&held), 1);
}

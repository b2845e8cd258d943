//! What expiry does, and what it leaves alone.

use std::future::poll_fn;
use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use countermand_core::{Cause, Class, Handle, Instant, Job, Sleep, Token};

use crate::rules::kit::{
    Book, Filler, OUT_QUEUED, OUT_RUNNING, Puppet, TICK, from_now, lanes, lock, secs, stopped, unstarted,
};
use crate::{Bench, Check, Flaw, ensure, ensure_eq, poll};

pub(super) async fn d6_class_comes_from_the_recorded_cause(bench: &Bench) -> Check {
    expiry_cancels_with_its_cause(bench).await?;
    a_request_before_the_deadline_stays_one(bench).await?;
    a_request_after_the_deadline_changes_nothing(bench).await?;
    for keeper_first in [false, true] {
        settled_after_the_deadline_for_another_cause(bench, keeper_first).await?;
    }
    Ok(5)
}

async fn expiry_cancels_with_its_cause(bench: &Bench) -> Result<(), Flaw> {
    let token = Token::with_deadline(bench.now());
    let child = token.child_token();
    ensure!(child.expire_due(bench.now()), "an expiry did not say that a deadline was due");
    ensure_eq!(
        (token.cause(), child.cause()),
        (Some(Cause::DEADLINE), Some(Cause::DEADLINE)),
        "causes after an expiry"
    );

    let worker = bench.worker(lanes(4))?;
    let cast: [Puppet<()>; 4] = std::array::from_fn(|_| Puppet::new());
    let parent = Token::with_deadline(from_now(bench, secs(5)));
    let handed_on = Arc::new(Mutex::new(Vec::new()));
    let (hand_on, inner) = (Arc::clone(&handed_on), cast[3].task());
    let with_children = Job::task_with(move |cx| {
        lock(&hand_on).extend([cx.token().child_token(), cx.token().child_token().child_token()]);
        inner
    });
    let watched = worker.child_with_timeout(secs(5));
    let handles = [
        bench.submit(&worker, Job::task(cast[0].task()).deadline(from_now(bench, secs(5)))).await?,
        bench.submit(&worker, Job::task(cast[1].task()).run_timeout(secs(5))).await?,
        bench.submit(&worker, Job::task(cast[2].task()).parent(&parent)).await?,
        bench.submit(&worker, with_children.run_timeout(secs(5))).await?,
    ];
    bench.quiet(&worker).await?;
    let queued = bench.submit(&worker, Job::task(async {}).queue_timeout(secs(5))).await?;
    bench.advance(&worker, secs(5)).await?;
    for handle in handles.into_iter().chain([queued]) {
        ensure_eq!(handle.token().cause(), Some(Cause::DEADLINE), "the cause of a job's token after its time");
        ensure!(bench.settled(handle).await?.is_timed_out(), "a job whose time was out did not time out");
    }
    ensure_eq!(watched.cause(), Some(Cause::DEADLINE), "the cause of a token with a deadline of its own");
    let handed_on = lock(&handed_on).clone();
    ensure_eq!(handed_on.len(), 2, "tokens that a job handed on");
    for token in handed_on {
        ensure_eq!(token.cause(), Some(Cause::DEADLINE), "the cause of a token that a timed out job had handed on");
    }
    Ok(())
}

async fn a_request_before_the_deadline_stays_one(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let why = Cause::REQUESTED.with_code(6);
    let job = || Job::task(Puppet::<()>::new().task()).grace(secs(10));
    let handles = [
        bench.submit(&worker, job().deadline(from_now(bench, secs(5)))).await?,
        bench.submit(&worker, job().run_timeout(secs(5))).await?,
    ];
    bench.quiet(&worker).await?;
    for handle in &handles {
        ensure!(handle.cancel_with(why), "a job's first request was not told that it was first");
    }
    // The deadline passes while they have their grace.
    bench.advance(&worker, secs(10)).await?;
    for handle in handles {
        ensure!(handle.is_finished(), "a job went on after its grace");
        let class = bench.settled(handle).await?.class();
        ensure_eq!(class, stopped(why), "how a job ended that was cancelled, and dropped after its deadline");
    }
    Ok(())
}

async fn a_request_after_the_deadline_changes_nothing(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let job = Job::task(Puppet::<()>::new().task()).run_timeout(secs(5)).grace(secs(10));
    let handle = bench.submit(&worker, job).await?;
    bench.advance(&worker, secs(5)).await?;
    ensure_eq!(handle.token().cause(), Some(Cause::DEADLINE), "the cause of a job's token after its time");
    ensure!(!handle.cancel(), "a cancel after the deadline was told that it was first");
    bench.advance(&worker, secs(10)).await?;
    ensure!(handle.is_finished(), "a job went on after its grace");
    let class = bench.settled(handle).await?.class();
    ensure_eq!(class, OUT_RUNNING, "how a job ended that timed out and was cancelled in its grace");
    Ok(())
}

/// The request comes first, and it is after the deadline that anybody looks.
async fn settled_after_the_deadline_for_another_cause(bench: &Bench, keeper_first: bool) -> Result<(), Flaw> {
    let (worker, mut attendants) = bench.parts(lanes(1))?;
    if keeper_first {
        attendants.reverse();
    }
    let job = || Job::task(Puppet::<()>::new().task()).deadline(from_now(bench, secs(5)));
    let parent = Token::new();
    let handles = [
        bench.submit(&worker, job()).await?,
        bench.submit(&worker, job().queue_timeout(secs(4)).parent(&parent)).await?,
    ];
    handles[0].cancel();
    parent.cancel();
    bench.tick(secs(9));
    for attendant in &mut attendants {
        ensure!(poll(attendant.as_mut(), Waker::noop()).is_pending(), "an attendant of an open worker has ended");
    }
    for handle in handles {
        ensure!(handle.is_finished(), "a cancelled job has not settled after every attendant had its turn");
        let class = bench.settled(handle).await?.class();
        let expected = unstarted(Cause::REQUESTED);
        ensure_eq!(class, expected, "how a job ended that was cancelled before its deadline and looked at afterwards");
    }
    Ok(())
}

pub(super) async fn d7_stale_timer_touches_nobody(bench: &Bench) -> Check {
    run_timeouts_of_past_jobs(bench).await?;
    queue_timeouts_of_past_jobs(bench).await?;
    a_sleep_dropped_after_it_fired(bench).await?;
    a_sleep_that_outlives_its_job(bench).await?;
    a_token_dropped_after_its_time(bench).await?;
    Ok(5)
}

async fn run_timeouts_of_past_jobs(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    for seconds in 1..6 {
        let puppet = Puppet::new();
        let job = Job::task(puppet.task()).run_timeout(secs(10 + seconds)).grace(secs(1));
        let past = bench.submit(&worker, job).await?;
        bench.advance(&worker, secs(1)).await?;
        puppet.answer(());
        ensure_eq!(bench.settled(past).await?.class(), Class::Completed, "how a job ended that returned in time");
    }
    let puppet = Puppet::new();
    let later = bench.submit(&worker, Job::task(puppet.task())).await?;
    let limited = Job::task(async {}).queue_timeout(secs(60));
    let queued = bench.submit(&worker, limited).await?;
    bench.quiet(&worker).await?;
    for _ in 0..30 {
        bench.advance(&worker, secs(1)).await?;
    }
    ensure!(!later.is_finished() && !queued.is_finished(), "the time-out of a past job ended a later one");
    ensure_eq!(puppet.polls(), 1, "polls of a job after the time-outs of past ones in its lane");
    ensure_eq!(later.token().cause(), None, "the cause of its token");
    puppet.answer(());
    ensure_eq!(bench.settled(later).await?.class(), Class::Completed, "how it ended");
    ensure_eq!(bench.settled(queued).await?.class(), Class::Completed, "how the job behind it ended");
    Ok(())
}

async fn queue_timeouts_of_past_jobs(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let filler = Filler::of(bench, &worker).await?;
    let past = bench.submit(&worker, Job::task(async {}).queue_timeout(secs(5))).await?;
    bench.quiet(&worker).await?;
    past.cancel();
    ensure_eq!(bench.settled(past).await?.class(), unstarted(Cause::REQUESTED), "how a job ended in the queue");
    let later = bench.submit(&worker, Job::task(async {})).await?;
    let limited = bench.submit(&worker, Job::task(async {}).queue_timeout(secs(9))).await?;
    bench.advance(&worker, secs(8)).await?;
    ensure!(!later.is_finished() && !limited.is_finished(), "the queue time-out of a past job ended a later one");
    bench.advance(&worker, secs(1)).await?;
    ensure!(limited.is_finished(), "a queue time-out was lost with that of a past job");
    ensure_eq!(bench.settled(limited).await?.class(), OUT_QUEUED, "how a job ended that was queued for too long");
    filler.leave(bench).await?;
    ensure_eq!(bench.settled(later).await?.class(), Class::Completed, "how the later job ended");
    Ok(())
}

/// Polls it once, so that its timer is set.
async fn set(sleep: &mut Sleep) {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *sleep).poll(cx).is_ready())).await;
}

async fn a_sleep_dropped_after_it_fired(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let job = Job::task_with(|cx| async move {
        let mut stale = cx.sleep(secs(5));
        set(&mut stale).await;
        cx.sleep(secs(5)).await;
        // Both have fired. These two take the places of their timers.
        let (mut one, mut other) = (cx.sleep(secs(5)), cx.sleep(secs(5)));
        set(&mut one).await;
        set(&mut other).await;
        drop(stale);
        one.await;
        other.await;
    });
    let handle = bench.submit(&worker, job).await?;
    bench.advance(&worker, secs(5)).await?;
    ensure!(!handle.is_finished(), "a sleep was over too early");
    bench.advance(&worker, secs(5)).await?;
    ensure!(handle.is_finished(), "dropping a sleep whose time was over took the timer of another");
    Ok(())
}

async fn a_sleep_that_outlives_its_job(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let kept = Arc::new(Mutex::new(None));
    for fires_first in [true, false] {
        let keep = Arc::clone(&kept);
        let job = Job::task_with(move |cx| async move {
            let mut sleep = cx.sleep(secs(5));
            set(&mut sleep).await;
            *lock(&keep) = Some(sleep);
        });
        let past = bench.submit(&worker, job).await?;
        ensure_eq!(bench.settled(past).await?.class(), Class::Completed, "how a job ended that left a sleep behind");
        if fires_first {
            bench.advance(&worker, secs(5)).await?;
        }
        let later = bench.submit(&worker, Job::task_with(|cx| cx.sleep(secs(10)))).await?;
        bench.quiet(&worker).await?;
        let stale: Option<Sleep> = lock(&kept).take();
        ensure!(stale.is_some(), "a job that settled had not run");
        drop(stale);
        bench.advance(&worker, secs(10) - TICK).await?;
        ensure!(!later.is_finished(), "the sleep of a past job ended a later one's");
        bench.advance(&worker, TICK).await?;
        ensure!(later.is_finished(), "the sleep of a past job took the timer of a later one with it");
    }
    Ok(())
}

async fn a_token_dropped_after_its_time(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let past = worker.child_with_timeout(secs(5));
    bench.advance(&worker, secs(5)).await?;
    ensure_eq!(past.cause(), Some(Cause::DEADLINE), "the cause of a token after its time");
    let later = worker.child_with_timeout(secs(5));
    drop(past);
    bench.advance(&worker, secs(5)).await?;
    ensure_eq!(
        later.cause(),
        Some(Cause::DEADLINE),
        "the cause of a token after its time, when a past one was dropped"
    );
    Ok(())
}

pub(super) async fn d9_equal_deadlines_settle_once_as_the_outer(bench: &Bench) -> Check {
    for asked in 0..3 {
        equal_in_a_family(asked)?;
    }
    the_inner_alone_if_only_it_is_due()?;
    jobs_under_one_deadline(bench).await?;
    Ok(5)
}

/// How often each token of a family tells that it was cancelled, when member `asked` of it is asked whether it is due.
fn equal_in_a_family(asked: usize) -> Result<(), Flaw> {
    let at = Instant::from_nanos(1_000);
    let outer = Token::with_deadline(at);
    let middle = outer.child_with_deadline(at);
    let family = [outer.clone(), middle.clone(), middle.child_with_deadline(at), outer.child_token()];
    let told: [Arc<AtomicU64>; 4] = Default::default();
    for (token, told) in family.iter().zip(&told) {
        let told = Arc::clone(told);
        let _ = token.on_cancel(move |_| {
            told.fetch_add(1, Ordering::SeqCst);
        });
    }
    ensure!(family[asked].expire_due(at), "member {asked} of a family was not due at the deadline of all");
    for (member, token) in family.iter().enumerate() {
        ensure_eq!(token.cause(), Some(Cause::DEADLINE), "member {asked} asked: the cause of member {member}");
    }
    // The others are asked too, as their own timers would.
    for token in &family {
        token.expire_due(at);
        ensure!(!token.cancel(), "member {asked} asked: a cancel after the expiry was told that it was first");
    }
    for (member, told) in told.iter().enumerate() {
        let told = told.load(Ordering::SeqCst);
        ensure_eq!(told, 1, "member {asked} asked: how often a callback of member {member} was called");
    }
    Ok(())
}

fn the_inner_alone_if_only_it_is_due() -> Result<(), Flaw> {
    let outer = Token::with_deadline(Instant::from_nanos(7));
    let inner = outer.child_with_deadline(Instant::from_nanos(5));
    ensure!(inner.expire_due(Instant::from_nanos(6)), "an inner deadline was not due at its time");
    ensure!(!outer.is_cancelled(), "an inner deadline cancelled the outer token");
    let inner = outer.child_with_deadline(Instant::from_nanos(5));
    ensure!(inner.expire_due(Instant::from_nanos(7)), "two deadlines were not due at the time of the later");
    ensure!(outer.is_cancelled(), "of two due deadlines only the inner one took effect");
    Ok(())
}

async fn jobs_under_one_deadline(bench: &Bench) -> Result<(), Flaw> {
    let book = Book::default();
    let worker = bench.worker(lanes(4).observer(book.observer()))?;
    let at = from_now(bench, secs(5));
    let outer = Token::with_deadline(at);
    let told = Arc::new(AtomicU64::new(0));
    let tell = Arc::clone(&told);
    let _ = outer.on_cancel(move |_| {
        tell.fetch_add(1, Ordering::SeqCst);
    });
    let job = || Job::task(Puppet::<()>::new().task()).parent(&outer);
    let handles: [Handle<()>; 4] = [
        bench.submit(&worker, job().deadline(at)).await?,
        bench.submit(&worker, job().run_timeout(secs(5)).deadline(at)).await?,
        bench.submit(&worker, job()).await?,
        bench
            .submit(&worker, Job::task(Puppet::new().task()).parent(&outer.child_with_deadline(at)).deadline(at))
            .await?,
    ];
    bench.advance(&worker, secs(5)).await?;
    ensure_eq!(outer.cause(), Some(Cause::DEADLINE), "the cause of the outer token at the time of all");
    for handle in handles {
        let id = handle.id();
        ensure!(handle.is_finished(), "a job went on after its own and its parent's deadline");
        ensure_eq!(bench.settled(handle).await?.class(), OUT_RUNNING, "how it ended");
        ensure_eq!(book.ends_of(id).len(), 1, "how often it settled");
    }
    ensure_eq!(told.load(Ordering::SeqCst), 1, "how often a callback of the outer token was called");
    let counts = worker.counts();
    ensure_eq!((counts.timed_out, counts.settled()), (4, 4), "timed out and settled, as the worker counts");
    Ok(())
}

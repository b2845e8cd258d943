//! When a deadline is due, and what is so then.

use std::future::pending;
use std::prelude::v1::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countermand_core::{Cause, Class, Handle, Instant, Job, Shutdown, Token, Work, Worker};

use crate::rules::kit::{Book, Filler, OUT_QUEUED, OUT_RUNNING, Puppet, TICK, from_now, has, lanes, secs, stopped};
use crate::{Bench, Check, Flaw, Gate, Profile, ensure, ensure_eq};

pub(super) async fn d1_effective_deadline_is_the_earliest(bench: &Bench) -> Check {
    let trees = bench.rounds(300);
    for tree in 0..trees {
        asked_in_a_random_tree(bench, tree)?;
    }
    let worker = bench.worker(lanes(4))?;
    takes_effect_at_the_earliest(bench, &worker, OUT_RUNNING).await?;
    let worker = bench.worker(lanes(1))?;
    let filler = Filler::of(bench, &worker).await?;
    takes_effect_at_the_earliest(bench, &worker, OUT_QUEUED).await?;
    filler.leave(bench).await?;
    Ok(trees + 2)
}

fn asked_in_a_random_tree(bench: &Bench, tree: u64) -> Result<(), Flaw> {
    let mut random = bench.random();
    let mut tokens: Vec<(Token, Option<Instant>)> = vec![(Token::new(), None)];
    for _ in 0..20 {
        let (parent, above) = tokens[random.usize(..tokens.len())].clone();
        let at = Instant::from_nanos(random.u64(1..1_000));
        let earlier = |other: Option<Instant>| [above, other].into_iter().flatten().min();
        tokens.push(match random.u8(..4) {
            0 => (parent.child_token(), above),
            1 => (Token::with_deadline(at), Some(at)),
            2 => {
                let (other, beside) = tokens[random.usize(..tokens.len())].clone();
                (Token::linked([&parent, &other]), earlier(beside))
            }
            _ => (parent.child_with_deadline(at), earlier(Some(at))),
        });
    }
    for (number, (token, expected)) in tokens.iter().enumerate() {
        ensure_eq!(token.deadline(), *expected, "tree {tree}: the deadline of token {number}");
        ensure_eq!(token.observer().deadline(), *expected, "tree {tree}: the same, observed");
    }
    Ok(())
}

/// Jobs with a deadline of their own, of their parent, or both; the earlier is always after five seconds.
async fn takes_effect_at_the_earliest(bench: &Bench, worker: &Worker, expected: Class) -> Result<(), Flaw> {
    let at = |seconds| from_now(bench, secs(seconds));
    let mut cast = Vec::new();
    for (own, above) in [(Some(5), Some(9)), (Some(9), Some(5)), (None, Some(5)), (Some(5), None)] {
        let parent = above.map_or_else(Token::new, |above| Token::with_deadline(at(above))).child_token();
        let job = Job::task(Puppet::<()>::new().task()).parent(&parent);
        let job = match own {
            Some(own) => job.deadline(at(own)),
            None => job,
        };
        let handle = bench.submit(worker, job).await?;
        let which = format!("own {own:?}, above {above:?}");
        ensure_eq!(handle.token().deadline(), Some(at(5)), "{which}: the deadline that a job's token has");
        cast.push((which, handle));
    }
    bench.advance(worker, secs(5) - TICK).await?;
    for (which, handle) in &cast {
        ensure!(!handle.is_finished(), "{which}: a job was over before the earliest of its deadlines");
    }
    bench.advance(worker, TICK).await?;
    for (which, handle) in cast {
        ensure!(handle.is_finished(), "{which}: a job went on after the earliest of its deadlines");
        ensure_eq!(bench.settled(handle).await?.class(), expected, "{which}: how it ended");
    }
    Ok(())
}

pub(super) async fn d2_effective_though_the_alarm_is_late(bench: &Bench) -> Check {
    bench.deafen(true);
    seen_when_the_job_is_woken(bench).await?;
    seen_when_a_sibling_starts(bench).await?;
    seen_when_a_lane_is_free(bench).await?;
    seen_when_the_keeper_is_rung(bench).await?;
    if has(bench, Profile::NONE.blocking()) {
        seen_by_a_call(bench).await?;
        return Ok(5);
    }
    Ok(4)
}

async fn seen_when_the_job_is_woken(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(3))?;
    let cast: [Puppet<()>; 3] = [Puppet::new(), Puppet::new(), Puppet::new()];
    let parent = Token::with_deadline(from_now(bench, secs(5)));
    let handles = [
        bench.submit(&worker, Job::task(cast[0].task()).deadline(from_now(bench, secs(5)))).await?,
        bench.submit(&worker, Job::task(cast[1].task()).run_timeout(secs(5))).await?,
        bench.submit(&worker, Job::task(cast[2].task()).parent(&parent)).await?,
    ];
    bench.quiet(&worker).await?;
    bench.tick(secs(5));
    for (puppet, handle) in cast.iter().zip(handles) {
        puppet.answer(());
        let class = bench.settled(handle).await?.class();
        ensure_eq!(class, OUT_RUNNING, "how a job ended that was woken when its time was out");
        ensure_eq!(puppet.polls(), 1, "polls of a job that was woken when its time was out");
    }
    Ok(())
}

async fn seen_when_a_sibling_starts(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let job = Job::task(Puppet::<()>::new().task()).deadline(from_now(bench, secs(5)));
    let handle = bench.submit(&worker, job).await?;
    bench.quiet(&worker).await?;
    bench.tick(secs(6));
    let sibling = bench.submit(&worker, Job::task(async {})).await?;
    bench.settled(sibling).await?;
    let class = bench.within("a job is over when a sibling starts after its deadline", handle).await?.class();
    ensure_eq!(class, OUT_RUNNING, "how a job ended whose sibling started after its deadline");
    Ok(())
}

async fn seen_when_a_lane_is_free(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let filler = Filler::of(bench, &worker).await?;
    let cast: [Puppet<()>; 2] = [Puppet::ready(()), Puppet::ready(())];
    let handles = [
        bench.submit(&worker, Job::task(cast[0].task()).deadline(from_now(bench, secs(5)))).await?,
        bench.submit(&worker, Job::task(cast[1].task()).queue_timeout(secs(5))).await?,
    ];
    bench.quiet(&worker).await?;
    bench.tick(secs(5));
    filler.leave(bench).await?;
    for (puppet, handle) in cast.iter().zip(handles) {
        let class = bench.settled(handle).await?.class();
        ensure_eq!(class, OUT_QUEUED, "how a job ended that got a lane when its time was out");
        ensure_eq!(puppet.polls(), 0, "polls of a job that got a lane when its time was out");
    }
    Ok(())
}

async fn seen_when_the_keeper_is_rung(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let filler = Filler::of(bench, &worker).await?;
    let watched = worker.child_with_timeout(secs(5));
    let queued = bench.submit(&worker, Job::task(async {}).queue_timeout(secs(5))).await?;
    let cancelled = bench.submit(&worker, Job::task(async {})).await?;
    bench.quiet(&worker).await?;
    bench.tick(secs(5));
    cancelled.cancel();
    bench.settled(cancelled).await?;
    let class = bench.within("a queued job is over when the keeper has a turn after its time", queued).await?.class();
    ensure_eq!(class, OUT_QUEUED, "how a queued job ended when the keeper had a turn after its time");
    let cause = bench.within("a watched token is cancelled when the keeper has a turn", watched.cancelled()).await?;
    ensure_eq!(cause, Cause::DEADLINE, "why a watched token was cancelled");
    filler.leave(bench).await
}

async fn seen_by_a_call(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let (entered, leave) = (Gate::new(), Gate::new());
    let (enter, left) = (entered.clone(), leave.clone());
    let call = Job::call(move |cx| {
        enter.open();
        left.wait_blocking();
        cx.token().cause()
    });
    let handle = bench.submit(&worker, call.run_timeout(secs(5))).await?;
    bench.until("a call runs", || entered.is_open()).await?;
    bench.quiet(&worker).await?;
    bench.tick(secs(5));
    let sibling = bench.submit(&worker, Job::task(async {})).await?;
    bench.settled(sibling).await?;
    let token = handle.token();
    let cause = bench.within("a running call is told when its driver has a turn", token.cancelled()).await?;
    ensure_eq!(cause, Cause::DEADLINE, "why a running call was told to stop");
    leave.open();
    let seen = bench.settled(handle).await?.completed();
    ensure_eq!(seen, Some(Some(Cause::DEADLINE)), "the cause as the call saw it");
    Ok(())
}

pub(super) async fn d3_due_is_exact(bench: &Bench) -> Check {
    let at = Instant::from_nanos(1_000);
    let token = Token::with_deadline(at);
    let child = token.child_token();
    ensure!(!child.expire_due(Instant::from_nanos(999)), "a deadline at 1000 ns was due at 999 ns");
    ensure!(!token.is_cancelled(), "a token was cancelled one nanosecond before its deadline");
    ensure!(child.expire_due(at) && token.is_cancelled(), "a deadline at 1000 ns was not due at 1000 ns");
    let spans = [TICK * 3, secs(7) + TICK * 3, secs(60 * 86_400) + TICK];
    for span in spans {
        exact_in_a_worker(bench, span).await?;
    }
    Ok(spans.len() as u64)
}

/// Whatever a worker measures ends `span` from now, not a nanosecond earlier, even if alarms go off early.
async fn exact_in_a_worker(bench: &Bench, span: Duration) -> Result<(), Flaw> {
    let at = from_now(bench, span);
    let worker = bench.worker(lanes(8).watchdog(None))?;
    let never = || Job::task(Puppet::<()>::new().task());
    let running: [(&str, Class, Handle<()>); 8] = [
        ("a deadline", OUT_RUNNING, bench.submit(&worker, never().deadline(at)).await?),
        ("a run time-out", OUT_RUNNING, bench.submit(&worker, never().run_timeout(span)).await?),
        ("a grace", stopped(Cause::REQUESTED), bench.submit(&worker, never().grace(span)).await?),
        ("a sleep", Class::Completed, bench.submit(&worker, Job::task_with(move |cx| cx.sleep(span))).await?),
        ("a sleep until", Class::Completed, bench.submit(&worker, Job::task_with(move |cx| cx.sleep_until(at))).await?),
        (
            "a token of the job's",
            Class::Completed,
            bench
                .submit(
                    &worker,
                    Job::task_with(move |cx| async move {
                        let token = cx.child_with_timeout(span);
                        let _ = token.cancelled().await;
                    }),
                )
                .await?,
        ),
        (
            "an interval",
            Class::Completed,
            bench
                .submit(
                    &worker,
                    Job::task_with(move |cx| async move {
                        let _ = cx.interval(span).tick().await;
                    }),
                )
                .await?,
        ),
        (
            "a time-out",
            Class::Completed,
            bench
                .submit(
                    &worker,
                    Job::task_with(move |cx| async move {
                        let _ = cx.timeout(span, pending::<()>()).await;
                    }),
                )
                .await?,
        ),
    ];
    bench.quiet(&worker).await?;
    running[2].2.cancel();
    let watched = [worker.child_with_deadline(at), worker.child_with_timeout(span)];
    let full = bench.worker(lanes(1).watchdog(None))?;
    let filler = Filler::of(bench, &full).await?;
    let queued = [
        ("a deadline in the queue", OUT_QUEUED, bench.submit(&full, never().deadline(at)).await?),
        ("a queue time-out", OUT_QUEUED, bench.submit(&full, never().queue_timeout(span)).await?),
    ];
    let jobs: Vec<_> = running.into_iter().chain(queued).collect();
    let early = || {
        let job = jobs.iter().find(|(_, _, handle)| handle.is_finished()).map(|(what, _, _)| *what);
        job.or_else(|| watched.iter().any(|token| token.is_cancelled()).then_some("a watched token's deadline"))
    };
    bench.quiet(&worker).await?;
    bench.quiet(&full).await?;
    bench.tick(span - TICK);
    // The driver's, and both keepers'.
    bench.until("three alarms are set", || bench.alarms_set() >= 3 || early().is_some()).await?;
    bench.ring_alarms();
    bench.until("the alarms are set again", || bench.alarms_set() >= 3 || early().is_some()).await?;
    ensure_eq!(early(), None, "what was due one nanosecond before its time, {span:?} from the start");
    bench.tick(TICK);
    bench.quiet(&worker).await?;
    bench.quiet(&full).await?;
    for (what, expected, handle) in jobs {
        ensure!(handle.is_finished(), "{what} of {span:?} was not over at its time exactly");
        ensure_eq!(bench.settled(handle).await?.class(), expected, "how a job with {what} of {span:?} ended");
    }
    for token in watched {
        ensure_eq!(
            token.cause(),
            Some(Cause::DEADLINE),
            "the cause of a token watched for {span:?}, at its time exactly"
        );
    }
    filler.leave(bench).await?;
    bench.within("the first worker ends", worker.shutdown(Shutdown::Drain)).await?;
    bench.within("the second worker ends", full.shutdown(Shutdown::Drain)).await?;
    bench.until("the attendants have left", || bench.alarms_set() == 0).await
}

/// The ways in which a job's time is out `after` from now.
#[derive(Clone, Copy, Debug)]
enum Way {
    Deadline,
    QueueTimeout,
    ParentsDeadline,
    /// It counts from the start, so it keeps the job from starting only if it is zero.
    RunTimeout,
}

const WAYS: [Way; 4] = [Way::Deadline, Way::QueueTimeout, Way::ParentsDeadline, Way::RunTimeout];

fn out_after<W: Work>(bench: &Bench, job: Job<W>, way: Way, after: Duration) -> Job<W> {
    match way {
        Way::Deadline => job.deadline(from_now(bench, after)),
        Way::QueueTimeout => job.queue_timeout(after),
        Way::RunTimeout => job.run_timeout(after),
        Way::ParentsDeadline => job.parent(&Token::with_deadline(from_now(bench, after)).child_token()),
    }
}

pub(super) async fn d4_due_at_its_start_is_never_started(bench: &Bench) -> Check {
    let mut runs = 0;
    for way in WAYS {
        for grace in [Duration::ZERO, secs(60)] {
            due_at_submit(bench, way, grace).await?;
            runs += 1;
            if !matches!(way, Way::RunTimeout) {
                due_in_the_queue(bench, way, grace).await?;
                runs += 1;
            }
        }
    }
    let long_past = bench.worker(lanes(1))?;
    let puppet = Puppet::ready(());
    let handle = bench.submit(&long_past, Job::task(puppet.task()).deadline(Instant::ORIGIN)).await?;
    ensure_eq!(
        bench.settled(handle).await?.class(),
        OUT_QUEUED,
        "how a job ended whose deadline was long past at submit"
    );
    ensure_eq!(puppet.polls(), 0, "its polls");
    Ok(runs + 1)
}

async fn due_at_submit(bench: &Bench, way: Way, grace: Duration) -> Result<(), Flaw> {
    let book = Book::default();
    let worker = bench.worker(lanes(2).observer(book.observer()))?;
    never_started(bench, &worker, &book, way, grace, Duration::ZERO, || async { Ok(()) }).await
}

/// The alarm is late, so that it is a lane that finds the job due.
async fn due_in_the_queue(bench: &Bench, way: Way, grace: Duration) -> Result<(), Flaw> {
    let book = Book::default();
    let worker = bench.worker(lanes(1).observer(book.observer()))?;
    let filler = Filler::of(bench, &worker).await?;
    bench.deafen(true);
    let pass = || async {
        bench.quiet(&worker).await?;
        bench.tick(secs(5));
        filler.leave(bench).await
    };
    let result = never_started(bench, &worker, &book, way, grace, secs(5), pass).await;
    bench.deafen(false);
    result
}

async fn never_started(
    bench: &Bench,
    worker: &Worker,
    book: &Book,
    way: Way,
    grace: Duration,
    after: Duration,
    pass: impl AsyncFnOnce() -> Result<(), Flaw>,
) -> Result<(), Flaw> {
    let which = format!("{way:?}, after {after:?}, with a grace of {grace:?}");
    let (made, called) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let puppet = Puppet::ready(());
    let (make, actor) = (Arc::clone(&made), puppet.clone());
    let task = Job::task_with(move |_| {
        make.store(true, Ordering::SeqCst);
        actor.task()
    });
    let task = bench.submit(worker, out_after(bench, task.grace(grace), way, after)).await?;
    let mut handles = vec![task];
    if has(bench, Profile::NONE.blocking()) {
        let call = Arc::clone(&called);
        let call = Job::call(move |_| call.store(true, Ordering::SeqCst));
        handles.push(bench.submit(worker, out_after(bench, call.grace(grace), way, after)).await?);
    }
    pass().await?;
    for handle in handles {
        let id = handle.id();
        ensure_eq!(bench.settled(handle).await?.class(), OUT_QUEUED, "{which}: how a job ended");
        ensure!(!book.has_started(id), "{which}: the observer was told that the job starts");
        let ends = book.ends_of(id);
        ensure_eq!(ends.iter().map(|end| end.polls).sum::<u64>(), 0, "{which}: polls as the worker counts them");
    }
    ensure!(!made.load(Ordering::SeqCst), "{which}: the closure that makes the task was called");
    ensure_eq!(puppet.polls(), 0, "{which}: polls of the task");
    ensure!(!called.load(Ordering::SeqCst), "{which}: the call was called");
    puppet.dropped_once(&which)
}

//! What time counts.

use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant as Clock};

use countermand_core::{Alarm, Assembly, Class, Handle, Host, Instant, Job, JobContext, Phase, Worker, WorkerConfig};

use crate::rules::crew::{Crew, all_settled, lock, refused};
use crate::{Bench, Check, Flaw, Profile, ensure, ensure_eq};

const DAY: Duration = Duration::from_secs(86_400);

pub(super) async fn c4_only_monotonic_time_counts(bench: &Bench) -> Check {
    the_hosts_clock_and_no_other(bench).await?;
    if bench.has(Profile::NONE.threads()) {
        never_back(bench).await?;
    }
    backward(false)?;
    backward(true)?;
    no_wrap(bench)?;
    for uptime in [0, 24, 49, 50, 400, 36_500] {
        long_uptime(bench, DAY * uptime).await?;
    }
    Ok(11)
}

/// A wall clock cannot be set here without leave. But real time passes, the host's clock stands still, and nothing comes due: so the
/// core asks no clock but the host's, the wall clock included.
async fn the_hosts_clock_and_no_other(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(2).drivers(1).watchdog(Some(Duration::from_millis(1))))?;
    let limit = Duration::from_millis(1);
    let running = bench.submit(&worker, Job::task(std::future::pending::<()>()).run_timeout(limit)).await?;
    let sleeping = Job::task_with(move |context| async move { context.sleep(limit).await });
    let sleeping = bench.submit(&worker, sleeping).await?;
    let queued = bench.submit(&worker, Job::task(async {}).queue_timeout(limit)).await?;
    let token = worker.child_with_timeout(limit);
    bench.quiet(&worker).await?;
    let begun = Clock::now();
    bench.until("real time has passed", || begun.elapsed() > limit * 20).await?;
    // Turns for everybody, and the clock is looked at.
    bench.ring_alarms();
    bench.quiet(&worker).await?;
    let due = [running.is_finished(), sleeping.is_finished(), queued.is_finished(), token.is_cancelled()];
    ensure_eq!(due, [false; 4], "what came due by a clock that is not the host's");
    bench.advance(&worker, limit).await?;
    ensure_eq!(bench.settled(running).await?.class(), Class::TimedOut(Phase::Running), "how the running job ended");
    ensure_eq!(bench.settled(sleeping).await?.class(), Class::Completed, "how the sleeping job ended");
    ensure_eq!(bench.settled(queued).await?.class(), Class::TimedOut(Phase::Queued), "how the queued job ended");
    ensure!(token.is_cancelled(), "the keeper did not keep a deadline by the host's clock");
    all_settled(bench, &worker, 3).await
}

/// The host's own clock: no reading is smaller than one that happened before it, on whatever thread.
async fn never_back(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.running_worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let (latest, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let read = |worker: &Worker, latest: &AtomicU64| {
        let before = latest.load(Ordering::SeqCst);
        let now = worker.now().as_nanos();
        latest.fetch_max(now, Ordering::SeqCst);
        if now < before { Err(format!("a reading of {now} ns after one of {before} ns")) } else { Ok(()) }
    };
    let theirs = (worker.clone(), Arc::clone(&latest), Arc::clone(&stop));
    let thread = std::thread::spawn(move || {
        while !theirs.2.load(Ordering::SeqCst) {
            read(&theirs.0, &theirs.1)?;
        }
        Ok::<(), String>(())
    });
    let mut seen = Ok(());
    for _ in 0..bench.rounds(2_000) {
        seen = seen.and_then(|()| read(&worker, &latest));
    }
    stop.store(true, Ordering::SeqCst);
    let theirs = bench.on_thread("the other reader ends", move || thread.join()).await?;
    let theirs = theirs.map_err(|_| Flaw::Broken("reading the host's clock panicked".to_owned()))?;
    theirs.and(seen).map_err(Flaw::Broken)
}

/// A host whose clock the rule sets to anything, also back.
#[derive(Default)]
struct Wayward(AtomicU64);

struct Never;

impl Alarm for Never {
    fn poll_at(self: Pin<&mut Self>, _: Instant, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Host for Wayward {
    type Alarm = Never;

    fn now(&self) -> Instant {
        Instant::from_nanos(self.0.load(Ordering::SeqCst))
    }

    fn alarm(&self) -> Never {
        Never
    }
}

/// A host that breaks its promise, as one on the wall clock would: its clock jumps back, by a little or by an hour. Within a driver time
/// does not, and what is due is due.
fn backward(far: bool) -> Result<(), Flaw> {
    const HOUR: u64 = 3_600_000_000_000;
    let host = Arc::new(Wayward(AtomicU64::new(2 * HOUR)));
    let assembly = Assembly::new(WorkerConfig::new().lanes(2).drivers(1), Arc::clone(&host));
    let (worker, attendants) = assembly.map_err(|error| Flaw::Broken(error.to_string()))?.into_parts();
    let mut attendants: Vec<_> = attendants.into_iter().map(Box::pin).collect();
    let mut turn = || {
        for attendant in &mut attendants {
            let _ = attendant.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
    };
    let readings: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let note = Arc::clone(&readings);
    let looking = Job::task_with(move |context: JobContext| {
        let mut last = None;
        std::future::poll_fn(move |cx| {
            let now = context.now();
            if last.replace(now) != Some(now) {
                lock(&note).push(now);
            }
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        })
    });
    let looking: Handle<()> = worker.try_submit(looking).map_err(refused)?;
    let limited = Job::task(std::future::pending::<()>()).run_timeout(Duration::from_secs(10));
    let limited = worker.try_submit(limited).map_err(refused)?;
    turn();
    let back = if far { HOUR } else { 1 };
    let second = 1_000_000_000;
    // Forward, back, and forward again, up to just before the limit.
    for now in [HOUR * 2 + 5 * second, HOUR * 2 + 5 * second - back, HOUR * 2 + 4 * second, HOUR * 2 + 10 * second - 1]
    {
        host.0.store(now, Ordering::SeqCst);
        turn();
        ensure!(!limited.is_finished(), "a job with a limit of 10 s ended at {now} ns, before it");
    }
    host.0.store(HOUR * 2 + 10 * second, Ordering::SeqCst);
    turn();
    ensure!(limited.is_finished(), "a job did not end at its limit after the clock had gone back and come again");
    // The time that jobs see only goes forward.
    let readings = lock(&readings).clone();
    ensure!(readings.len() >= 3, "a job saw {} times, so nothing was shown", readings.len());
    ensure!(readings.is_sorted(), "a job saw the time go back: {readings:?}");
    looking.cancel();
    turn();
    ensure!(looking.is_finished(), "a job did not end that was cancelled after the clock had gone back");
    Ok(())
}

/// A time that is far away is neither due at once nor looked at again and again.
fn no_wrap(bench: &Bench) -> Result<(), Flaw> {
    for days in [24, 25, 49, 50, 60, 400] {
        let (worker, mut crew) = Crew::new(bench, WorkerConfig::new().lanes(1).drivers(1))?;
        let job = Job::task(std::future::pending::<()>()).run_timeout(DAY * days);
        let handle = worker.try_submit(job).map_err(refused)?;
        let token = worker.child_with_timeout(DAY * days);
        crew.settle_down()?;
        for before in [DAY * days - Duration::from_secs(1), Duration::from_secs(1) - Duration::from_nanos(1)] {
            bench.tick(before);
            crew.settle_down()?;
            let early = (handle.is_finished(), token.is_cancelled());
            ensure_eq!(
                early,
                (false, false),
                "a limit of {days} days, of a job and a token: whether it was due before"
            );
        }
        bench.tick(Duration::from_nanos(1));
        crew.settle_down()?;
        let due = (handle.is_finished(), token.is_cancelled());
        ensure_eq!(due, (true, true), "a limit of {days} days, of a job and a token: whether it was due at its time");
    }
    Ok(())
}

/// After so long an uptime all times are as they were, short ones and such that pass a boundary of 32 bits of milliseconds.
async fn long_uptime(bench: &Bench, uptime: Duration) -> Result<(), Flaw> {
    bench.tick(uptime);
    let worker = bench.worker(WorkerConfig::new().lanes(8).drivers(1))?;
    let far = bench.now().checked_add(DAY * 60).unwrap_or_default();
    let short =
        bench.submit(&worker, Job::task(std::future::pending::<()>()).run_timeout(Duration::from_secs(1))).await?;
    let sleeper = Job::task_with(|context| async move {
        context.sleep(DAY * 55).await;
        context.now()
    });
    let sleeper = bench.submit(&worker, sleeper).await?;
    let dated = bench.submit(&worker, Job::task(std::future::pending::<()>()).deadline(far)).await?;
    let endless = bench.submit(&worker, Job::task(std::future::pending::<()>()).run_timeout(DAY * 400)).await?;
    let token = worker.child_with_timeout(DAY * 60);
    let begun = bench.now();
    let up = format!("after {} days", uptime.as_secs() / 86_400);
    bench.advance(&worker, Duration::from_secs(1) - Duration::from_nanos(1)).await?;
    ensure!(!short.is_finished(), "{up}: a job with a limit of one second ended before it");
    bench.advance(&worker, Duration::from_nanos(1)).await?;
    ensure!(short.is_finished(), "{up}: a job with a limit of one second did not end at it");
    bench.advance(&worker, DAY * 54).await?;
    let early = [sleeper.is_finished(), dated.is_finished(), endless.is_finished(), token.is_cancelled()];
    ensure_eq!(early, [false; 4], "{up}: what ended in the next 54 days, before its time");
    bench.advance(&worker, DAY - Duration::from_secs(1)).await?;
    let woken = bench.settled(sleeper).await?.completed();
    ensure_eq!(woken, begun.checked_add(DAY * 55), "{up}: when a job woke that slept for 55 days");
    bench.advance(&worker, DAY * 5 - Duration::from_nanos(1)).await?;
    ensure!(!dated.is_finished() && !token.is_cancelled(), "{up}: a deadline in 60 days was due before");
    bench.advance(&worker, Duration::from_nanos(1)).await?;
    ensure!(dated.is_finished() && token.is_cancelled(), "{up}: a deadline in 60 days was not due then");
    for (days, over) in [(339, false), (1, true)] {
        bench.advance(&worker, DAY * days).await?;
        ensure_eq!(endless.is_finished(), over, "{up}: whether a job with a limit of 400 days had ended");
    }
    drop((short, dated, endless));
    all_settled(bench, &worker, 4).await
}

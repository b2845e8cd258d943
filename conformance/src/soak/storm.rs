//! Storms: very many of one thing at once.

use std::future::Future;
use std::panic::panic_any;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use countermand_core::{Class, Discipline, Job, Phase, Priority, Token, WorkerConfig};
use serde::{Deserialize, Serialize};

use super::pulse::move_on;
use crate::{Bench, Flaw, Gate, Profile, ensure, ensure_eq};

/// Tokens of a storm.
const TOKENS: u64 = 1_000_000;
/// Of a chain, one token in so many is waited for: looking costs the way up to the root.
const STRIDE: usize = 31_250;
/// Timers on a lane that is blocked.
const TIMERS: u64 = 10_000;
/// Jobs that panic.
const PANICS: u64 = 10_000;

/// One that was weathered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Storm {
    pub(super) what: String,
    pub(super) millis: u64,
}

/// All of them.
///
/// # Errors
///
/// What broke.
pub(super) async fn all(bench: &Bench) -> Result<Vec<Storm>, Flaw> {
    let mut storms = Vec::new();
    let mut begun = Instant::now();
    let mut weathered = |what: String| {
        let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        storms.push(Storm { what, millis });
        begun = Instant::now();
        move_on();
    };
    wide()?;
    weathered(format!("{TOKENS} tokens of one parent cancelled, each waited for"));
    deep()?;
    weathered(format!("{TOKENS} tokens in a chain cancelled, one in {STRIDE} waited for"));
    timers(bench).await?;
    weathered(format!("{TIMERS} timers behind a blocked lane"));
    if bench.has(Profile::NONE.unwind()) && cfg!(panic = "unwind") {
        panics(bench).await?;
        weathered(format!("{PANICS} jobs that panic, in polls, in destructors and in both"));
    }
    Ok(storms)
}

#[derive(Default)]
struct Ears(AtomicU64);

impl Wake for Ears {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Waits for each of these tokens, has `cancel` cancel, and sees that each is cancelled and each waiter was woken once.
fn struck(tokens: &[Token], cancel: impl FnOnce()) -> Result<(), Flaw> {
    let ears = Arc::new(Ears::default());
    let waker = Waker::from(Arc::clone(&ears));
    let mut cx = Context::from_waker(&waker);
    let mut waits: Vec<_> = tokens.iter().map(|token| Box::pin(token.cancelled())).collect();
    for (number, wait) in waits.iter_mut().enumerate() {
        let polled = wait.as_mut().poll(&mut cx);
        ensure!(polled.is_pending(), "token {number} was cancelled before anybody did it");
    }
    cancel();
    let uncancelled = tokens.iter().filter(|token| !token.is_cancelled()).count();
    ensure_eq!(uncancelled, 0, "tokens that are not cancelled when the winning cancel has returned");
    ensure_eq!(ears.0.load(Ordering::SeqCst), tokens.len() as u64, "wake-ups of as many waiters");
    let pending = waits.iter_mut().map(|wait| wait.as_mut().poll(&mut cx)).filter(Poll::is_pending).count();
    ensure_eq!(pending, 0, "waiters that are pending after the cancel");
    drop(waits);
    ensure_eq!(Arc::strong_count(&ears), 2, "holders of the waiters' waker: this storm, twice");
    Ok(())
}

fn wide() -> Result<(), Flaw> {
    let parent = Token::new();
    let tokens: Vec<Token> = (0..TOKENS).map(|_| parent.child_token()).collect();
    struck(&tokens, || _ = parent.cancel())
}

fn deep() -> Result<(), Flaw> {
    let root = Token::new();
    let mut tokens = Vec::new();
    let mut last = root.clone();
    for _ in 0..TOKENS {
        last = last.child_token();
        tokens.push(last.clone());
    }
    drop(last);
    // The last is the deepest.
    let waited: Vec<Token> = tokens.iter().rev().step_by(STRIDE).cloned().collect();
    struck(&waited, || _ = root.cancel())
}

/// The only lane of its driver is taken; where drivers have threads of their own, by a poll that does not return. Each deadline behind it is kept
/// to the nanosecond all the same.
async fn timers(bench: &Bench) -> Result<(), Flaw> {
    let config = WorkerConfig::new().lanes(1).drivers(1).capacity(TIMERS as usize).discipline(Discipline::Strict);
    let worker = bench.worker(config.watchdog(None))?;
    let (gate, inside) = (Gate::new(), Gate::new());
    let (hold, enter, blocks) = (gate.clone(), inside.clone(), bench.drives_elsewhere());
    let holder = Job::task(async move {
        enter.open();
        if blocks {
            hold.wait_blocking();
        } else {
            hold.wait().await;
        }
    });
    let holder = bench.submit(&worker, holder.priority(Priority::Critical)).await?;
    bench.within("the holder has its lane", inside.wait()).await?;
    let step = Duration::from_micros(1);
    let after = |steps: u64| bench.now().checked_add(step * u32::try_from(steps).unwrap_or(u32::MAX));
    let mut handles = Vec::new();
    // Half of them are deadlines, half queue time-outs; the longest first, so that each is the new earliest.
    for number in (0..TIMERS).rev() {
        let job = Job::task(async {});
        let job = match after(number + 1) {
            Some(at) if number % 2 == 0 => job.deadline(at),
            _ => job.queue_timeout(step * u32::try_from(number + 1).unwrap_or(u32::MAX)),
        };
        handles.push(worker.try_submit(job).map_err(|rejected| Flaw::Broken(format!("refused: {}", rejected.reason)))?);
    }
    let due = || worker.counts().timed_out_queued;
    // A nanosecond before the middle one, at it, and at the end of all.
    let middle = TIMERS / 2;
    for (by, expected) in [
        (step * u32::try_from(middle).unwrap_or(0) - Duration::from_nanos(1), middle - 1),
        (Duration::from_nanos(1), middle),
        (step * u32::try_from(TIMERS - middle).unwrap_or(0), TIMERS),
    ] {
        bench.tick(by);
        bench.until("what is due has timed out", || due() >= expected).await?;
        ensure_eq!(due(), expected, "jobs timed out in the queue, of which so many were due");
        move_on();
    }
    for handle in handles {
        ensure_eq!(bench.settled(handle).await?.class(), Class::TimedOut(Phase::Queued), "how a queued job ended");
    }
    gate.open();
    bench.settled(holder).await?;
    bench.quiet(&worker).await?;
    let counts = worker.counts();
    ensure!(counts.balances() && counts.unsettled == 0 && counts.completed == 1, "the books say {counts:?}");
    Ok(())
}

/// A future that panics where it is told to.
struct Mine {
    poll: bool,
    drop: bool,
}

impl Future for Mine {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.poll {
            panic_any("planted in a poll");
        }
        Poll::Ready(())
    }
}

impl Drop for Mine {
    fn drop(&mut self) {
        if self.drop {
            panic_any("planted in a destructor");
        }
    }
}

async fn panics(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(4).drivers(2).capacity(PANICS as usize))?;
    let mut handles = Vec::new();
    for number in 0..PANICS {
        let mine = Mine { poll: number % 3 != 1, drop: number % 3 != 0 };
        handles.push(bench.submit(&worker, Job::task(mine)).await?);
    }
    for handle in handles {
        ensure_eq!(bench.settled(handle).await?.class(), Class::Panicked, "how a job ended that panicked");
    }
    let alive = bench.submit(&worker, Job::task(std::future::ready(7))).await?;
    ensure_eq!(bench.settled(alive).await?.completed(), Some(7), "what a job returned after the storm");
    bench.quiet(&worker).await?;
    let counts = worker.counts();
    let both = (0..PANICS).filter(|number| number % 3 == 2).count() as u64;
    ensure_eq!(
        (counts.panicked, counts.contained_panics, counts.completed, counts.unsettled),
        (PANICS, both, 1, 0),
        "panicked, contained (of the jobs that panicked twice), completed, not settled"
    );
    Ok(())
}

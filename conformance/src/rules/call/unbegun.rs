//! A closure that has not started.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use countermand_core::{
    Alarm, Assembly, Call, Cause, Class, Drive, Handle, Host, Instant, Job, Phase, Token, Worker, WorkerConfig,
};

use crate::rules::crew::{all_settled, books_are_right, lock, refused};
use crate::{Bench, Census, Check, Flaw, Gate, ensure, ensure_eq};

pub(super) async fn b2_never_starts_after_a_cancel(bench: &Bench) -> Check {
    in_the_queue(bench).await?;
    let mut runs = 1;
    for way in WAYS {
        for late in [false, true] {
            on_its_way(way, late)?;
            runs += 1;
        }
    }
    Ok(runs + race_of_begin_and_cancel(bench)?)
}

/// Behind a lane that is taken, on the host as it is.
async fn in_the_queue(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let (gate, census, parent) = (Gate::new(), Census::new(), Token::new());
    let first = bench.submit(&worker, Job::task(gate.wait())).await?;
    bench.quiet(&worker).await?;
    let ran = Arc::new(AtomicU64::new(0));
    let job = || {
        let (captured, ran) = (census.probe(), Arc::clone(&ran));
        Job::call(move |_| {
            let _captured = captured;
            ran.fetch_add(1, Ordering::SeqCst)
        })
    };
    let by_handle = bench.submit(&worker, job()).await?;
    let by_parent = bench.submit(&worker, job().parent(&parent)).await?;
    let by_time = bench.submit(&worker, job().queue_timeout(Duration::from_secs(1))).await?;
    bench.quiet(&worker).await?;
    by_handle.cancel();
    parent.cancel();
    bench.advance(&worker, Duration::from_secs(1)).await?;
    // At once: the lane is still taken.
    let unstarted = Class::Cancelled { cause: Cause::REQUESTED, started: false };
    ensure_eq!(bench.settled(by_handle).await?.class(), unstarted, "how a queued call ended that was cancelled");
    ensure_eq!(
        bench.settled(by_parent).await?.class(),
        unstarted,
        "how a queued call ended whose parent was cancelled"
    );
    ensure_eq!(bench.settled(by_time).await?.class(), Class::TimedOut(Phase::Queued), "how it ended at its time-out");
    ensure!(!first.is_finished(), "the lane became free");
    census.each_once("what calls captured that were cancelled in the queue")?;
    gate.open();
    bench.settled(first).await?;
    all_settled(bench, &worker, 4).await?;
    ensure_eq!(ran.load(Ordering::SeqCst), 0, "closures run that were cancelled in the queue");
    Ok(())
}

/// A host whose threads are all busy: it keeps what it is given until the rule runs it.
#[derive(Default)]
struct Busy {
    now: AtomicU64,
    calls: Mutex<VecDeque<Call>>,
}

struct Deaf;

impl Alarm for Deaf {
    fn poll_at(self: Pin<&mut Self>, _: Instant, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Host for Busy {
    type Alarm = Deaf;

    fn now(&self) -> Instant {
        Instant::from_nanos(self.now.load(Ordering::SeqCst))
    }

    fn alarm(&self) -> Deaf {
        Deaf
    }

    fn offload(&self, call: Call) -> Result<(), Call> {
        lock(&self.calls).push_back(call);
        Ok(())
    }

    fn has_threads(&self) -> bool {
        true
    }
}

/// A call that was given to the host and not begun.
struct Scene {
    host: Arc<Busy>,
    worker: Worker,
    attendants: Mutex<Vec<Pin<Box<Drive<Busy>>>>>,
    handle: Handle<u64>,
    parent: Token,
    ran: Arc<AtomicU64>,
    census: Census,
}

impl Scene {
    fn new() -> Result<Self, Flaw> {
        let (host, census, parent) = (Arc::new(Busy::default()), Census::new(), Token::new());
        let config = WorkerConfig::new().lanes(1).drivers(1);
        let assembly = Assembly::new(config, Arc::clone(&host)).map_err(|error| Flaw::Broken(error.to_string()))?;
        let (worker, attendants) = assembly.into_parts();
        let ran = Arc::new(AtomicU64::new(0));
        let (captured, count) = (census.probe(), Arc::clone(&ran));
        let job = Job::call(move |_| {
            let _captured = captured;
            count.fetch_add(1, Ordering::SeqCst) + 70
        });
        let handle = worker.try_submit(job.parent(&parent).run_timeout(Duration::from_secs(1))).map_err(refused)?;
        let attendants = Mutex::new(attendants.into_iter().map(Box::pin).collect());
        let scene = Self { host, worker, attendants, handle, parent, ran, census };
        scene.turn();
        ensure_eq!(lock(&scene.host.calls).len(), 1, "calls given to the host");
        Ok(scene)
    }

    fn turn(&self) {
        for attendant in &mut *lock(&self.attendants) {
            let _ = attendant.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
    }

    /// The host has a thread for it now.
    fn run_the_call(&self) {
        let call = lock(&self.host.calls).pop_front();
        if let Some(call) = call {
            call.run();
        }
    }

    fn ran(&self) -> u64 {
        self.ran.load(Ordering::SeqCst)
    }
}

/// What happens to the call before the host has a thread for it.
#[derive(Clone, Copy, Debug)]
enum Way {
    Cancel,
    Parent,
    Timeout,
    Vanish,
}

const WAYS: [Way; 4] = [Way::Cancel, Way::Parent, Way::Timeout, Way::Vanish];

/// Given to the host, not begun, and cancelled. The thread comes after the worker has noticed (`late`), or before.
fn on_its_way(way: Way, late: bool) -> Result<(), Flaw> {
    let scene = Scene::new()?;
    match way {
        Way::Cancel => _ = scene.handle.cancel(),
        Way::Parent => _ = scene.parent.cancel(),
        Way::Timeout => {
            scene.host.now.fetch_add(1_000_000_000, Ordering::SeqCst);
            scene.turn();
        }
        Way::Vanish => lock(&scene.attendants).clear(),
    }
    if late {
        scene.turn();
        ensure!(
            scene.handle.is_finished(),
            "{way:?}: a call that has not begun, and will not for long, has not settled when its worker had its turn"
        );
        scene.census.each_once("what the call captured")?;
    }
    scene.run_the_call();
    scene.turn();
    ensure_eq!(scene.ran(), 0, "{way:?}: closures run that had not begun when they were cancelled (late: {late})");
    scene.census.each_once("what the call captured")?;
    books_are_right(&scene.worker, 1)?;
    let mut handle = scene.handle;
    let Poll::Ready(outcome) = Pin::new(&mut handle).poll(&mut Context::from_waker(Waker::noop())) else {
        return Err(Flaw::Broken(format!("{way:?}: the call never settled (late: {late})")));
    };
    let expected = match way {
        Way::Cancel | Way::Parent => Class::Cancelled { cause: Cause::REQUESTED, started: false },
        Way::Timeout => Class::TimedOut(Phase::Queued),
        Way::Vanish => Class::Cancelled { cause: Cause::SHUTDOWN, started: false },
    };
    ensure_eq!(outcome.class(), expected, "{way:?}: how a call ended that had not begun (late: {late})");
    Ok(())
}

/// The host's thread begins it while somebody cancels it: it ran and is completed, or it did not and is cancelled.
fn race_of_begin_and_cancel(bench: &Bench) -> Check {
    let run = |scene: &Result<Scene, Flaw>| {
        if let Ok(scene) = scene {
            scene.run_the_call();
        }
    };
    let cancel = |scene: &Result<Scene, Flaw>| {
        if let Ok(scene) = scene {
            scene.handle.cancel();
            scene.turn();
        }
    };
    bench.race(
        bench.rounds(400),
        |_| Scene::new(),
        &[&run, &cancel],
        |round, scene| {
            let scene = scene?;
            scene.turn();
            let ran = scene.ran();
            let mut handle = scene.handle;
            let Poll::Ready(outcome) = Pin::new(&mut handle).poll(&mut Context::from_waker(Waker::noop())) else {
                return Err(Flaw::Broken(format!("round {round}: the call (run {ran} times) never settled")));
            };
            let expected = match ran {
                0 => Class::Cancelled { cause: Cause::REQUESTED, started: false },
                _ => Class::Completed,
            };
            ensure!(
                ran < 2 && outcome.class() == expected,
                "round {round}: a call that ran {ran} times settled as {:?}",
                outcome.class()
            );
            scene.census.each_once(&format!("round {round}: what the call captured"))?;
            books_are_right(&scene.worker, 1)
        },
    )
}

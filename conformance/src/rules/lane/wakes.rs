//! Wakes that come at the wrong moment: between a pop and a park, twice, late, and when there is nobody any more.

use std::future::poll_fn;
use std::prelude::v1::*;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use countermand_core::{Class, Handle, Job, Worker, WorkerConfig};

use crate::rules::crew::{Attendant, Crew, lock, refused};
use crate::{Bench, Check, Flaw, Profile, Recorder, Touch, ensure, ensure_eq};

pub(super) async fn l5_no_wake_is_lost_and_late_ones_are_harmless(bench: &Bench) -> Check {
    crate::rules::queue::items::l5_no_item_is_missed()?;
    let mut runs = 0;
    for what in [Meanwhile::WakesTheJob, Meanwhile::Submits, Meanwhile::Cancels] {
        between_pop_and_park(bench, what)?;
        runs += 1 + race_with_park(bench, what)?;
    }
    keeper_between_pop_and_park(bench)?;
    late_and_double(bench).await?;
    nobody_any_more(bench).await?;
    Ok(runs + 3)
}

/// A task that ends when it is told to, and keeps its waker where the rule can take it.
#[derive(Clone, Default)]
struct Sleeper {
    told: Arc<AtomicBool>,
    polls: Arc<AtomicU64>,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl Sleeper {
    fn task(&self) -> impl Future<Output = ()> + Send + use<> {
        let sleeper = self.clone();
        poll_fn(move |cx| {
            sleeper.polls.fetch_add(1, Ordering::SeqCst);
            let old = lock(&sleeper.waker).replace(cx.waker().clone());
            drop(old);
            if sleeper.told.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        })
    }

    fn waker(&self) -> Option<Waker> {
        lock(&self.waker).clone()
    }

    fn tell(&self) {
        self.told.store(true, Ordering::SeqCst);
        if let Some(waker) = self.waker() {
            waker.wake();
        }
    }

    fn polls(&self) -> u64 {
        self.polls.load(Ordering::SeqCst)
    }
}

/// What happens while an attendant is about to park.
#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    WakesTheJob,
    Submits,
    Cancels,
}

/// A worker with a job that waits, and what is to be done.
struct Scene {
    worker: Worker,
    crew: Mutex<Crew>,
    sleeper: Sleeper,
    handle: Handle<()>,
    late: Mutex<Option<Handle<()>>>,
}

impl Scene {
    fn new(bench: &Bench) -> Result<Self, Flaw> {
        let (worker, mut crew) = Crew::new(bench, WorkerConfig::new().lanes(2).drivers(1))?;
        let sleeper = Sleeper::default();
        let handle = worker.try_submit(Job::task(sleeper.task())).map_err(refused)?;
        crew.turn(0);
        Ok(Self { worker, crew: Mutex::new(crew), sleeper, handle, late: Mutex::default() })
    }

    fn act(&self, what: Meanwhile) {
        match what {
            Meanwhile::WakesTheJob => self.sleeper.tell(),
            Meanwhile::Submits => {
                let submitted = self.worker.try_submit(Job::task(async {}));
                *lock(&self.late) = submitted.ok();
            }
            Meanwhile::Cancels => _ = self.handle.cancel(),
        }
    }

    /// Whether what was done has had its effect.
    fn has_come(&self, what: Meanwhile) -> bool {
        match what {
            Meanwhile::WakesTheJob | Meanwhile::Cancels => self.handle.is_finished(),
            Meanwhile::Submits => lock(&self.late).as_ref().is_some_and(Handle::is_finished),
        }
    }
}

/// Exactly between: when a driver that has found nothing clones the waker that it parks with.
fn between_pop_and_park(bench: &Bench, what: Meanwhile) -> Result<(), Flaw> {
    let (worker, attendants) = bench.parts(WorkerConfig::new().lanes(2).drivers(1))?;
    let mut attendants: Vec<_> = attendants.into_iter().map(Attendant::new).collect();
    let sleeper = Sleeper::default();
    let handle = worker.try_submit(Job::task(sleeper.task())).map_err(refused)?;
    attendants.iter_mut().for_each(|attendant| _ = attendant.turn());
    let scene = Arc::new(Scene { worker, crew: Mutex::new(Crew::default()), sleeper, handle, late: Mutex::default() });
    let theirs = Arc::clone(&scene);
    parks_meanwhile(&mut attendants[0], move || theirs.act(what), || scene.has_come(what))?;
    ensure!(scene.has_come(what), "{what:?}, exactly while a driver went to park, and the driver sleeps on");
    Ok(())
}

/// The same of the keeper: a queued job is cancelled, which is nobody's business but its (Q4).
fn keeper_between_pop_and_park(bench: &Bench) -> Result<(), Flaw> {
    let (worker, mut crew) = Crew::new(bench, WorkerConfig::new().lanes(1).drivers(1))?;
    let mut keeper = crew.give_away(1);
    let running = worker.try_submit(Job::task(std::future::pending::<()>())).map_err(refused)?;
    crew.settle_down()?;
    let queued = Arc::new(worker.try_submit(Job::task(async {})).map_err(refused)?);
    let cancelled = Arc::clone(&queued);
    parks_meanwhile(&mut keeper, move || _ = cancelled.cancel(), || queued.is_finished())?;
    ensure!(
        queued.is_finished(),
        "a queued job was cancelled, exactly while the keeper went to park, and it sleeps on"
    );
    ensure!(!running.is_finished(), "the job in the only lane has ended");
    Ok(())
}

/// Has the attendant go to park, and something happen when it clones the waker that it parks with. If it does not go on by itself
/// until that has had its effect, somebody must have woken it.
fn parks_meanwhile(
    attendant: &mut Attendant,
    act: impl Fn() + Send + Sync + 'static,
    has_come: impl Fn() -> bool,
) -> Result<(), Flaw> {
    let acted = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&acted);
    let recorder = Recorder::acting(move |touch| {
        if touch == Touch::Clone && !done.swap(true, Ordering::SeqCst) {
            act();
        }
    });
    let waker = recorder.waker();
    attendant.poll(&waker);
    ensure!(acted.load(Ordering::SeqCst), "an attendant parked without a waker, so nothing was shown");
    while recorder.wakes() > 0 && !has_come() {
        let wakes = recorder.wakes();
        attendant.poll(&waker);
        if recorder.wakes() == wakes {
            break;
        }
    }
    recorder.calm();
    Ok(())
}

fn race_with_park(bench: &Bench, what: Meanwhile) -> Check {
    let turn = |scene: &Result<Scene, Flaw>| {
        if let Ok(scene) = scene {
            let _ = lock(&scene.crew).settle_down();
        }
    };
    let act = |scene: &Result<Scene, Flaw>| {
        if let Ok(scene) = scene {
            scene.act(what);
        }
    };
    bench.race(
        bench.rounds(300),
        |_| Scene::new(bench),
        &[&turn, &act],
        |round, scene| {
            let scene = scene?;
            // Only who was woken is polled.
            lock(&scene.crew).settle_down()?;
            ensure!(
                scene.has_come(what),
                "round {round}: {what:?} while a driver went to park, and the driver sleeps on"
            );
            Ok(())
        },
    )
}

/// A waker of a job that is over, and many wakes at once, cost turns and change nothing.
async fn late_and_double(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let first = Sleeper::default();
    let handle = bench.submit(&worker, Job::task(first.task())).await?;
    bench.quiet(&worker).await?;
    let stale = first.waker().ok_or_else(|| Flaw::Broken("a running job was not polled".to_owned()))?;
    for _ in 0..5 {
        stale.wake_by_ref();
    }
    bench.quiet(&worker).await?;
    let polls = first.polls();
    ensure!((2..=6).contains(&polls), "five wakes led to {} polls of a waiting job", polls - 1);
    first.tell();
    bench.settled(handle).await?;
    // An empty lane.
    stale.wake_by_ref();
    bench.quiet(&worker).await?;
    ensure_eq!(first.polls(), polls + 1, "polls of a job, of which none after its end");
    // The next one in the lane.
    let second = Sleeper::default();
    let handle = bench.submit(&worker, Job::task(second.task())).await?;
    bench.quiet(&worker).await?;
    for round in 0..20 {
        let before = second.polls();
        stale.wake_by_ref();
        stale.wake_by_ref();
        bench.quiet(&worker).await?;
        ensure!(
            second.polls() - before <= 2,
            "round {round}: two stale wakes led to {} polls",
            second.polls() - before
        );
        ensure!(!handle.is_finished(), "a stale wake ended the next job in the lane");
    }
    ensure_eq!(handle.token().cause(), None, "cause in the token of the next job");
    second.tell();
    ensure_eq!(bench.settled(handle).await?.class(), Class::Completed, "how the next job ended");
    Ok(())
}

/// The wakers outlive the job, the lane, the attendants and the worker; they are used and dropped on another thread.
async fn nobody_any_more(bench: &Bench) -> Result<(), Flaw> {
    for settle_first in [true, false] {
        let (worker, mut crew) = Crew::new(bench, WorkerConfig::new().lanes(2).drivers(1))?;
        let sleepers = [Sleeper::default(), Sleeper::default()];
        let handles = sleepers.each_ref().map(|sleeper| worker.try_submit(Job::task(sleeper.task())).map_err(refused));
        crew.settle_down()?;
        let wakers: Vec<Waker> = sleepers.iter().filter_map(Sleeper::waker).collect();
        ensure_eq!(wakers.len(), 2, "jobs that were polled");
        if settle_first {
            sleepers.iter().for_each(Sleeper::tell);
            crew.settle_down()?;
        }
        drop(crew);
        drop(worker);
        let polls: Vec<u64> = sleepers.iter().map(Sleeper::polls).collect();
        for handle in handles {
            let finished = handle.is_ok_and(|handle| handle.is_finished());
            ensure!(finished, "a job is not settled after its worker is gone");
        }
        let outlived = move || {
            for waker in &wakers {
                waker.wake_by_ref();
                let last = waker.clone();
                last.wake();
                let _ = waker.will_wake(Waker::noop());
            }
            drop(wakers);
        };
        match bench.has(Profile::NONE.threads()) {
            true => bench.on_thread("wakers are used that have outlived their worker", outlived).await?,
            false => outlived(),
        }
        let after: Vec<u64> = sleepers.iter().map(Sleeper::polls).collect();
        ensure_eq!(after, polls, "polls of jobs whose worker is gone");
        // Those that the sleepers kept are dropped now.
        for sleeper in &sleepers {
            let kept = sleeper.waker.lock().unwrap_or_else(PoisonError::into_inner).take();
            drop(kept);
        }
    }
    Ok(())
}

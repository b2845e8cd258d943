//! Attendants of a worker in the hands of a rule: each is polled only when it was woken, as a host does it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::prelude::v1::*;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use countermand_core::{
    Class, JobId, JobInfo, Observer, Priority, RejectReason, Rejected, Settled, Worker, WorkerConfig,
};

use crate::{Bench, Flaw, Profile, SendFuture, ensure, ensure_eq};

/// After so many polls a worker that was left alone counts as restless.
const RESTLESS: u64 = 100_000;

/// The drivers, and the keeper as the last.
#[derive(Default)]
pub(super) struct Crew(Vec<Attendant>);

impl Crew {
    pub(super) fn new(bench: &Bench, config: WorkerConfig) -> Result<(Worker, Self), Flaw> {
        let (worker, attendants) = bench.parts(config)?;
        Ok((worker, Self(attendants.into_iter().map(Attendant::new).collect())))
    }

    /// Polls whoever was woken, in turn, until nobody is. Returns how many polls that took.
    ///
    /// # Errors
    ///
    /// [`Flaw::Broken`] if they never come to rest.
    pub(super) fn settle_down(&mut self) -> Result<u64, Flaw> {
        let mut polls = 0;
        loop {
            let turned = self.0.iter_mut().map(|attendant| u64::from(attendant.turn())).sum::<u64>();
            polls += turned;
            if turned == 0 {
                return Ok(polls);
            }
            ensure!(polls < RESTLESS, "{polls} polls of its attendants did not bring a worker to rest");
        }
    }

    /// Polls one, if it was woken.
    pub(super) fn turn(&mut self, place: usize) -> bool {
        self.0[place].turn()
    }

    /// How many wake-ups all of them have had.
    pub(super) fn wakes(&self) -> u64 {
        self.0.iter().map(|attendant| attendant.bell.rings.load(Ordering::SeqCst)).sum()
    }

    /// Gives one away, to be polled elsewhere. Those after it move up.
    pub(super) fn give_away(&mut self, place: usize) -> Attendant {
        self.0.remove(place)
    }

    /// Takes one in, as the first.
    pub(super) fn take_in(&mut self, attendant: Attendant) {
        self.0.insert(0, attendant);
    }

    /// How many have not left.
    pub(super) fn present(&self) -> usize {
        self.0.iter().filter(|attendant| attendant.future.is_some()).count()
    }
}

/// One of them.
pub(super) struct Attendant {
    future: Option<SendFuture>,
    bell: Arc<Bell>,
}

impl Attendant {
    pub(super) fn new(future: SendFuture) -> Self {
        let bell = Arc::new(Bell { rung: AtomicBool::new(true), rings: AtomicU64::new(0), sleeper: Mutex::default() });
        Self { future: Some(future), bell }
    }

    /// Polls it if it was woken. Whether it was.
    pub(super) fn turn(&mut self) -> bool {
        self.future.is_some() && self.bell.rung.swap(false, Ordering::SeqCst) && {
            self.poll(&Waker::from(Arc::clone(&self.bell)));
            true
        }
    }

    /// Wakes it, and the thread it lives on.
    pub(super) fn caller(&self) -> Waker {
        Waker::from(Arc::clone(&self.bell))
    }

    /// Polls it with this waker.
    pub(super) fn poll(&mut self, waker: &Waker) {
        let polled = self.future.as_mut().map(|future| future.as_mut().poll(&mut Context::from_waker(waker)));
        if polled == Some(Poll::Ready(())) {
            self.future = None;
        }
    }

    /// Polls it on this thread, whenever it was woken, until it leaves or `enough` says so (which is looked at after each wake-up).
    pub(super) fn live_here(&mut self, enough: impl Fn() -> bool) {
        *lock(&self.bell.sleeper) = Some(thread::current());
        while self.future.is_some() && !enough() {
            if !self.turn() {
                thread::park();
            }
        }
        *lock(&self.bell.sleeper) = None;
    }
}

struct Bell {
    rung: AtomicBool,
    rings: AtomicU64,
    sleeper: Mutex<Option<Thread>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rings.fetch_add(1, Ordering::SeqCst);
        self.rung.store(true, Ordering::SeqCst);
        let sleeper = lock(&self.sleeper).clone();
        if let Some(sleeper) = sleeper {
            sleeper.unpark();
        }
    }
}

/// What a worker tells of its jobs. Clones write into the same list.
#[derive(Clone, Debug, Default)]
pub(super) struct Witness(Arc<Mutex<Vec<Told>>>);

/// One thing it told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Started(JobId),
    Settled(JobId, Class),
    Rejected(RejectReason),
    Evicted(JobId),
    Stalled(JobId, String, std::time::Duration),
}

impl Witness {
    /// As the observer of a worker.
    pub(super) fn observer(&self) -> Arc<dyn Observer> {
        Arc::new(self.clone())
    }

    pub(super) fn told(&self) -> Vec<Told> {
        lock(&self.0).clone()
    }

    /// How this job ended, if it has. An end that was told twice is the first and the second.
    pub(super) fn ends_of(&self, job: JobId) -> Vec<Class> {
        let ends = |told: &Told| match told {
            Told::Settled(id, class) if *id == job => Some(*class),
            _ => None,
        };
        lock(&self.0).iter().filter_map(ends).collect()
    }

    fn note(&self, told: Told) {
        lock(&self.0).push(told);
    }
}

impl Observer for Witness {
    fn started(&self, job: &JobInfo) {
        self.note(Told::Started(job.id));
    }

    fn settled(&self, job: &JobInfo, settled: &Settled) {
        self.note(Told::Settled(job.id, settled.class));
    }

    fn rejected(&self, reason: RejectReason, _: Priority) {
        self.note(Told::Rejected(reason));
    }

    fn evicted(&self, job: &JobInfo) {
        self.note(Told::Evicted(job.id));
    }

    fn stalled(&self, job: &JobInfo, held: std::time::Duration) {
        self.note(Told::Stalled(job.id, job.name.to_string(), held));
    }
}

/// Waits until the worker, which nobody has shut down, has settled every job it accepted, and looks at its books.
///
/// # Errors
///
/// [`Flaw::Broken`] if it does not, or if the books are wrong.
pub(super) async fn all_settled(bench: &Bench, worker: &Worker, accepted: u64) -> Result<(), Flaw> {
    let settled = || worker.counts().settled() == accepted;
    let result = bench.until("every accepted job has settled", settled).await;
    result.map_err(|flaw| Flaw::Broken(format!("{flaw}: {:?}, {:?}", worker.counts(), worker.jobs())))?;
    bench.quiet(worker).await?;
    books_are_right(worker, accepted)
}

/// As [`all_settled`] says, here and now.
pub(super) fn books_are_right(worker: &Worker, accepted: u64) -> Result<(), Flaw> {
    let counts = worker.counts();
    ensure_eq!(counts.accepted, accepted, "jobs accepted, in {counts:?}");
    ensure!(counts.balances() && counts.unsettled == 0, "the books do not add up when all has settled: {counts:?}");
    ensure_eq!((worker.queued(), worker.running()), (0, 0), "queued and running when all has settled");
    ensure!(worker.jobs().is_empty(), "all has settled, but the worker lists {:?}", worker.jobs());
    Ok(())
}

/// A job that must be accepted was not.
pub(super) fn refused<J>(rejected: Rejected<J>) -> Flaw {
    Flaw::Broken(format!("a job was rejected: {:?}", rejected.reason))
}

/// Whether the host runs blocking closures.
pub(super) fn runs_calls(bench: &Bench) -> bool {
    bench.has(Profile::NONE.blocking())
}

/// Whether a panic unwinds.
pub(super) fn unwinds(bench: &Bench) -> bool {
    cfg!(panic = "unwind") && bench.has(Profile::NONE.unwind())
}

/// Catches a planted panic, whose message goes to the child's standard error.
pub(super) fn quietly<R>(act: impl FnOnce() -> R) -> thread::Result<R> {
    catch_unwind(AssertUnwindSafe(act))
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

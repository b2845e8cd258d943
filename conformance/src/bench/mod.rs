//! The bench: what a rule works with, the same on every host.
//!
//! # For authors of rules
//!
//! A rule is an `async fn xN_what_holds(bench: &Bench) -> Check` in the file of its group under `rules/`, registered there
//! with `rules!`. It runs in the place where a user's program would run on that host, in a process of its own, once. It
//! returns `Ok(runs)` when the rule held over so many runs, or a [`Flaw`]; [`ensure!`](crate::ensure),
//! [`ensure_eq!`](crate::ensure_eq) and `?` return the flaw with what was *seen*.
//!
//! ```text
//! async fn j2_cancelled_before_its_first_poll(bench: &Bench) -> Check {
//!     let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
//!     let gate = Gate::new();
//!     let first = bench.submit(&worker, Job::task(gate.wait())).await?;      // fills the only lane
//!     bench.quiet(&worker).await?;                                          // … and is known to wait there
//!     let polled = Arc::new(AtomicBool::new(false));
//!     let victim = bench.submit(&worker, Job::task(sets(&polled))).await?;
//!     victim.cancel();
//!     let outcome = bench.settled(victim).await?;
//!     gate.open();
//!     bench.settled(first).await?;
//!     ensure!(!polled.load(SeqCst), "the job was polled although it was cancelled first: {outcome:?}");
//!     Ok(1)
//! }
//! ```
//!
//! | to | use |
//! | --- | --- |
//! | have a worker | [`Bench::worker`], whose clock stands still unless the rule moves it |
//! | let time pass, exactly | [`Bench::advance`] |
//! | have the host's timer be late | [`Bench::deafen`], then `advance` |
//! | have an early or spurious alarm | [`Bench::ring_alarms`] |
//! | submit a job that must be accepted, await one that must settle | [`Bench::submit`], [`Bench::settled`] |
//! | step or drop the attendants oneself | [`Bench::parts`] |
//! | stop a runtime under a worker | [`Bench::doomed_worker`] |
//! | have something happen in the middle of a submit | [`Bench::before_the_next_look`] |
//! | use the host's own clock and timers | [`Bench::running_worker`] |
//! | know that nothing more will happen by itself | [`Bench::quiet`] |
//! | wait for something that must come | [`Bench::within`], which polls only when woken, so a lost wake-up is seen |
//! | look until something is so | [`Bench::until`] |
//! | force an order | [`Gate`](crate::Gate): `wait().await` in a task, `wait_blocking()` in a call or thread, `open()` |
//! | count drops and see their threads | [`Census`](crate::Census), [`Probe`](crate::Probe) |
//! | see what is done to a waker | [`Recorder`](crate::Recorder) with [`poll`](crate::poll) |
//! | count allocations | [`Bench::allocations`] |
//! | race threads, over and over | [`Bench::race`] with [`Bench::rounds`] |
//! | be on a thread without a runtime | [`Bench::on_thread`] |
//! | be in a task of the host that is no job | [`Bench::spawn`] |
//!
//! No rule sleeps. `rounds(base)` scales with the budget: choose `base` so that a release build takes about a tenth of a
//! second. Everything random comes from [`Bench::random`], so that a seed replays.

mod doomed;
mod race;
mod thread;
mod wait;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use countermand_core::{ConfigError, Handle, Instant, Job, Outcome, SubmitResult, Work, Worker, WorkerConfig};

pub use doomed::DoomedWorker;
#[cfg(feature = "mutants")]
pub(crate) use wait::IN_VAIN;
pub(crate) use wait::yield_now;

use crate::ground::{Ground, SendFuture};
use crate::patience::Patience;
use crate::probe::Tally;
use crate::warped::{Clock, Pace};
use crate::{Flaw, Profile};

/// Where the still clock starts: far enough from its origin that a rule may look back.
const START: Duration = Duration::from_secs(1_000);

/// How a rule is to be examined.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    /// What everything random comes from.
    pub(crate) seed: u64,
    /// How many times as much as usual is done where more runs see more.
    pub(crate) effort: f64,
    /// How long something that must come is waited for.
    pub(crate) patience: Duration,
    /// When the watchdog ends the process.
    pub(crate) watchdog: Duration,
}

/// What a rule works with. See the head of this module for what to use when.
pub struct Bench {
    ground: Box<dyn Ground>,
    still: Arc<Clock>,
    running: Arc<Clock>,
    order: Order,
    forks: Cell<u64>,
    raced: Cell<u64>,
    left_out: RefCell<Vec<String>>,
    begun: std::time::Instant,
}

impl Bench {
    pub(crate) fn new(ground: Box<dyn Ground>, order: Order) -> Self {
        Self {
            ground,
            still: Arc::new(Clock::new(Pace::Still, START)),
            running: Arc::new(Clock::new(Pace::Running, Duration::ZERO)),
            order,
            forks: Cell::new(0),
            raced: Cell::new(0),
            left_out: RefCell::default(),
            begun: std::time::Instant::now(),
        }
    }

    /// The host's name.
    #[must_use]
    pub fn host_name(&self) -> &'static str {
        self.ground.name()
    }

    /// What the target has.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.ground.profile()
    }

    /// Whether drivers run on other threads than this one.
    pub(crate) fn drives_elsewhere(&self) -> bool {
        self.ground.drives_elsewhere()
    }

    /// The seed of this run.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.order.seed
    }

    /// As much patience as there is for what must come.
    pub(crate) fn patience(&self) -> Patience {
        Patience::new(self.order.patience)
    }

    /// Whether the target has all of `what`. If not, that part of the rule is said to have been left out.
    #[must_use]
    pub fn has(&self, what: Profile) -> bool {
        let missing = what.beyond(self.profile());
        if missing != Profile::NONE {
            self.leave_out(format!("{} declares a target without {missing}", self.host_name()));
        }
        missing == Profile::NONE
    }

    /// Says that a part of the rule was left out, and why; a rule that passes is reported with it.
    pub fn leave_out(&self, why: impl Into<String>) {
        let why = why.into();
        let mut left_out = self.left_out.borrow_mut();
        if !left_out.contains(&why) {
            left_out.push(why);
        }
    }

    /// What was left out, and why.
    pub(crate) fn left_out(&self) -> Vec<String> {
        self.left_out.borrow().clone()
    }

    fn lacks(&self, why: String) -> Flaw {
        self.leave_out(why.clone());
        Flaw::NotApplicable(why)
    }

    /// A new source of random numbers; the n-th one asked for in a run is always the same for a seed.
    #[must_use]
    pub fn random(&self) -> fastrand::Rng {
        let fork = self.forks.get();
        self.forks.set(fork + 1);
        fastrand::Rng::with_seed(self.order.seed ^ fork.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// `base`, scaled by the budget; at least one.
    #[must_use]
    pub fn rounds(&self, base: u64) -> u64 {
        ((base as f64 * self.order.effort) as u64).max(1)
    }

    /// The time of the still clock, which only [`tick`](Self::tick) and `advance` move.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.still.now(|| self.ground.now())
    }

    /// The time of the running clock: the host's, and what the rule added.
    #[must_use]
    pub fn running_now(&self) -> Instant {
        self.running.now(|| self.ground.now())
    }

    /// Moves both clocks, wakes the alarms that are due by it, and returns at once. Usually `advance` is what you want.
    pub fn tick(&self, by: Duration) {
        self.still.advance(by);
        self.running.advance(by);
    }

    /// Wakes every alarm of the still clock, due or not.
    pub fn ring_alarms(&self) {
        self.still.ring_all();
    }

    /// While deaf, moving the still clock wakes no alarm: the host's timer is late.
    pub fn deafen(&self, deaf: bool) {
        self.still.deafen(deaf);
    }

    /// Runs `act` before this thread looks at the still clock next: in the middle of whatever looks, such as a
    /// submit between its first look at the worker and its entry into the queue. Looks of other threads do not count: a worker that
    /// the rule has done with may still have a driver. Use it with [`parts`](Self::parts), so that nobody else looks on this one.
    pub fn before_the_next_look(&self, act: impl FnOnce() + Send + 'static) {
        self.still.before_the_next_look(act);
    }

    /// How many alarms of the still clock are set.
    #[must_use]
    pub fn alarms_set(&self) -> usize {
        self.still.alarms_set()
    }

    /// How many alarms of the running clock are set.
    #[must_use]
    pub fn running_alarms_set(&self) -> usize {
        self.running.alarms_set()
    }

    /// A worker on the host, on the still clock: nothing is due before the rule moves the time.
    ///
    /// # Errors
    ///
    /// [`Flaw::Broken`] if the configuration is refused. Rules about refusals use [`try_worker`](Self::try_worker).
    pub fn worker(&self, config: WorkerConfig) -> Result<Worker, Flaw> {
        self.try_worker(config).map_err(refused)
    }

    /// As [`worker`](Self::worker).
    ///
    /// # Errors
    ///
    /// What the core says to the configuration.
    pub fn try_worker(&self, config: WorkerConfig) -> Result<Worker, ConfigError> {
        self.ground.start(config, &self.still)
    }

    /// A worker on the host, on the running clock: the host's own clock and timers.
    ///
    /// # Errors
    ///
    /// [`Flaw::Broken`] if the configuration is refused.
    pub fn running_worker(&self, config: WorkerConfig) -> Result<Worker, Flaw> {
        self.ground.start(config, &self.running).map_err(refused)
    }

    /// A worker on the still clock whose attendants the rule polls, or drops, itself: the drivers, and the keeper as the last.
    ///
    /// # Errors
    ///
    /// [`Flaw::Broken`] if the configuration is refused.
    pub fn parts(&self, config: WorkerConfig) -> Result<(Worker, Vec<SendFuture>), Flaw> {
        self.ground.parts(config, &self.still).map_err(refused)
    }

    /// A worker on the still clock and on a second runtime of the same kind, which the rule is going to stop.
    ///
    /// # Errors
    ///
    /// [`Flaw::NotApplicable`] where the host has no runtime to stop, [`Flaw::Broken`] if the configuration is refused.
    pub fn doomed_worker(&self, config: WorkerConfig) -> Result<DoomedWorker, Flaw> {
        let doomed = self.ground.doomed(self.random().u64(..), config, &self.still);
        let none = || self.lacks(format!("{} is no runtime that could be stopped under a worker", self.host_name()));
        let (worker, stop) = doomed.ok_or_else(none)?.map_err(refused)?;
        Ok(DoomedWorker { worker, stop })
    }

    /// Submits a job that must be accepted, waiting for a place if need be.
    ///
    /// # Errors
    ///
    /// [`Flaw::Broken`] if it is not.
    pub async fn submit<W: Work>(&self, worker: &Worker, job: Job<W>) -> Result<Handle<W::Value, W::Error>, Flaw> {
        let label = job.label().to_owned();
        let submitted: SubmitResult<W> = self.within(&format!("job {label:?} is accepted"), worker.submit(job)).await?;
        submitted.map_err(|rejected| Flaw::Broken(format!("job {label:?} was rejected: {:?}", rejected.reason)))
    }

    /// Awaits a job that must settle.
    ///
    /// # Errors
    ///
    /// [`Flaw::Broken`] if it does not.
    pub async fn settled<T, E>(&self, handle: Handle<T, E>) -> Result<Outcome<T, E>, Flaw> {
        self.within(&format!("{:?} settles", handle.id()), handle).await
    }

    /// Waits until the worker has nothing to do: every attendant is parked, none has been rung, nothing of theirs is due.
    ///
    /// A call that runs on a thread does not count; wait for its end by a gate, a handle or `until`.
    ///
    /// # Errors
    ///
    /// [`Flaw::Broken`] if it never is.
    pub async fn quiet(&self, worker: &Worker) -> Result<(), Flaw> {
        let result = self.until("the worker is quiet", || worker.is_quiet()).await;
        result.map_err(|flaw| match flaw {
            Flaw::Broken(why) => {
                let (queued, running, jobs) = (worker.queued(), worker.running(), worker.jobs());
                Flaw::Broken(format!("{why}: {queued} queued, {running} running, {jobs:?}"))
            }
            other => other,
        })
    }

    /// Lets exactly `by` pass: waits until the worker is quiet, moves the time, and waits until it is quiet again.
    ///
    /// # Errors
    ///
    /// As [`quiet`](Self::quiet).
    pub async fn advance(&self, worker: &Worker, by: Duration) -> Result<(), Flaw> {
        self.quiet(worker).await?;
        self.tick(by);
        self.quiet(worker).await
    }

    /// How often alarms of either clock were polled.
    #[must_use]
    pub fn alarm_polls(&self) -> u64 {
        self.still.alarm_polls() + self.running.alarm_polls()
    }

    /// Runs a future that is no job as a task of the same host.
    ///
    /// # Errors
    ///
    /// [`Flaw::NotApplicable`] where the host runs nothing but workers.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Result<(), Flaw> {
        let refused =
            |_: SendFuture| self.lacks(format!("{} runs no tasks beside its workers' attendants", self.host_name()));
        self.ground.spawn(Box::pin(future)).map_err(refused)
    }

    /// How many allocations `act` makes on this thread.
    ///
    /// # Errors
    ///
    /// [`Flaw::Inconclusive`] if the program does not count ([`main!`](crate::main) and [`tests!`](crate::tests) do).
    pub fn allocations<R>(&self, act: impl FnOnce() -> R) -> Result<(u64, R), Flaw> {
        let deaf =
            || Flaw::Inconclusive("this program does not count allocations; main! installs what does".to_owned());
        let before = Tally::here().ok_or_else(deaf)?;
        let result = act();
        let after = Tally::here().ok_or_else(deaf)?;
        // Asking costs one itself.
        Ok((after - before - 1, result))
    }
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench").field("host", &self.host_name()).field("order", &self.order).finish_non_exhaustive()
    }
}

fn refused(error: ConfigError) -> Flaw {
    Flaw::Broken(format!("a configuration was refused: {error}"))
}

/// Polls once with the waker given, such as one of a [`Recorder`](crate::Recorder).
pub fn poll<F: Future + ?Sized>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

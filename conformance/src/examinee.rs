//! What an adapter's author hands to the suite: the one trait, and the candidate that it becomes.

#[cfg(feature = "std")]
use std::cell::RefCell;
use std::prelude::v1::*;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use countermand_core::{Assembly, ConfigError, Host, Instant, Worker, WorkerConfig};

use crate::bench::Order;
#[cfg(feature = "program")]
use crate::board::Board;
use crate::ground::{Ground, SendFuture, Stop};
#[cfg(feature = "std")]
use crate::probe::gate;
#[cfg(feature = "std")]
use crate::race::message;
use crate::warped::{Clock, Warped};
use crate::{Bench, Check, Flaw, LocalFuture, Profile, Rule};

/// A host as the suite examines it.
///
/// # For implementers
///
/// - [`run`](Self::run) MUST run `main` to its end in the place where a user's program would submit jobs and await
///   handles: inside the runtime. It MUST let drivers go on whenever `main` is pending.
/// - [`launch`](Self::launch) MUST start every attendant of the assembly as the adapter's own `start` does. It is generic
///   over the host because the suite puts a clock of its own over yours.
/// - What [`profile`](Self::profile) claims is examined. What it does not claim is reported as not applicable.
pub trait Examinee: Sized + 'static {
    /// What the host is called in reports and on the command line.
    const NAME: &'static str;

    /// The version of what is examined.
    const VERSION: &'static str;

    /// The host.
    type Host: Host<Alarm: Send>;

    /// What the target has.
    fn profile() -> Profile;

    /// Sets the host up, runs `main` on it, and takes it down. Where the host has a schedule to choose, `seed` chooses it.
    fn run(seed: u64, main: impl FnOnce(Rc<Self>) -> LocalFuture<'static, ()>);

    /// The host beneath.
    fn host(&self) -> Arc<Self::Host>;

    /// Starts every attendant of the assembly on this host, and gives back the door.
    fn launch<H: Host<Alarm: Send>>(&self, assembly: Assembly<H>) -> Worker;

    /// A runtime of the same kind beside the one that `main` runs in, which the suite will stop while jobs run in it (S6).
    ///
    /// `None`, the default, where there is nothing to stop.
    fn doomed(seed: u64) -> Option<Doomed<Self>> {
        let _ = seed;
        None
    }

    /// Whether drivers run on other threads than that of `main`, if only now and then. The suite then wants to see it (L3).
    fn drives_elsewhere() -> bool {
        false
    }

    /// Runs a future that is not the worker's on the same host.
    ///
    /// # Errors
    ///
    /// Gives it back where the host runs nothing but workers, which is the default.
    fn spawn(&self, future: SendFuture) -> Result<(), SendFuture> {
        Err(future)
    }

    /// Lets the calling thread, a call's or the suite's, block in `wait`. A host that schedules its calls itself overrides this,
    /// and goes on with others meanwhile.
    fn blocked(wait: &mut dyn FnMut()) {
        wait();
    }

    /// A pause between two looks at a condition. A host whose time stands still while nobody waits for it overrides this.
    fn nap(&self, span: Duration) -> LocalFuture<'static, ()> {
        #[cfg(feature = "std")]
        return Box::pin(crate::nap::nap(span));
        #[cfg(not(feature = "std"))]
        {
            let _ = span;
            Box::pin(crate::bench::yield_now())
        }
    }
}

/// A runtime that is going to be stopped.
#[expect(missing_debug_implementations, reason = "it is what the author put in, and a closure")]
#[expect(clippy::exhaustive_structs, reason = "authors of adapters make it")]
pub struct Doomed<E> {
    /// What runs on it.
    pub examinee: E,
    /// Stops it for good, and returns when it has stopped. Called on a thread of its own, without a runtime.
    pub stop: Box<dyn FnOnce() + Send>,
}

impl<E: Examinee> Ground for Rc<E> {
    fn profile(&self) -> Profile {
        E::profile().as_built()
    }

    fn name(&self) -> &'static str {
        E::NAME
    }

    fn drives_elsewhere(&self) -> bool {
        E::drives_elsewhere()
    }

    fn now(&self) -> Instant {
        self.host().now()
    }

    fn start(&self, config: WorkerConfig, clock: &Arc<Clock>) -> Result<Worker, ConfigError> {
        start(&**self, config, clock)
    }

    fn parts(&self, config: WorkerConfig, clock: &Arc<Clock>) -> Result<(Worker, Vec<SendFuture>), ConfigError> {
        let host = Warped::new(self.host(), Arc::clone(clock));
        let (worker, attendants) = Assembly::new(config, Arc::new(host))?.into_parts();
        let attendants = attendants.into_iter().map(|attendant| Box::pin(attendant) as SendFuture);
        Ok((worker, attendants.collect()))
    }

    fn doomed(
        &self,
        seed: u64,
        config: WorkerConfig,
        clock: &Arc<Clock>,
    ) -> Option<Result<(Worker, Stop), ConfigError>> {
        let Doomed { examinee, stop } = E::doomed(seed)?;
        Some(start(&examinee, config, clock).map(|worker| (worker, stop)))
    }

    fn nap(&self, span: Duration) -> LocalFuture<'static, ()> {
        E::nap(self, span)
    }

    fn spawn(&self, future: SendFuture) -> Result<(), SendFuture> {
        E::spawn(self, future)
    }
}

fn start<E: Examinee>(examinee: &E, config: WorkerConfig, clock: &Arc<Clock>) -> Result<Worker, ConfigError> {
    let host = Warped::new(examinee.host(), Arc::clone(clock));
    Ok(examinee.launch(Assembly::new(config, Arc::new(host))?))
}

/// What examining a rule gave, and which parts of it were left out, with the reasons.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) check: Check,
    pub(crate) left_out: Vec<String>,
    /// Rounds of races, until the end or until one was lost.
    pub(crate) raced: u64,
}

impl From<Check> for Seen {
    fn from(check: Check) -> Self {
        Self { check, left_out: Vec::new(), raced: 0 }
    }
}

/// Examines one rule in the main future that the caller is in.
pub(crate) async fn examine_here<E: Examinee>(examinee: Rc<E>, rule: &'static Rule, order: Order) -> Seen {
    let missing = rule.needs().beyond(E::profile().as_built());
    if missing != Profile::NONE {
        return Err(Flaw::NotApplicable(format!("{} declares a target without {missing}", E::NAME))).into();
    }
    let bench = Bench::new(Box::new(examinee), order);
    let check = (rule.check)(&bench).await;
    let check = if check == Ok(0) { Err(Flaw::Inconclusive("nothing was examined".to_owned())) } else { check };
    Seen { check, left_out: bench.left_out(), raced: bench.raced() }
}

/// A host that the program can examine, by name.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    name: &'static str,
    version: &'static str,
    profile: fn() -> Profile,
    place: Place,
}

/// Where a candidate is examined.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug)]
enum Place {
    /// In a process of this program.
    Here(fn(&'static Rule, Order) -> Seen),
    /// On a board, which the emulator is.
    #[cfg(feature = "program")]
    Board(&'static Board),
}

#[cfg(feature = "std")]
impl Candidate {
    /// The candidate for an examinee.
    #[must_use]
    pub const fn of<E: Examinee>() -> Self {
        Self { name: E::NAME, version: E::VERSION, profile: E::profile, place: Place::Here(examine::<E>) }
    }

    /// The candidate for a board.
    #[cfg(feature = "program")]
    pub(crate) const fn board(board: &'static Board) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self { name: board.name(), version, profile: board.profile(), place: Place::Board(board) }
    }

    /// The board that it is, if it is one.
    #[cfg(feature = "program")]
    pub(crate) fn as_board(&self) -> Option<&'static Board> {
        match self.place {
            Place::Here(_) => None,
            Place::Board(board) => Some(board),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The version of what is examined.
    #[must_use]
    pub const fn version(&self) -> &'static str {
        self.version
    }

    /// What its target has.
    #[must_use]
    pub fn profile(&self) -> Profile {
        (self.profile)().as_built()
    }

    /// Examines one rule, in this process. A panic of the rule or of the host is a broken rule.
    pub(crate) fn examine(&self, rule: &'static Rule, order: Order) -> Seen {
        use std::panic::{AssertUnwindSafe, catch_unwind};

        let examine = match self.place {
            Place::Here(examine) => examine,
            #[cfg(feature = "program")]
            Place::Board(board) => {
                return Err(Flaw::Inconclusive(format!("{} is no process of this program", board.name()))).into();
            }
        };
        catch_unwind(AssertUnwindSafe(|| examine(rule, order)))
            .unwrap_or_else(|payload| Err(Flaw::Broken(format!("panicked: {}", message(&*payload)))).into())
    }
}

#[cfg(feature = "std")]
fn examine<E: Examinee>(rule: &'static Rule, order: Order) -> Seen {
    let found = Rc::new(RefCell::new(None));
    let put = Rc::clone(&found);
    gate::block_through(E::blocked, order.patience);
    E::run(order.seed, move |examinee| {
        Box::pin(async move {
            let seen = examine_here(examinee, rule, order).await;
            *put.borrow_mut() = Some(seen);
        })
    });
    let found = found.borrow_mut().take();
    found.unwrap_or_else(|| {
        Err(Flaw::Broken("the host came back without having run the main future to its end".to_owned())).into()
    })
}

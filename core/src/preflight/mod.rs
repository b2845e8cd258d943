//! Everything that must hold before a service starts, looked at in one go, with all that does not said at once.

mod check;
mod clearance;
mod flight;
mod launch;
mod plan;
mod site;

use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;

use crate::worker::Worker;
use crate::{CheckId, Guard, Intake};

pub use check::Check;
pub use clearance::{Cleared, Grounded, Skipped};
pub use plan::{PlanError, PlanFault};

use flight::Flight;
use plan::Plan;

/// The checks that a service makes before it starts, some of them after others.
///
/// Built, it is sound: every name is one and is there once, every check that another comes after is there, and there is no cycle. Run,
/// it makes every check that can be made, in the order in which they were declared as far as their dependencies and jobs allow, and
/// ends with the proof that all passed or with all that did not (G4).
///
/// ```
/// # use core::pin::Pin;
/// # use core::task::{Context, Poll};
/// # use countermand_core::{Alarm, Assembly, Host, Instant, WorkerConfig};
/// # struct Still;
/// # impl Alarm for Still {
/// #     fn poll_at(self: Pin<&mut Self>, _: Instant, _: &mut Context<'_>) -> Poll<()> { Poll::Pending }
/// # }
/// # impl Host for Still {
/// #     type Alarm = Still;
/// #     fn now(&self) -> Instant { Instant::ORIGIN }
/// #     fn alarm(&self) -> Still { Still }
/// # }
/// # let (worker, _attendants) = Assembly::new(WorkerConfig::new(), std::sync::Arc::new(Still))?.into_parts();
/// use countermand_core::{Check, Event, Guard, KernelId, Preflight, SubsystemId};
///
/// let guard = Guard::new(SubsystemId::new("kasmina")?, |event: &Event| eprintln!("{event}"));
/// let kernel = KernelId::new("k9")?;
/// let preflight = Preflight::new([
///     Check::here("seed", || guard.require("setting", "SEED", Some(7)).map(drop)),
///     Check::here("kernel", || guard.known(kernel, &|_: &KernelId| false).map(drop)),
///     Check::here("cache", || Err("the disk is full")),
///     Check::here("warm", || Ok::<(), &str>(())).after("kernel"),
/// ])?;
/// let grounded = preflight.run_blocking(&guard, &worker)?.unwrap_err();
/// assert_eq!(
///     grounded.to_string(),
///     "kasmina: kernel k9 is not known; kasmina: check cache did not pass (the disk is full); \
///      check warm was skipped because of kernel",
/// );
/// assert_eq!(guard.counts().violations, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a preflight does nothing until it is run"]
pub struct Preflight<'a> {
    plan: Plan,
    checks: Vec<Check<'a>>,
}

impl<'a> Preflight<'a> {
    /// A preflight of these checks.
    ///
    /// # Errors
    ///
    /// [`PlanError`] with all that is wrong with the checks' names and with what they come after. Cycles are looked for when nothing else is.
    pub fn new(checks: impl IntoIterator<Item = Check<'a>>) -> Result<Self, PlanError> {
        let checks: Vec<Check<'a>> = checks.into_iter().collect();
        Ok(Self { plan: plan::plan(&checks)?, checks })
    }

    /// The checks, in the order in which they were declared.
    pub fn checks(&self) -> impl ExactSizeIterator<Item = CheckId> {
        self.plan.iter().map(|(name, _)| *name)
    }

    /// Makes the checks: those that are made here in this future's own turns, the others as jobs of `worker`, as many at a time as it has
    /// room for. In a job of the same worker it takes part in the starvation described at [`Worker`].
    ///
    /// # Errors
    ///
    /// [`Grounded`], with every violation, each reported by `guard` once, in the order of the checks, when all have ended. A check that fails, times
    /// out, panics, is cancelled or is not accepted by the worker is a violation which says so.
    ///
    /// # Cancellation
    ///
    /// Dropping it cancels the checks that run, makes no others, and reports nothing.
    pub async fn run<I: Intake, const P: usize, const N: usize>(
        self,
        guard: &Guard<I, P, N>,
        worker: &Worker,
    ) -> Result<Cleared, Grounded> {
        let mut flight = Flight::new(guard.subsystem(), self.plan, self.checks);
        poll_fn(|cx| flight.poll(worker, cx)).await;
        flight.land(guard)
    }

    /// [`run`](Self::run), blocking this thread until it is over.
    ///
    /// # Errors
    ///
    /// [`WouldDeadlock`](crate::WouldDeadlock) where blocking would stop a driver (C3); then checks that were begun are cancelled. Inside of it,
    /// the errors of `run`.
    #[cfg(feature = "std")]
    pub fn run_blocking<I: Intake, const P: usize, const N: usize>(
        self,
        guard: &Guard<I, P, N>,
        worker: &Worker,
    ) -> Result<Result<Cleared, Grounded>, crate::WouldDeadlock> {
        worker.block_on(core::pin::pin!(self.run(guard, worker)))
    }
}

impl fmt::Debug for Preflight<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Preflight").field(&self.checks).finish()
    }
}

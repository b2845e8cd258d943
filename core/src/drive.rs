//! Turns steps into a future: what a host spawns.

use crate::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::Step;
use crate::driver::Driver;
use crate::host::{Alarm, Host};
use crate::keeper::Keeper;

/// How many steps an attendant makes before it lets other tasks of its host have their turn (L2).
pub const TURN_BUDGET: usize = 64;

/// A driver or the keeper of a worker.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "each is moved once, into a task of its own")]
enum Attendant {
    Driver(Driver),
    Keeper(Keeper),
}

pin_project! {
    /// A driver or the keeper as a future: the host spawns it, or gives it a thread, and it is ready when the worker is shut
    /// down.
    ///
    /// # Cancellation
    ///
    /// Dropping it, at any time, settles what it holds as cancelled by shutdown; dropping the last driver, or the keeper,
    /// settles everything (S6).
    #[must_use = "nothing runs until every attendant of a worker is driven"]
    pub struct Drive<H: Host> {
        attendant: Attendant,
        host: Arc<H>,
        budget: usize,
        // Made at the first poll: some hosts make timers only inside of their runtime.
        #[pin]
        alarm: Option<H::Alarm>,
    }
}

impl<H: Host> Drive<H> {
    pub(crate) fn driver(driver: Driver, host: Arc<H>) -> Self {
        Self { attendant: Attendant::Driver(driver), host, budget: TURN_BUDGET, alarm: None }
    }

    pub(crate) fn keeper(keeper: Keeper, host: Arc<H>) -> Self {
        Self { attendant: Attendant::Keeper(keeper), host, budget: TURN_BUDGET, alarm: None }
    }

    /// Makes at most `steps` steps a turn, at least one, instead of [`TURN_BUDGET`]. For a host that decides more finely who is next.
    pub fn with_turn_budget(mut self, steps: usize) -> Self {
        self.budget = steps.max(1);
        self
    }

    /// The number of the driver, from 0; `None` for the keeper. For the names of threads.
    #[must_use]
    pub fn index(&self) -> Option<usize> {
        match &self.attendant {
            Attendant::Driver(driver) => Some(driver.index()),
            Attendant::Keeper(_) => None,
        }
    }
}

impl<H: Host> Future for Drive<H> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        for _ in 0..*this.budget {
            let now = this.host.now();
            let step = match this.attendant {
                Attendant::Driver(driver) => driver.step(cx, now),
                Attendant::Keeper(keeper) => keeper.step(cx, now),
            };
            match step {
                Step::Again => {}
                Step::Closed => return Poll::Ready(()),
                Step::Parked(None) => return Poll::Pending,
                Step::Parked(Some(at)) => {
                    if this.alarm.is_none() {
                        this.alarm.set(Some(this.host.alarm()));
                    }
                    let alarm = this.alarm.as_mut().as_pin_mut();
                    if alarm.is_some_and(|alarm| alarm.poll_at(at, cx).is_pending()) {
                        return Poll::Pending;
                    }
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<H: Host> fmt::Debug for Drive<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drive").field("attendant", &self.attendant).finish_non_exhaustive()
    }
}

//! Driving a run: giving turns on this thread until something has come about.

use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use countermand_core::Instant;

use crate::call;
use crate::place::{self, Role};
use crate::seat::{Goal, Seat};
use crate::sim::Sim;
use crate::stalled::Stalled;
use crate::world::{Kind, World};

/// Driving.
impl Sim {
    /// Drives the run on this thread until `future` is ready. What is not done by then goes on in the next drive.
    ///
    /// On the thread of a call it does not drive: the call gives its turn away while it waits, which is how a call blocks without
    /// spoiling the replay.
    ///
    /// # Panics
    ///
    /// - With the report, where [`try_block_on`](Self::try_block_on) has an error.
    /// - With what `future`, a task or a call panicked with; the seed is printed.
    /// - Inside a task of this sim, and while another thread drives it.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        match self.try_block_on(future) {
            Ok(output) => output,
            Err(stalled) => panic!("{stalled}"),
        }
    }

    /// As [`block_on`](Self::block_on), but a run that cannot go on is an error.
    ///
    /// # Errors
    ///
    /// [`Stalled`], where the run cannot go on and `future` is not ready. On the thread of a call there is no error: whoever drives
    /// has it.
    ///
    /// # Panics
    ///
    /// As [`block_on`](Self::block_on), but for the first reason.
    ///
    /// # Cancellation
    ///
    /// On an error `future` is dropped; tasks and calls stay as they are.
    #[track_caller]
    pub fn try_block_on<F: Future>(&self, future: F) -> Result<F::Output, Stalled> {
        if let Some(Role::Call(id)) = place::role_in(&self.world) {
            return Ok(call::wait_for(&self.world, id, future));
        }
        let seat = Seat::take(&self.world);
        let root = Root::enter(&self.world, Location::caller());
        let mut future = pin!(future);
        let mut output = None;
        let driven = seat.drive(Goal::Root, |cx| match future.as_mut().poll(cx) {
            Poll::Ready(value) => {
                output = Some(value);
                true
            }
            Poll::Pending => false,
        });
        drop(root);
        match (driven, output) {
            (Ok(_), Some(value)) => Ok(value),
            (Err(stalled), _) => Err(stalled),
            (Ok(_), None) => unreachable!("the drive for a root ends with its output or with an error"),
        }
    }

    /// Drives the run on this thread until nobody is ready, without moving the clock. Returns how many turns that took.
    ///
    /// # Panics
    ///
    /// As [`block_on`](Self::block_on), and on the thread of a call.
    #[track_caller]
    pub fn run_until_idle(&self) -> u64 {
        self.drive(Goal::Idle)
    }

    /// Drives the run on this thread for this long on the virtual clock, from alarm to alarm. Returns how many turns that took.
    ///
    /// # Panics
    ///
    /// As [`block_on`](Self::block_on), and on the thread of a call.
    #[track_caller]
    pub fn run_for(&self, duration: Duration) -> u64 {
        self.drive(Goal::Until(self.now().checked_add(duration).unwrap_or(Instant::from_nanos(u64::MAX))))
    }

    #[track_caller]
    fn drive(&self, goal: Goal) -> u64 {
        if let Some(Role::Call(_)) = place::role_in(&self.world) {
            panic!("a call of a sim cannot drive it; use `block_on` to wait");
        }
        match Seat::take(&self.world).drive(goal, |_| false) {
            Ok(turns) => turns,
            Err(stalled) => panic!("{stalled}"),
        }
    }
}

/// The place of a `block_on`'s future among the runners.
struct Root<'w> {
    world: &'w World,
    id: u64,
}

impl<'w> Root<'w> {
    fn enter(world: &'w Arc<World>, from: &'static Location<'static>) -> Self {
        let id = world.admit(&mut world.lock(), Kind::Root, None, from);
        world.wake(id);
        Self { world, id }
    }
}

impl Drop for Root<'_> {
    fn drop(&mut self) {
        self.world.dismiss(self.id);
    }
}

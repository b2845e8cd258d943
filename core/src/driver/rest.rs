//! How a driver comes to rest: it parks until there is something to do, or leaves for good.

use core::mem;
use core::task::Context;

use super::Driver;
use crate::job::head::Desk;
use crate::sync::atomic::{Ordering, fence};
use crate::turn::InStep;
use crate::{Instant, Step};

impl Driver {
    pub(super) fn park(&mut self, cx: &mut Context<'_>, now: Instant) -> Step {
        let port = self.port.clone();
        port.port().park(cx.waker());
        if self.shared.books.is_closed() {
            // The last jobs of the worker may have ended here, uncounted by a keeper that has looked since: see `Books::finish`.
            fence(Ordering::SeqCst);
            self.shared.keeper.port.ring();
        }
        let looks = !mutant!(ParksWithoutLooking);
        let more = (looks && self.has_rung_lanes())
            || (!self.aborted && self.shared.aborting.load(Ordering::SeqCst))
            || (!self.free.is_empty() && !self.go_idle());
        if more {
            return Step::Again;
        }
        if self.free.len() == self.lanes.len() && self.shared.books.is_closed() && self.shared.queue.len() == 0 {
            self.leave(now);
            return Step::Closed;
        }
        let until = if mutant!(BusyWhenIdle) {
            now.checked_add(core::time::Duration::from_micros(1))
        } else {
            Instant::earlier(self.due.next_at(now), port.clockwork.next_at())
        };
        if until.is_some_and(|at| at.is_due(now)) || (!port.port().settle_down(until) && looks) {
            return Step::Again;
        }
        Step::Parked(until)
    }

    /// Puts itself on the list of idle drivers. False if there is a job for it.
    fn go_idle(&mut self) -> bool {
        let idle = self.shared.queue.idle(self.index);
        // One that finds a job may be on the list from before.
        self.idle |= idle;
        idle
    }

    /// Leaves for good. What lies in its lanes is dropped and settled here; if it is the last, what lies in the queue too (S6).
    pub(super) fn leave(&mut self, now: Instant) {
        if mem::replace(&mut self.left, true) {
            return;
        }
        let _here = InStep::enter(self.shared.address());
        for lane in 0..self.lanes.len() {
            if let Some(occupant) = self.lanes[lane].take() {
                if mutant!(VanishedRuntimeStrandsJobs) {
                    mem::forget(occupant);
                    continue;
                }
                match occupant.evict(now) {
                    Ok((runner, verdict)) => self.over(lane, runner, verdict, now),
                    Err(occupant) => self.vacate(lane, occupant),
                }
            }
        }
        self.port.port().leave();
        let next = self.shared.queue.withdraw(self.index);
        if self.shared.drivers_left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.shared.close();
            self.shared.settle_queue(now);
        } else {
            self.shared.ring_driver(next);
        }
        self.shared.depart();
        self.port.port().done();
    }
}

//! The alarm on the virtual clock.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use countermand_core::{Alarm, Instant};

use crate::timers::Key;
use crate::world::{World, nanos};

/// An alarm of a [`Sim`](crate::Sim): rings when the virtual clock comes to its time, or as much later as
/// [`set_lateness`](crate::Sim::set_lateness) allows.
pub struct SimAlarm {
    world: Arc<World>,
    set: Option<(Instant, Key)>,
}

impl SimAlarm {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), set: None }
    }

    fn clear(&mut self) {
        if let Some((_, key)) = self.set.take() {
            // In two steps: the waker must not be dropped under the lock.
            let left = self.world.lock().timers.clear(key);
            drop(left);
        }
    }
}

impl Alarm for SimAlarm {
    fn poll_at(mut self: Pin<&mut Self>, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if at <= self.world.now() {
            self.clear();
            return Poll::Ready(());
        }
        let mut waker = cx.waker().clone();
        if let Some((set_to, key)) = self.set {
            if set_to == at {
                let replaced = self.world.lock().timers.replace(key, waker);
                match replaced {
                    Ok(_old) => return Poll::Pending,
                    Err(unused) => waker = unused,
                }
            }
        }
        self.clear();
        let (key, dozing) = {
            let mut state = self.world.lock();
            let late = state.settings.lateness;
            let late = if late.is_zero() { 0 } else { state.faults.below(nanos(late).saturating_add(1)) };
            let rings = at.checked_add(Duration::from_nanos(late)).unwrap_or(at);
            (state.timers.set(rings, waker), state.dozing)
        };
        self.set = Some((at, key));
        if dozing {
            // The seat has a later alarm in mind.
            self.world.bell.notify_all();
        }
        Poll::Pending
    }
}

impl Drop for SimAlarm {
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for SimAlarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimAlarm").field("set", &self.set.map(|(at, _)| at)).finish_non_exhaustive()
    }
}

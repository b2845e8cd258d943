//! The promise of a thread that the sim does not know.

use std::fmt;
use std::sync::Arc;

use crate::sim::Sim;
use crate::world::World;

impl Sim {
    /// Promises that somebody outside, a thread that the sim does not know, will still wake it. While the promise lives, the sim
    /// waits for that, up to its [patience](Self::set_patience), before it moves the clock or reports a stall.
    #[must_use = "the promise ends when it is dropped"]
    pub fn outsider(&self) -> Outsider {
        self.world.lock().away += 1;
        Outsider { world: Arc::clone(&self.world) }
    }
}

/// A promise that the sim will be woken from outside; see [`Sim::outsider`].
pub struct Outsider {
    world: Arc<World>,
}

impl Drop for Outsider {
    fn drop(&mut self) {
        self.world.lock().away -= 1;
        self.world.bell.notify_all();
    }
}

impl fmt::Debug for Outsider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outsider").finish_non_exhaustive()
    }
}

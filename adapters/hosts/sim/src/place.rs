//! Where the calling thread stands: in the seat of a sim, in a call of one, or elsewhere.

use std::cell::RefCell;
use std::sync::Arc;

use crate::world::World;

/// What the thread is to the sim it works for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It drives.
    Seat,
    /// It runs the call of this number.
    Call(u64),
}

thread_local! {
    /// The innermost comes last: a task of one sim may drive another.
    static PLACES: RefCell<Vec<(Arc<World>, Role)>> = const { RefCell::new(Vec::new()) };
}

/// Notes what the thread does, until it is dropped.
pub(crate) struct Place(());

impl Place {
    pub(crate) fn take(world: &Arc<World>, role: Role) -> Self {
        PLACES.with_borrow_mut(|places| places.push((Arc::clone(world), role)));
        Self(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Dropped outside the borrow, since the last handle on a world drops what users left in it.
        let left = PLACES.with_borrow_mut(Vec::pop);
        drop(left);
    }
}

/// What the calling thread does for this sim.
pub(crate) fn role_in(world: &Arc<World>) -> Option<Role> {
    let find = |places: &RefCell<Vec<(Arc<World>, Role)>>| {
        places.borrow().iter().rev().find(|(at, _)| Arc::ptr_eq(at, world)).map(|&(_, role)| role)
    };
    // A thread that is ending has no place any more.
    PLACES.try_with(find).unwrap_or(None)
}

/// The sim the calling thread works for.
pub(crate) fn current() -> Option<Arc<World>> {
    PLACES.try_with(|places| places.borrow().last().map(|(world, _)| Arc::clone(world))).unwrap_or(None)
}

//! The number of this thread, and how it gives it back.

use core::cell::Cell;

use super::{AtomicU64, MOST, Roster};

static ROSTER: Roster = Roster(AtomicU64::new(0));

/// Not asked for yet.
const NEW: usize = MOST;
/// There is none for this thread.
const NONE: usize = MOST + 1;

/// Gives the number back when its thread ends.
struct Leaves(Cell<Option<usize>>);

impl Drop for Leaves {
    fn drop(&mut self) {
        // What counts later, in a destructor that comes after this one, has no number any more.
        NUMBER.set(NONE);
        if let Some(number) = self.0.take() {
            ROSTER.leave(number);
        }
    }
}

std::thread_local! {
    /// Without a destructor, so that looking at it is one load.
    static NUMBER: Cell<usize> = const { Cell::new(NEW) };
    static LEAVES: Leaves = const { Leaves(Cell::new(None)) };
}

/// The number of this thread, below [`MOST`].
#[inline]
pub(crate) fn number() -> Option<usize> {
    match NUMBER.get() {
        number if number < MOST => Some(number),
        NEW => enter(),
        _ => None,
    }
}

#[cold]
fn enter() -> Option<usize> {
    let entered = LEAVES.try_with(|leaves| {
        leaves.0.set(ROSTER.enter());
        leaves.0.get()
    });
    let number = entered.ok().flatten();
    NUMBER.set(number.unwrap_or(NONE));
    number
}

//! One outcome for one reader: where a job leaves what its handle waits for.
//!
//! ```text
//!            publish                       take
//!   Empty ────────────► Full ────────────────────────► Taken
//!     │ reader leaves     │ reader leaves: it drops the outcome
//!     ▼                   ▼
//!   Unread ─publish─► the outcome comes back to the publisher, who drops it (X4)
//! ```

#[cfg(all(test, countermand_loom))]
mod loom;

use core::mem;
use core::task::{Context, Poll, Waker};

use crate::sync::Lock;
use crate::sync::atomic::{AtomicBool, Ordering};

/// See the head of the file.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    /// Set with the outcome, never cleared; lets others ask without the lock.
    full: AtomicBool,
    state: Lock<State<T>>,
}

#[derive(Debug)]
enum State<T> {
    Empty(Option<Waker>),
    Unread,
    Full(T),
    Taken,
}

/// What the publisher does once the lock is open again.
#[derive(Debug)]
#[must_use]
pub(crate) struct Published<T> {
    /// To be woken.
    pub(crate) reader: Option<Waker>,
    /// To be dropped: nobody will read it.
    pub(crate) unread: Option<T>,
}

impl<T> Slot<T> {
    pub(crate) fn new() -> Self {
        Self { full: AtomicBool::new(false), state: Lock::new(State::Empty(None)) }
    }

    /// Whether an outcome was published.
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::Acquire)
    }

    /// Publishes the outcome. Only the first counts (J1): a second comes back as unread.
    pub(crate) fn publish(&self, outcome: T) -> Published<T> {
        self.state.with(|state| {
            // Under the lock: whoever has taken the outcome finds this set.
            self.full.store(true, Ordering::Release);
            match mem::replace(state, State::Taken) {
                State::Empty(reader) => {
                    *state = State::Full(outcome);
                    Published { reader, unread: None }
                }
                State::Unread => Published { reader: None, unread: Some(outcome) },
                before @ (State::Full(_) | State::Taken) => {
                    *state = before;
                    Published { reader: None, unread: Some(outcome) }
                }
            }
        })
    }

    /// Takes the outcome, or leaves a waker to be woken when it comes.
    pub(crate) fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let new = cx.waker().clone();
        let (taken, old) = self.state.with(|state| match mem::replace(state, State::Taken) {
            State::Full(outcome) => (Poll::Ready(Some(outcome)), Some(new)),
            State::Empty(old) => {
                *state = State::Empty(Some(new));
                (Poll::Pending, old)
            }
            State::Taken => (Poll::Ready(None), Some(new)),
            State::Unread => {
                *state = State::Unread;
                (Poll::Ready(None), Some(new))
            }
        });
        drop(old);
        taken
    }

    /// The reader leaves. What it leaves behind comes back, to be dropped outside of the lock.
    pub(crate) fn leave(&self) -> Option<Leftover<T>> {
        self.state.with(|state| match mem::replace(state, State::Unread) {
            State::Full(outcome) => Some(Leftover::Outcome(outcome)),
            State::Empty(Some(waker)) => Some(Leftover::Waker(waker)),
            _ => None,
        })
    }
}

/// What a reader leaves behind.
#[derive(Debug)]
#[expect(dead_code, reason = "only dropped")]
pub(crate) enum Leftover<T> {
    Outcome(T),
    Waker(Waker),
}

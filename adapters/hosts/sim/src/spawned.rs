//! The spawner's view of one task or call.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use crate::world::World;

/// A spawned task or call: a future of what it returns.
///
/// # Cancellation
///
/// Dropping it detaches the task, which goes on. [`abort`](Self::abort) ends it.
#[must_use = "a task that nobody waits for goes on by itself; drop the handle if that is meant"]
pub struct Spawned<T> {
    world: Weak<World>,
    id: u64,
    slot: Arc<Slot<T>>,
}

/// The task will not return: it was aborted, or the run was stopped, before it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task was aborted, or the sim was stopped, before the task ended")
    }
}

impl std::error::Error for Stopped {}

impl<T> Spawned<T> {
    pub(crate) fn new(world: &Arc<World>, id: u64, slot: Arc<Slot<T>>) -> Self {
        Self { world: Arc::downgrade(world), id, slot }
    }

    /// Its number: the tasks, calls and `block_on`s of a run are numbered from 0 in the order of their beginning.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        !matches!(*self.slot.lock(), Stage::Waiting(_))
    }

    /// Ends the task: it is dropped before this returns, or at the end of its turn if it is in one. A call that has begun goes on.
    pub fn abort(&self) {
        let Some(world) = self.world.upgrade() else { return };
        let left = world.lock().withdraw(self.id);
        drop(left);
    }
}

impl<T> Future for Spawned<T> {
    type Output = Result<T, Stopped>;

    /// # Panics
    ///
    /// If it is polled again after it was ready.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let waker = cx.waker().clone();
        let mut stage = self.slot.lock();
        let (next, polled) = match std::mem::replace(&mut *stage, Stage::Taken) {
            Stage::Waiting(old) => (Stage::Waiting(Some(waker)), Ok(old)),
            Stage::Done(value) => (Stage::Taken, Err(Ok(value))),
            Stage::Gone => (Stage::Gone, Err(Err(Stopped))),
            Stage::Taken => {
                drop(stage);
                panic!("a `Spawned` was polled after it was ready");
            }
        };
        *stage = next;
        drop(stage);
        match polled {
            Ok(old) => {
                drop(old);
                Poll::Pending
            }
            Err(output) => Poll::Ready(output),
        }
    }
}

impl<T> fmt::Debug for Spawned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawned").field("id", &self.id).field("finished", &self.is_finished()).finish_non_exhaustive()
    }
}

/// Where the value goes from the task to the handle.
pub(crate) struct Slot<T>(Mutex<Stage<T>>);

enum Stage<T> {
    Waiting(Option<Waker>),
    Done(T),
    Gone,
    Taken,
}

impl<T> Slot<T> {
    pub(crate) fn new() -> (Arc<Self>, Deliver<T>) {
        let slot = Arc::new(Self(Mutex::new(Stage::Waiting(None))));
        (Arc::clone(&slot), Deliver(slot))
    }

    fn lock(&self) -> MutexGuard<'_, Stage<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, stage: Stage<T>) {
        let mut place = self.lock();
        if !matches!(*place, Stage::Waiting(_)) {
            return;
        }
        let before = std::mem::replace(&mut *place, stage);
        drop(place);
        if let Stage::Waiting(Some(waker)) = before {
            waker.wake();
        }
    }
}

/// The task's end of the slot. Dropped without a value it says so.
pub(crate) struct Deliver<T>(Arc<Slot<T>>);

impl<T> Deliver<T> {
    pub(crate) fn value(self, value: T) {
        self.0.settle(Stage::Done(value));
    }
}

impl<T> Drop for Deliver<T> {
    fn drop(&mut self) {
        self.0.settle(Stage::Gone);
    }
}

//! What the committer shares with everybody who has the journal.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use event_listener::Event;

use crate::database::Store;
use crate::queue::Queue;
use crate::state::State;
use crate::{Disk, JournalConfig};

/// What the committer shares with everybody who has the journal.
pub(crate) struct Shared {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) config: JournalConfig,
    pub(crate) queue: Queue,
    pub(crate) store: Store,
    published: Mutex<Published>,
    /// The next record's place, for those who wait for one.
    next: AtomicU64,
    pub(crate) appended: Event,
}

/// What is committed, and what waits in the reserve.
#[derive(Clone)]
pub(crate) struct Published {
    pub(crate) state: Arc<State>,
    pub(crate) reserved: u64,
    /// Why nothing can be written, if so.
    pub(crate) trouble: Option<String>,
}

impl Shared {
    pub(crate) fn new(disk: Arc<dyn Disk>, config: JournalConfig, state: State) -> Self {
        let next = AtomicU64::new(state.next);
        let published = Published { state: Arc::new(state), reserved: 0, trouble: None };
        let queue = Queue::new(&config);
        let store = Store::default();
        Self { disk, config, queue, store, published: Mutex::new(published), next, appended: Event::new() }
    }

    pub(crate) fn publish(&self, published: Published) {
        let next = published.state.next;
        *self.published.lock().unwrap_or_else(PoisonError::into_inner) = published;
        if self.next.swap(next, Ordering::SeqCst) != next {
            self.appended.notify(usize::MAX);
        }
    }

    pub(crate) fn published(&self) -> Published {
        self.published.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn next(&self) -> u64 {
        self.next.load(Ordering::SeqCst)
    }
}

//! What the packets of the rules are: a number, or an event that was written down; and how many of them are in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countermand_core::Event;

/// The body of a packet.
#[derive(Debug)]
pub(super) struct Body {
    /// The number under which the rule sent it; an event that was written down has none.
    pub(super) number: Option<u64>,
    pub(super) event: Option<Box<Event>>,
    _mark: Mark,
}

impl Body {
    pub(super) fn packet(number: u64, alive: &Alive) -> Self {
        Self { number: Some(number), event: None, _mark: alive.mark() }
    }

    pub(super) fn event(event: &Event, alive: &Alive) -> Self {
        Self { number: None, event: Some(Box::new(*event)), _mark: alive.mark() }
    }
}

/// Counts the bodies that are in memory. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct Alive(Arc<AtomicU64>);

impl Alive {
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn mark(&self) -> Mark {
        self.0.fetch_add(1, Ordering::SeqCst);
        Mark(self.clone())
    }
}

#[derive(Debug)]
struct Mark(Alive);

impl Drop for Mark {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

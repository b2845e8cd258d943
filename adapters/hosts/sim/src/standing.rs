//! How a call stands to the schedule.
//!
//! ```text
//!            ①            ②             ③
//!   Fresh ──────► Running ──► Waiting ──────► Running ──► gone
//!                   │  ▲                        ④
//!                 ⑤ ▼  │ ⑥
//!              Away, Astray
//! ```
//! ① picked by the schedule, given the baton · ② a `block_on` of its own has to wait: it gives the baton back ·
//! ③ woken, and picked · ④ returned · ⑤ blocks where the sim cannot see: by its own word (`Away`), or because the seat's
//! patience ended (`Astray`) · ⑥ back: it queues up like everybody else.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

pub(crate) type Body = Box<dyn FnOnce() + Send>;

/// A closure that was not begun yet; whoever takes it out runs or drops it.
#[derive(Clone)]
pub(crate) struct Unbegun(Arc<Mutex<Option<Body>>>);

impl Unbegun {
    pub(crate) fn new(body: Body) -> Self {
        Self(Arc::new(Mutex::new(Some(body))))
    }

    pub(crate) fn take(&self) -> Option<Body> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// How a call stands to the schedule. See the picture at the head of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Fresh,
    Running,
    Waiting,
    Away,
    Astray,
}

impl Standing {
    /// Whether the run goes on without it.
    pub(crate) fn is_outside(self) -> bool {
        matches!(self, Self::Away | Self::Astray)
    }
}

pub(crate) struct CallState {
    pub(crate) standing: Standing,
    /// Woken while it was not waiting: its next wait ends at once.
    pub(crate) woken: bool,
    pub(crate) unbegun: Unbegun,
    /// Its thread waits here for the baton.
    pub(crate) bell: Arc<Condvar>,
}

impl CallState {
    pub(crate) fn takes_turns(&self) -> bool {
        matches!(self.standing, Standing::Fresh | Standing::Waiting)
    }
}

//! Whoever takes events in.

use super::Event;
#[cfg(feature = "alloc")]
use super::JobEnd;
use super::catalogue::Said;
#[cfg(feature = "alloc")]
use crate::sync::Arc;

/// Takes events in, and sees to them: a router, a log, a test's list. Every closure over `&Event` is one.
///
/// # For implementers
///
/// `take` is called by whoever has something to tell, in the middle of its own work, so it MUST NOT block. It may panic: the teller
/// contains that, where the target unwinds, and counts it (P4).
pub trait Intake {
    /// Takes one event.
    fn take(&self, event: &Event);

    /// Takes in an event of the catalogue. What is not said here makes the event at once, and takes that; an intake that may never read it, as a router's, keeps the fields. By
    /// whichever way it comes, it is the same event.
    fn take_said(&self, said: &dyn Said) {
        self.take(&said.event());
    }

    /// Takes in how a job ended. What is not said here makes the event at once, and takes that; an intake that may never read it, as a router's, keeps the
    /// figures. By whichever way it comes, it is the same event.
    #[cfg(feature = "alloc")]
    fn take_end(&self, end: &JobEnd<'_>) {
        self.take(&end.event());
    }
}

impl<F: Fn(&Event)> Intake for F {
    fn take(&self, event: &Event) {
        self(event);
    }
}

#[cfg(feature = "alloc")]
impl<I: Intake + ?Sized> Intake for Arc<I> {
    fn take(&self, event: &Event) {
        (**self).take(event);
    }

    fn take_said(&self, said: &dyn Said) {
        (**self).take_said(said);
    }

    fn take_end(&self, end: &JobEnd<'_>) {
        (**self).take_end(end);
    }
}

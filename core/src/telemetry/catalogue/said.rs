//! What an event of the catalogue says, before it is an event.

#[cfg(feature = "alloc")]
use super::kept::Kept;
use crate::{Event, Level};

pub(super) mod sealed {
    #[expect(unnameable_types, reason = "that it cannot be named is what seals Said")]
    pub trait Sealed {}
}

/// An event of the catalogue, in the type of its own: the fields as they are, and nothing of them written down yet.
///
/// [`Intake::take_said`](crate::Intake::take_said) is how it is told; a router keeps the fields, and writes the event down when somebody reads it.
///
/// ```
/// use core::time::Duration;
/// use countermand_core::catalogue::{Said, events::PrefetchReady};
///
/// let said = PrefetchReady { subsystem: "tamiyo", request: "r-17", in_flight: 3, latency: Duration::from_millis(5) };
/// assert_eq!(said.event(), said.into());
/// ```
pub trait Said: sealed::Sealed {
    /// How bad it is.
    fn level(&self) -> Level;

    /// The event.
    fn event(&self) -> Event;

    /// Keeps the fields. False if they are too long for that.
    #[cfg(feature = "alloc")]
    #[doc(hidden)]
    fn keep(&self, kept: &mut Kept) -> bool;
}

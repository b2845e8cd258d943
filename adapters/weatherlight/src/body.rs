//! What the router carries: a packet as it came, and what is wrong with it if it is none.

use countermand::{Label, Level, Payload, Priority, Source, Subject};
use countermand_wire::{Incoming, id_of};

/// A packet as it came. What is no packet is carried as well: to the dead letters, with the reason.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    /// The bytes.
    pub(crate) payload: Payload,
    /// Why they are no packet, if they are none.
    pub(crate) fault: Option<Box<str>>,
}

impl Body {
    /// A packet that is one.
    pub(crate) fn good(incoming: Incoming) -> (Label, Self) {
        (incoming.label, Self { payload: incoming.payload, fault: None })
    }

    /// Bytes that are no packet. They are of the least priority: whoever sends nonsense takes no room from those who do not.
    pub(crate) fn bad(payload: Payload, from: Source, why: &str) -> (Label, Self) {
        let label = Label::new(id_of(payload.bytes()), from, Level::Info)
            .priority(Priority::Low)
            .subject(Subject::of("no packet"))
            .weight(payload.bytes().len());
        (label, Self { payload, fault: Some(why.into()) })
    }
}

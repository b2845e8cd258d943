//! Whoever takes packets on their way out.

use std::sync::Arc;

use countermand_core::{Label, Payload};

/// Takes packets on their way out: a router, or a test's list. Every closure over a label and a payload is one.
///
/// # For implementers
///
/// `offer` is called in the middle of whatever the program does, so it MUST NOT block. It may panic: the layer contains that and counts it.
/// What it emits itself with `tracing` makes no packet.
pub trait Outgoing {
    /// Offers one packet; `false` if it is not taken. The layer counts those, and nobody is told otherwise.
    fn offer(&self, label: Label, payload: Payload) -> bool;
}

impl<F: Fn(Label, Payload) -> bool> Outgoing for F {
    fn offer(&self, label: Label, payload: Payload) -> bool {
        self(label, payload)
    }
}

impl<O: Outgoing + ?Sized> Outgoing for Arc<O> {
    fn offer(&self, label: Label, payload: Payload) -> bool {
        (**self).offer(label, payload)
    }
}

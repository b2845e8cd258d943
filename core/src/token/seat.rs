//! This room keeps the one permanent listener of a node: the job whose token it is.

use core::task::Waker;

use super::hold::NodeRef;
use super::sweep::sweep_found;
use super::tree::{climb, realign};

/// Puts the permanent listener on its seat.
pub(super) fn attend(node: &NodeRef, waker: Waker, linked: bool) -> bool {
    if node.is_cancelled() {
        return true;
    }
    let result = node.hub.with(|hub| {
        if node.word.load().is_cancelled() {
            return Err(waker);
        }
        hub.seat_linked = linked;
        Ok(hub.seat.replace(waker))
    });
    let Ok(replaced) = result else {
        return true;
    };
    drop(replaced); // T8: after the lock
    let Some(cancelled) = climb(node) else {
        return false;
    };
    let taken_back = node.hub.with(|hub| hub.seat.take());
    sweep_found(cancelled);
    drop(taken_back);
    true
}

/// Takes the permanent listener off its seat.
pub(super) fn dismiss(node: &NodeRef) {
    let dismissed = node.hub.with(|hub| hub.seat.take());
    realign(node);
    drop(dismissed);
}

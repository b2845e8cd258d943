//! This room carries a cancellation down to all who listen.

use core::mem;
use core::task::Waker;

use super::batch::Batch;
use super::hold::NodeRef;
use super::hosted;
use super::hub::Listeners;
use super::list::Taken;
use super::node::{Node, Only};
use super::stack::Todo;
use super::up::Parents;
use crate::Cause;
use crate::contain::FirstPanic;

/// Cancels a node. Says whether it was this call that did (T1).
pub(super) fn cancel(node: &NodeRef, cause: Cause) -> bool {
    if node.is_cancelled() && !mutant!(LaterCauseOverwrites) {
        return mutant!(BothToldFirst);
    }
    if mutant!(WakesThenSets) {
        sweep(node, cause);
    }
    if !node.word.cancel(cause) {
        return mutant!(BothToldFirst);
    }
    sweep(node, cause);
    if mutant!(ChildCancelsParent) {
        if let Parents::One(parent) = node.up.get() {
            cancel(parent, cause);
        }
    }
    true
}

/// Tells everyone who listens to a cancelled node or to a descendant of it.
///
/// Whoever makes a node cancelled, or finds it cancelled by an ancestor on the way up, does this. Several may at the same
/// time: each listener is on one list, and is taken off once.
pub(super) fn sweep(first: &NodeRef, cause: Cause) {
    // Most nodes have no listener, or one that waits, and need no more than this.
    let alone = first.hub.with(|hub| if mutant!(WakesUnderTheLock) { None } else { hub.take_only() });
    match alone {
        None => sweep_all(first, cause),
        Some(Only::Nobody) => {}
        Some(Only::Waiter(waker)) => tell_only(waker),
        Some(Only::Host) => hosted::tell(first),
    }
}

/// Tells the only listener of a node.
fn tell_only(waker: Waker) {
    if mutant!(WakesTwice) {
        waker.wake_by_ref();
    }
    waker.wake();
}

#[inline(never)]
fn sweep_all(first: &NodeRef, cause: Cause) {
    let (todo, hosts) = (Todo::new(), Todo::new());
    let mut sweep = Sweep { todo, hosts, batch: Batch::new(), host: false, panic: FirstPanic::default() };
    sweep.drain(first, cause);
    while let Some(node) = sweep.todo.pop() {
        let cause = node.cause().unwrap_or(cause);
        sweep.drain(&node, cause);
    }
    sweep.panic.go_on();
}

/// A sweep on its way down the tree.
struct Sweep {
    /// Children that were taken off a list.
    todo: Todo,
    /// Children that were, and of which nobody is to be told but their hosts.
    hosts: Todo,
    batch: Batch,
    /// The host of the node that is drained is to be told.
    host: bool,
    panic: FirstPanic,
}

impl Sweep {
    /// Tells everyone who listens to this node, and puts its children on `todo`.
    fn drain(&mut self, node: &NodeRef, cause: Cause) {
        loop {
            let more = node.hub.with(|hub| {
                let more = self.take_some(node, hub);
                if mutant!(WakesUnderTheLock) {
                    self.batch.tell(cause, &mut self.panic);
                }
                more
            });
            if mem::take(&mut self.host) {
                self.panic.run(|| hosted::tell(node));
            }
            self.tell_hosts();
            self.batch.tell(cause, &mut self.panic);
            if !more {
                return;
            }
        }
    }

    /// Tells the hosts of children that were taken, whichever of them panic (T9).
    fn tell_hosts(&mut self) {
        while !self.hosts.is_empty() {
            let hosts = &mut self.hosts;
            self.panic.run(|| {
                while let Some(node) = hosts.pop() {
                    hosted::tell(&node);
                }
            });
        }
    }

    /// Takes a batch of listeners and a bounded number of children. Says whether there may be more.
    fn take_some(&mut self, node: &Node, hub: &mut Listeners<'_>) -> bool {
        const AT_ONCE: usize = 64;
        self.host |= mem::take(hub.hears);
        for _ in 0..AT_ONCE {
            if self.batch.is_full() {
                return true;
            }
            match hub.list.take(&node.word) {
                None => return false,
                Some(Taken::Waiter(waker)) => {
                    if let Some(waker) = waker {
                        self.batch.wake(waker);
                    }
                }
                Some(Taken::Callback(callback)) => self.batch.call(callback),
                Some(Taken::Node(held)) => {
                    held.node().word.inherit(&node.word);
                    self.todo.push(held);
                }
                Some(Taken::Host(held)) => self.hosts.push(held),
                Some(Taken::Gone) => {}
            }
        }
        true
    }
}

/// Sweeps a node that was found cancelled on the way up.
#[cold]
pub(super) fn sweep_found(node: &NodeRef) {
    if let Some(cause) = node.cause() {
        sweep(node, cause);
    }
}

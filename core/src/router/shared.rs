//! What the handles of one router share.

use alloc::boxed::Box;

use super::desk::{After, Desk};
use crate::contain::survives;
use crate::sync::Lock;
use crate::telemetry::{Event, Label};

/// Writes an event down as the body of a packet.
pub(super) type Scribe<B> = Box<dyn Fn(&Event, &Label) -> B + Send + Sync>;

/// See the head of the file.
pub(super) struct Shared<B> {
    pub(super) desk: Lock<Desk<B>>,
    pub(super) scribe: Scribe<B>,
    /// Ids of packets that are written here count on from a number of this router's own.
    pub(super) written: crate::sync::atomic::AtomicU64,
}

impl<B> Shared<B> {
    /// Does something under the lock, and afterwards what must not be done there.
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut Desk<B>, &mut After<B>) -> R) -> R {
        let mut after = After::new();
        let result = self.desk.with(|desk| f(desk, &mut after));
        let After { wake, replaced, gone } = after;
        for waker in wake {
            survives(|| waker.wake());
        }
        for waker in replaced {
            survives(|| drop(waker));
        }
        for parcel in gone {
            survives(|| drop(parcel));
        }
        result
    }
}

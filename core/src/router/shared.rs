//! What the handles of one router share.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use super::after::After;
use super::config::Takes;
use super::desk::Desk;
use super::inbox::{Inbox, Told};
use crate::contain::survives;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Arc, Lock};
use crate::telemetry::{Event, Label, Parcel};
use crate::{Instant, Level, Stream};

/// Writes an event down that happened so long ago, as the body of a packet.
pub(super) type Scribe<B> = Box<dyn Fn(&Event, &Label, Duration) -> B + Send + Sync>;

/// See the head of the file.
pub(super) struct Shared<B> {
    pub(super) desk: Lock<Desk<B>>,
    pub(super) scribe: Scribe<B>,
    /// Ids of packets that are written here count on from a number of this router's own.
    pub(super) written: AtomicU64,
    pub(super) inboxes: Lock<Vec<Arc<Inbox>>>,
    /// How many of them have something.
    pub(super) untold: AtomicUsize,
}

impl<B> Shared<B> {
    pub(super) fn new(desk: Desk<B>, scribe: Scribe<B>) -> Self {
        Self {
            desk: Lock::new(desk),
            scribe,
            written: AtomicU64::new(0),
            inboxes: Lock::new(Vec::new()),
            untold: AtomicUsize::new(0),
        }
    }

    /// Does something under the lock, and afterwards what must not be done there.
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut Desk<B>, &mut After<B>) -> R) -> R {
        let mut after = After::new();
        let result = self.desk.with(|desk| f(desk, &mut after));
        after.attend();
        result
    }

    /// Writes down what was told before this call, as packets.
    pub(super) fn write_down(&self) {
        self.write_some(None);
    }

    /// Writes down what was told before this call and is HIGH, and of what is NORMAL as much as goes into a batch: so that an outlet that had no turn for long has one
    /// of bounded length. All of it, where it matters how much waits.
    pub(super) fn write_batch(&self, outlet: usize) {
        if self.untold.load(Ordering::SeqCst) == 0 {
            return;
        }
        let batch = self.desk.with(|desk| {
            let counts = desk.config().high_overflow.is_some();
            desk.lines.get(outlet).filter(|_| !counts).map(|line| line.config.batch)
        });
        self.write_some(batch);
    }

    fn write_some(&self, most: Option<usize>) {
        if self.untold.load(Ordering::SeqCst) == 0 {
            return;
        }
        for inbox in self.inboxes.with(|inboxes| inboxes.clone()) {
            let (below, mut normal) = (inbox.numbers(), most);
            loop {
                let mut after = After::new();
                let copies = inbox.copies(below, &mut normal, |shed| {
                    let source = inbox.source();
                    let refused = self.desk.with(|desk| desk.shed(source, shed, &mut after));
                    inbox.refused.fetch_add(refused, Ordering::Relaxed);
                });
                after.attend();
                if copies.is_empty() {
                    break;
                }
                let now = inbox.now();
                for Told { number, at, what } in copies {
                    let event = inbox.event(what);
                    let mut written = None;
                    survives(|| written = Some(self.write(&inbox, number, &event, at, now)));
                    // Made outside of the locks, as always.
                    let parcel = written.map(|(label, body)| Arc::new(Parcel::new(label, at, body)));
                    let mut after = After::new();
                    let taken = inbox.settle(number, &self.untold, || {
                        let Some(parcel) = &parcel else { return false };
                        self.desk.with(|desk| desk.take_in(parcel, false, false, &mut after)).is_ok()
                    });
                    after.attend();
                    survives(|| drop(parcel));
                    if taken == Some(false) {
                        inbox.refused.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
    }

    /// Writes the event with this number down, which was told at `at`.
    pub(super) fn write(&self, inbox: &Inbox, number: u64, event: &Event, at: Instant, now: Instant) -> (Label, B) {
        let label = inbox.label(number, event);
        let body = (self.scribe)(event, &label, now.saturating_since(at));
        (label, body)
    }

    /// Something of this level was told: wakes an outlet that waits, the one that it will go to if that can be.
    pub(super) fn ring(&self, level: Level) {
        let takes = Takes::Stream(Stream::of(crate::telemetry::Urgency::of(level, None).priority));
        self.with(|desk, after| {
            let mut fitting = desk.lines.iter_mut().filter(|line| line.config.takes == takes);
            match fitting.find_map(|line| line.waker.take()) {
                Some(waker) => after.wake.push(waker),
                None => desk.ring_one(after),
            }
        });
    }
}

//! The worker's own count of what became of its jobs.

use crate::contain::{Panic, contain};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::{CauseKind, Class, Phase};

/// How many jobs became what, since the worker was built. Read at one moment each, so that a sum over a running worker may be
/// out by those that settle meanwhile; after shutdown `accepted` is the sum of the six outcomes and `unsettled` (S7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Counts {
    /// Jobs accepted.
    pub accepted: u64,
    /// Jobs that came back to their submitter.
    pub rejected: u64,
    /// See [`Class::Completed`].
    pub completed: u64,
    /// See [`Class::Failed`].
    pub failed: u64,
    /// See [`Class::Cancelled`].
    pub cancelled: u64,
    /// See [`Class::TimedOut`]: all of them.
    pub timed_out: u64,
    /// Of `timed_out`, those that had not been started.
    pub timed_out_queued: u64,
    /// See [`Class::Panicked`].
    pub panicked: u64,
    /// See [`Class::Abandoned`].
    pub abandoned: u64,
    /// Of `cancelled`, those that made room for more urgent ones.
    pub evicted: u64,
    /// Values that came too late and were dropped (J9, B3).
    pub late_discarded: u64,
    /// Panics of hooks, callbacks and destructors of values that nobody read (P4).
    pub contained_panics: u64,
    /// Jobs accepted and not settled yet.
    pub unsettled: u64,
}

impl Counts {
    /// The sum of the six outcomes.
    #[must_use]
    pub const fn settled(&self) -> u64 {
        self.completed + self.failed + self.cancelled + self.timed_out + self.panicked + self.abandoned
    }

    /// Whether the books add up (S7).
    #[must_use]
    pub const fn balances(&self) -> bool {
        self.accepted == self.settled() + self.unsettled
    }
}

macro_rules! books {
    ($($name:ident),*) => {
        /// See the head of the file.
        #[derive(Debug, Default)]
        pub(crate) struct Books {
            $($name: AtomicU64,)*
            /// Jobs that are settled and of which nothing is left to be dropped or called.
            finished: AtomicU64,
        }

        impl Books {
            /// What the books say now.
            pub(crate) fn counts(&self) -> Counts {
                let mut counts = Counts { $($name: self.$name.load(Ordering::Acquire),)* unsettled: 0 };
                counts.unsettled = counts.accepted.saturating_sub(counts.settled());
                counts
            }
        }
    };
}

books!(
    timed_out_queued,
    evicted,
    completed,
    failed,
    cancelled,
    timed_out,
    panicked,
    abandoned,
    late_discarded,
    contained_panics,
    rejected,
    accepted
);

impl Books {
    /// A job was accepted; its number.
    pub(crate) fn accept(&self) -> u64 {
        self.accepted.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// A job came back.
    pub(crate) fn reject(&self) {
        self.rejected.fetch_add(1, Ordering::AcqRel);
    }

    /// A job settled.
    pub(crate) fn settle(&self, class: Class) {
        // What is counted twice is counted as the whole first, and read as the part first: no part ever exceeds its whole.
        let (whole, part) = match class {
            Class::Completed => (&self.completed, None),
            Class::Failed => (&self.failed, None),
            Class::Cancelled { cause, .. } => {
                (&self.cancelled, (cause.kind() == CauseKind::Evicted).then_some(&self.evicted))
            }
            Class::TimedOut(phase) => (&self.timed_out, (phase == Phase::Queued).then_some(&self.timed_out_queued)),
            Class::Panicked => (&self.panicked, None),
            Class::Abandoned => (&self.abandoned, None),
        };
        let times = if class == Class::Panicked && mutant!(CountsAPanicTwice) { 2 } else { 1 };
        whole.fetch_add(times, Ordering::AcqRel);
        if let Some(part) = part {
            part.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// A value that came too late was dropped.
    pub(crate) fn discard_late(&self) {
        self.late_discarded.fetch_add(1, Ordering::AcqRel);
    }

    /// Runs others' code. A panic inside is contained and counted, and is nobody's outcome (P4).
    pub(crate) fn contain<R>(&self, f: impl FnOnce() -> R) -> Option<R> {
        contain(f).map_err(|panic| self.note_panic(panic)).ok()
    }

    /// Counts a panic that is nobody's outcome, and drops what it carries.
    pub(crate) fn note_panic(&self, panic: Panic) {
        self.contained_panics.fetch_add(1, Ordering::AcqRel);
        panic.discard();
    }

    /// A job is settled, and nothing of it is left to be dropped or called.
    pub(crate) fn finish(&self) {
        // In one order with the closing flag and with rings: whoever finishes last sees that it has to ring, or the keeper sees
        // that it has finished.
        self.finished.fetch_add(1, Ordering::SeqCst);
    }

    /// Jobs accepted that are not finished (S2).
    pub(crate) fn unfinished(&self) -> u64 {
        let finished = self.finished.load(Ordering::SeqCst);
        self.accepted.load(Ordering::Acquire).saturating_sub(finished)
    }
}

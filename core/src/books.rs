//! The worker's own count of what became of its jobs.

use alloc::boxed::Box;

use crate::contain::{Panic, contain};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
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

/// Who counts: a driver has an account of its own, which nobody else writes, so that counting there costs a store; all others share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    Common,
    Driver(usize),
}

macro_rules! pages {
    ($($name:ident),*) => {
        /// One account. On a line of the cache of its own, as its owner writes it all the time.
        #[derive(Debug, Default)]
        #[repr(align(128))]
        struct Page {
            $($name: AtomicU64,)*
            /// Jobs that are settled and of which nothing is left to be dropped or called.
            finished: AtomicU64,
        }

        impl Page {
            /// Adds what the page says now.
            fn add_to(&self, counts: &mut Counts) {
                $(counts.$name += self.$name.load(Ordering::Acquire);)*
            }
        }
    };
}

// What is counted twice is counted as the whole first, and read as the part first: no part ever exceeds its whole.
pages!(timed_out_queued, evicted, completed, failed, cancelled, timed_out, panicked, abandoned);

/// See the head of the file.
#[derive(Debug)]
pub(crate) struct Books {
    common: Page,
    drivers: Box<[Page]>,
    late_discarded: AtomicU64,
    contained_panics: AtomicU64,
    rejected: AtomicU64,
    /// Nothing is accepted any more. Set after that is so.
    closed: AtomicBool,
    accepted: Accepted,
}

/// How many jobs were accepted: written under the queue's lock by whoever submits, and so not on a line of the cache with what drivers read for each job.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Accepted(AtomicU64);

impl Books {
    /// Empty books of a worker with so many drivers.
    pub(crate) fn new(drivers: usize) -> Self {
        Self {
            common: Page::default(),
            drivers: (0..drivers).map(|_| Page::default()).collect(),
            late_discarded: AtomicU64::new(0),
            contained_panics: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            accepted: Accepted::default(),
        }
    }

    /// What the books say now.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for page in self.pages() {
            page.add_to(&mut counts);
        }
        counts.late_discarded = self.late_discarded.load(Ordering::Acquire);
        counts.contained_panics = self.contained_panics.load(Ordering::Acquire);
        counts.rejected = self.rejected.load(Ordering::Acquire);
        // Last: what was settled had been accepted.
        counts.accepted = self.accepted.0.load(Ordering::Acquire);
        counts.unsettled = counts.accepted.saturating_sub(counts.settled());
        counts
    }

    /// A job was accepted; its number. For one at a time.
    pub(crate) fn accept(&self) -> u64 {
        let number = self.accepted.0.load(Ordering::Relaxed) + 1;
        self.accepted.0.store(number, Ordering::Release);
        number
    }

    /// Nothing is accepted any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// A job came back.
    pub(crate) fn reject(&self) {
        self.rejected.fetch_add(1, Ordering::AcqRel);
    }

    /// A job settled.
    #[inline]
    pub(crate) fn settle(&self, class: &Class, account: Account) {
        let page = self.page(account);
        let (whole, part) = match *class {
            Class::Completed => (&page.completed, None),
            Class::Failed => (&page.failed, None),
            Class::Cancelled { cause, .. } => {
                (&page.cancelled, (cause.kind() == CauseKind::Evicted).then_some(&page.evicted))
            }
            Class::TimedOut(phase) => (&page.timed_out, (phase == Phase::Queued).then_some(&page.timed_out_queued)),
            Class::Panicked => (&page.panicked, None),
            Class::Abandoned => (&page.abandoned, None),
        };
        let times = if *class == Class::Panicked && mutant!(CountsAPanicTwice) { 2 } else { 1 };
        add(whole, times, account);
        if let Some(part) = part {
            add(part, 1, account);
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
    #[cold]
    pub(crate) fn note_panic(&self, panic: Panic) {
        self.contained_panics.fetch_add(1, Ordering::AcqRel);
        panic.discard();
    }

    /// A job is settled, and nothing of it is left to be dropped or called.
    ///
    /// In one order with the closing flag and with rings for the common account: whoever finishes last sees that it has to ring, or the keeper sees
    /// that it has finished. A driver rings again when it parks.
    #[inline]
    pub(crate) fn finish(&self, account: Account) {
        add(&self.page(account).finished, 1, account);
    }

    /// Jobs accepted that are not finished (S2).
    pub(crate) fn unfinished(&self) -> u64 {
        // With the one in a driver that parks: see `finish`.
        fence(Ordering::SeqCst);
        let finished: u64 = self.pages().map(|page| page.finished.load(Ordering::SeqCst)).sum();
        self.accepted.0.load(Ordering::Acquire).saturating_sub(finished)
    }

    fn pages(&self) -> impl Iterator<Item = &Page> {
        self.drivers.iter().chain([&self.common])
    }

    fn page(&self, account: Account) -> &Page {
        match account {
            Account::Driver(driver) => self.drivers.get(driver).unwrap_or(&self.common),
            Account::Common => &self.common,
        }
    }
}

/// Adds to a counter that nobody else writes, if it is a driver's.
#[inline]
fn add(counter: &AtomicU64, times: u64, account: Account) {
    match account {
        Account::Driver(_) => counter.store(counter.load(Ordering::Relaxed) + times, Ordering::Release),
        Account::Common => {
            counter.fetch_add(times, Ordering::SeqCst);
        }
    }
}

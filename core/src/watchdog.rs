//! Looks, for the keeper, after drivers that one job holds up, while any driver is awake (L3, L4).

use alloc::boxed::Box;

use crate::Instant;
use crate::shared::Shared;
use crate::sync::atomic::Ordering;

/// See the head of the file.
pub(crate) struct Watchdog {
    /// When it looks next.
    look_at: Option<Instant>,
    /// For each driver, the number of the poll that was reported last.
    reported: Box<[u64]>,
}

impl Watchdog {
    pub(crate) fn new(shared: &Shared) -> Self {
        Self { look_at: None, reported: shared.drivers.iter().map(|_| 0).collect() }
    }

    /// When it must have a look at the latest.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.look_at
    }

    /// Reports each driver that has been in one poll for as long as the limit; looks again when the next would be.
    pub(crate) fn look(&mut self, shared: &Shared, now: Instant) {
        let Some(limit) = shared.config.watchdog else { return };
        if !shared.watching.load(Ordering::SeqCst) {
            self.look_at = None;
            return;
        }
        if self.look_at.is_some_and(|at| !at.is_due(now)) {
            return;
        }
        let mut awake = self.look_at.is_none();
        let mut next = now.checked_add(limit);
        for (index, driver) in shared.drivers.iter().enumerate() {
            awake |= !driver.port().is_quiet(now);
            let poll = driver.poll_number();
            let Some(begun) = driver.in_poll_since().filter(|_| self.reported[index] != poll) else { continue };
            let held = now.saturating_since(begun);
            if held < limit {
                next = next.min(begun.checked_add(limit));
                continue;
            }
            let job = driver.job_in_poll();
            if driver.poll_number() != poll {
                continue; // It has ended meanwhile, and the job may be another's.
            }
            self.reported[index] = poll;
            if let Some(job) = job.filter(|_| !mutant!(StallsAreNotReported)) {
                job.tell(shared, now, |observer, info| observer.stalled(info, held));
            }
        }
        self.look_at = next.filter(|_| awake);
        if !awake {
            shared.watching.store(false, Ordering::SeqCst);
            // A driver that woke up meanwhile may have seen the flag still set.
            if shared.drivers.iter().any(|driver| !driver.port().is_quiet(now)) {
                shared.watching.store(true, Ordering::SeqCst);
                self.look_at = next;
            }
        }
    }
}

//! The way of a job through its worker: where it is, in which lane, since when.

use super::{Head, JobRef, QUEUED, RUNNING, SETTLED, TAKEN};
use crate::Instant;
use crate::job::loan::End;
use crate::observer::JobState;
use crate::sync::atomic::Ordering;

impl Head {
    /// Its token was cancelled: tells whoever has the job.
    pub(crate) fn notice(&self, job: &JobRef) {
        match self.state.load(Ordering::SeqCst) {
            QUEUED => self.desk.reap(job.clone()),
            SETTLED => {}
            _ => self.ring_lane(),
        }
    }

    /// Gives its lane a turn. Harmless when it has left that (L5).
    pub(crate) fn ring_lane(&self) {
        self.desk.ring(self.driver.load(Ordering::Relaxed) as usize, self.lane.load(Ordering::Relaxed) as usize);
    }

    /// It has come out of the queue into this lane. From here on whoever cancels it rings that; its token is to be looked at afterwards.
    #[inline]
    pub(crate) fn take(&self, driver: usize, lane: usize) {
        self.driver.store(driver as u32, Ordering::Relaxed);
        self.lane.store(lane as u32, Ordering::Relaxed);
        self.state.swap(TAKEN, Ordering::SeqCst);
    }

    /// The job is about to be polled for the first time.
    pub(crate) fn start(&self, now: Instant) {
        self.started.store(now.as_nanos().saturating_add(1), Ordering::Relaxed);
        self.state.store(RUNNING, Ordering::Release);
    }

    /// The run time-out counts from `now` on (D5).
    pub(crate) fn start_the_clock(&self, now: Instant) {
        let from = if mutant!(RunTimeoutFromSubmit) { self.submitted } else { now };
        if let Some(due) = self.conditions.run.after(from) {
            self.due.store(due.as_nanos().min(self.due.load(Ordering::Relaxed)), Ordering::Relaxed); // D1, D8
        }
    }

    /// It was on its way to be started, and is not.
    pub(crate) fn unstart(&self) {
        self.started.store(0, Ordering::Relaxed);
    }

    /// Where it is.
    #[inline]
    pub(crate) fn state(&self) -> JobState {
        Self::station(self.state.load(Ordering::SeqCst))
    }

    pub(super) const fn station(state: u8) -> JobState {
        match state {
            QUEUED | TAKEN => JobState::Queued,
            RUNNING => JobState::Running,
            _ => JobState::Settled,
        }
    }

    /// When it was first polled.
    pub(crate) fn started(&self) -> Option<Instant> {
        self.started.load(Ordering::Relaxed).checked_sub(1).map(Instant::from_nanos)
    }

    pub(crate) fn submitted(&self) -> Instant {
        self.submitted
    }

    /// When its queue time-out is due (D5, D8).
    #[inline]
    pub(crate) fn queue_due(&self) -> Option<Instant> {
        if mutant!(QueueTimeoutFromTheStart) { None } else { self.conditions.queued.after(self.submitted) }
    }

    /// For whoever has the body.
    pub(crate) fn count_poll(&self) {
        self.polls.store(self.polls.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn polls(&self) -> u64 {
        self.polls.load(Ordering::Relaxed)
    }

    /// From now on its parent tells it of a cancel. If that has happened already, this may be where the token's callbacks run: a panic of theirs is
    /// contained and counted (P4).
    #[inline]
    pub(crate) fn attend(&self) {
        if self.hosted.is_linked() {
            self.desk.books().contain(|| self.hosted.attend());
        }
    }

    /// Nobody is told of a cancel any more.
    #[inline]
    pub(crate) fn dismiss(&self) {
        self.hosted.dismiss();
    }

    /// The call will never be run: gives the body back.
    pub(crate) fn refuse(&self) {
        if self.loan.refuse() == End::Over {
            self.ring_lane();
        }
    }

    /// The closure of the call has ended: its place is free, whenever its lane comes to see that (J7).
    pub(crate) fn free_place(&self) {
        self.desk.free_call(self.driver.load(Ordering::Relaxed) as usize);
    }

    /// The thread that has run the call is through with it: gives its lane back.
    pub(crate) fn end_lane(&self) {
        self.desk.end_lane(self.driver.load(Ordering::Relaxed) as usize, self.lane.load(Ordering::Relaxed) as usize);
    }

    pub(crate) fn shield(&self) {
        self.shields.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn unshield(&self) {
        self.shields.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn is_shielded(&self) -> bool {
        self.shields.load(Ordering::Relaxed) != 0
    }
}

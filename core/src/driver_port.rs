//! What others see of a driver, and how its lanes are rung.

use crate::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;

use crate::Instant;
use crate::bits::AtomicBits;
use crate::clockwork::Clockwork;
use crate::job::head::JobRef;
use crate::observer::{JobInfo, JobState};
use crate::places::Places;
use crate::port::Port;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// See the head of the file.
pub(crate) struct DriverPort {
    pub(crate) clockwork: Arc<Clockwork>,
    /// The lanes that want a turn.
    pub(crate) ready: AtomicBits,
    /// The lanes of calls that have ended.
    pub(crate) ended: AtomicBits,
    /// Who is in which lane, for those who ask.
    pub(crate) places: Places,
    /// How many lanes are taken by tasks. Written by the driver only.
    taken: AtomicUsize,
    /// How many lanes are taken by calls whose closure has not ended.
    calls: AtomicUsize,
    /// How many calls have ended whose thread is not through with settling them.
    settling: AtomicUsize,
    /// Counts the beginnings and the ends of polls: odd while the driver is in one (L3).
    poll_number: AtomicU64,
    /// When the last poll began, in nanoseconds.
    poll_since: AtomicU64,
    /// Of which lane.
    poll_lane: AtomicUsize,
}

impl DriverPort {
    pub(crate) fn new(lanes: usize) -> Self {
        Self {
            clockwork: Arc::new(Clockwork::new()),
            ready: AtomicBits::new(lanes),
            ended: AtomicBits::new(lanes),
            places: Places::new(lanes),
            taken: AtomicUsize::new(0),
            calls: AtomicUsize::new(0),
            settling: AtomicUsize::new(0),
            poll_number: AtomicU64::new(0),
            poll_since: AtomicU64::new(0),
            poll_lane: AtomicUsize::new(0),
        }
    }

    pub(crate) fn port(&self) -> &Port {
        &self.clockwork.port
    }

    /// Marks that the driver is in one poll, of the job in `lane`, for as long as what it gives lives. Called by the driver only.
    #[inline]
    pub(crate) fn poll_of(&self, lane: usize, now: Instant) -> Held<'_> {
        self.poll_lane.store(lane, Ordering::Relaxed);
        self.poll_since.store(now.as_nanos(), Ordering::Relaxed);
        self.count_poll();
        Held(self)
    }

    fn count_poll(&self) {
        self.poll_number.store(self.poll_number.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// The number of the poll that the driver is in, or, even, that it is in none.
    pub(crate) fn poll_number(&self) -> u64 {
        self.poll_number.load(Ordering::Acquire)
    }

    /// Since when the driver is in one poll.
    pub(crate) fn in_poll_since(&self) -> Option<Instant> {
        (self.poll_number() % 2 == 1).then(|| Instant::from_nanos(self.poll_since.load(Ordering::Relaxed)))
    }

    /// The job in whose poll the driver is.
    pub(crate) fn job_in_poll(&self) -> Option<JobRef> {
        self.places.get(self.poll_lane.load(Ordering::Relaxed))
    }

    /// The jobs in its lanes, those that were abandoned too.
    pub(crate) fn jobs(&self) -> Vec<JobRef> {
        self.places.all()
    }

    /// How many lanes are taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Acquire) + self.calls.load(Ordering::Acquire)
    }

    /// A lane is taken by a call. Called by the driver only.
    pub(crate) fn begin_call(&self) {
        self.calls.fetch_add(1, Ordering::AcqRel);
    }

    /// A lane is not taken by a call any more. Called by whoever ran it, or by the driver if nobody did.
    pub(crate) fn end_call(&self) {
        self.calls.fetch_sub(1, Ordering::AcqRel);
    }

    /// So many lanes are taken by tasks now. Called by the driver only.
    pub(crate) fn take(&self, taken: usize) {
        self.taken.store(taken, Ordering::Release);
    }

    /// The jobs in its lanes that have not settled.
    pub(crate) fn running(&self, now: Instant) -> Vec<JobInfo> {
        let mut list: Vec<JobInfo> = self.jobs().iter().map(|job| job.info(now)).collect();
        list.retain(|job| job.state == JobState::Running);
        list
    }

    /// A call has ended, and takes no place any more; its thread settles it, and then calls [`end_lane`](Self::end_lane).
    pub(crate) fn begin_settling(&self) {
        self.settling.fetch_add(1, Ordering::SeqCst);
        self.end_call();
    }

    /// Gives `lane`, whose call has ended, back to the driver.
    pub(crate) fn end_lane(&self, lane: usize) {
        // Rung also if the lane is said to have ended already: that may be left from a call before, which the driver has let go of by itself.
        self.ended.insert(lane);
        self.port().ring();
        self.settling.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether the thread of some call settles it.
    pub(crate) fn is_settling(&self) -> bool {
        self.settling.load(Ordering::SeqCst) != 0
    }

    /// Gives `lane` a turn.
    pub(crate) fn ring_lane(&self, lane: usize) {
        if self.ready.insert(lane) {
            self.port().ring();
        }
    }
}

/// While it lives, the keeper sees that the driver is in one poll (L3).
pub(crate) struct Held<'a>(&'a DriverPort);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.count_poll();
    }
}

/// The waker of a lane: made once, the same for every job and every poll, harmless when late or double (L5).
pub(crate) struct LaneBell {
    pub(crate) port: Arc<DriverPort>,
    pub(crate) lane: usize,
}

impl Wake for LaneBell {
    fn wake(self: Arc<Self>) {
        self.port.ring_lane(self.lane);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.port.ring_lane(self.lane);
    }
}

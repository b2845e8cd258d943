//! What a job of a soak saw of itself: the oracle, which asks the worker nothing.

use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use countermand_core::{Class, Phase};

/// How a job ended, as the ledger tells ends apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Completed,
    Failed,
    Unstarted,
    Stopped,
    OutQueued,
    OutRunning,
    Panicked,
    Abandoned,
}

impl End {
    pub(super) const ALL: [Self; 8] = [
        Self::Completed,
        Self::Failed,
        Self::Unstarted,
        Self::Stopped,
        Self::OutQueued,
        Self::OutRunning,
        Self::Panicked,
        Self::Abandoned,
    ];

    pub(super) const fn of(class: Class) -> Self {
        match class {
            Class::Completed => Self::Completed,
            Class::Failed => Self::Failed,
            Class::Cancelled { started: false, .. } => Self::Unstarted,
            Class::Cancelled { started: true, .. } => Self::Stopped,
            Class::TimedOut(Phase::Queued) => Self::OutQueued,
            Class::TimedOut(Phase::Running) => Self::OutRunning,
            Class::Panicked => Self::Panicked,
            Class::Abandoned => Self::Abandoned,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Unstarted => "cancelled, not started",
            Self::Stopped => "cancelled, started",
            Self::OutQueued => "timed out, queued",
            Self::OutRunning => "timed out, running",
            Self::Panicked => "panicked",
            Self::Abandoned => "abandoned",
        }
    }
}

/// How a body came to its end by itself, if it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Own {
    None,
    Value,
    Error,
    Panic,
}

/// See the head of the file. The job's parts write it, from wherever they run.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) number: u64,
    polls: AtomicU32,
    own: AtomicU8,
    /// A destructor of what it captured has panicked.
    bomb: AtomicBool,
    /// Drops of what it captured, and of what it gave.
    bodies: AtomicU32,
    gifts: AtomicU32,
}

impl Record {
    pub(super) fn new(number: u64) -> Arc<Self> {
        Arc::new(Self {
            number,
            polls: AtomicU32::new(0),
            own: AtomicU8::new(Own::None as u8),
            bomb: AtomicBool::new(false),
            bodies: AtomicU32::new(0),
            gifts: AtomicU32::new(0),
        })
    }

    pub(super) fn polled(&self) {
        self.polls.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn polls(&self) -> u32 {
        self.polls.load(Ordering::SeqCst)
    }

    pub(super) fn ends(&self, own: Own) {
        self.own.store(own as u8, Ordering::SeqCst);
    }

    pub(super) fn own(&self) -> Own {
        [Own::None, Own::Value, Own::Error, Own::Panic][usize::from(self.own.load(Ordering::SeqCst))]
    }

    pub(super) fn bodies(&self) -> u32 {
        self.bodies.load(Ordering::SeqCst)
    }

    pub(super) fn gifts(&self) -> u32 {
        self.gifts.load(Ordering::SeqCst)
    }

    /// How a job ended whose handle nobody has, to judge by what it left.
    pub(super) fn end(&self) -> End {
        match (self.bomb.load(Ordering::SeqCst), self.own(), self.polls()) {
            (true, ..) | (_, Own::Panic, _) => End::Panicked,
            (_, Own::Value, _) => End::Completed,
            (_, Own::Error, _) => End::Failed,
            (_, Own::None, 0) => End::Unstarted,
            (_, Own::None, _) => End::Stopped,
        }
    }

    /// What an outcome says that is not what the job saw.
    pub(super) fn contradicts(&self, end: End) -> Option<String> {
        let (own, polls, bomb) = (self.own(), self.polls(), self.bomb.load(Ordering::SeqCst));
        let agrees = match end {
            End::Completed => own == Own::Value && !bomb,
            End::Failed => own == Own::Error && !bomb,
            End::Unstarted | End::OutQueued => polls == 0 && !bomb,
            End::Stopped | End::OutRunning => polls > 0 && own == Own::None && !bomb,
            End::Panicked => own == Own::Panic || bomb,
            // It is on its way; what it gives comes late.
            End::Abandoned => polls > 0,
        };
        let saw = || format!("settled as {}, and saw {polls} polls, end of its own {own:?}, bomb {bomb}", end.name());
        (!agrees).then(saw)
    }

    /// What must be so when nothing of the job is left anywhere.
    pub(super) fn remains(&self) -> Option<String> {
        let gave = u32::from(matches!(self.own(), Own::Value | Own::Error));
        let (bodies, gifts) = (self.bodies(), self.gifts());
        (bodies != 1 || gifts != gave)
            .then(|| format!("captured values dropped {bodies} times, results {gifts} times of {gave}"))
    }
}

/// What a job captures: its drop is counted, and may panic.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) record: Arc<Record>,
    pub(super) bomb: bool,
}

impl Drop for Load {
    fn drop(&mut self) {
        self.record.bodies.fetch_add(1, Ordering::SeqCst);
        if self.bomb {
            self.record.bomb.store(true, Ordering::SeqCst);
            panic_any("planted in a destructor");
        }
    }
}

/// What a job gives, as a value or an error: its drop is counted, and may panic.
#[derive(Debug)]
pub(super) struct Gift {
    pub(super) record: Arc<Record>,
    pub(super) bomb: bool,
}

impl Drop for Gift {
    fn drop(&mut self) {
        self.record.gifts.fetch_add(1, Ordering::SeqCst);
        if self.bomb {
            panic_any("planted in a result");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lie_about_a_job_is_seen() {
        let record = Record::new(1);
        assert_eq!(record.end(), End::Unstarted);
        assert_eq!(record.contradicts(End::Unstarted), None);
        for lie in [End::Completed, End::Failed, End::Stopped, End::OutRunning, End::Panicked, End::Abandoned] {
            assert!(record.contradicts(lie).is_some(), "{lie:?}");
        }
        record.polled();
        assert_eq!((record.end(), record.contradicts(End::OutRunning)), (End::Stopped, None));
        assert!(record.contradicts(End::Unstarted).is_some());
        record.ends(Own::Value);
        assert_eq!((record.end(), record.contradicts(End::Completed)), (End::Completed, None));
        assert!(record.contradicts(End::Stopped).is_some(), "a value was thrown away");
    }

    #[test]
    fn what_is_left_of_a_job_is_seen() {
        let record = Record::new(1);
        assert!(record.remains().is_some());
        drop(Load { record: Arc::clone(&record), bomb: false });
        assert_eq!(record.remains(), None);
        record.ends(Own::Error);
        assert!(record.remains().is_some());
        drop(Gift { record: Arc::clone(&record), bomb: false });
        assert_eq!(record.remains(), None);
        drop(Load { record: Arc::clone(&record), bomb: false });
        assert!(record.remains().is_some(), "dropped twice");
    }
}

//! What is known of one slot: the stage of the job in it, its times, and why it is to stop.
#![allow(unsafe_code, reason = "times and detail of a cause share their place; which it is, `asked` says")]

use core::task::Waker;

use super::body::Functions;
use super::stage::Stage;
use crate::{Cause, CauseKind, Class, Detail, Instant, Panic, Phase, Priority};

/// When a job's time is out, in nanoseconds. Not aligned as they would be: a slot has no bytes to spare.
#[derive(Clone, Copy)]
#[repr(Rust, packed(4))]
pub(super) struct Times {
    pub(super) deadline: u64,
    /// When the queue time-out is due, never once it has started; before the submit, how long it is.
    pub(super) start_by: u64,
    /// How long it may run.
    pub(super) run: u64,
}

impl Times {
    pub(super) const NONE: Self = Self { deadline: u64::MAX, start_by: u64::MAX, run: u64::MAX };
}

/// Of no use together: a job that was asked to stop has no times any more.
#[derive(Clone, Copy)]
union Watch {
    times: Times,
    detail: Detail,
}

/// See the head of the file. Guarded by the lock of its board. What is small comes first, as an instruction that reaches far is twice as long.
#[repr(C)]
pub(super) struct Card {
    pub(super) stage: Stage,
    /// What kind of cause it was asked to stop for, first. `watch` has the detail then, and the times before.
    asked: Option<CauseKind>,
    /// Whether it was woken since its last poll.
    pub(super) ready: bool,
    pub(super) started: bool,
    /// Whether nobody will read the outcome.
    pub(super) detached: bool,
    pub(super) priority: Priority,
    /// How many of the queued jobs were submitted before it. Without a gap, so that nothing ever wraps.
    pub(super) place: u8,
    /// Which card it is.
    pub(super) index: u8,
    pub(super) functions: Option<&'static Functions>,
    pub(super) reader: Option<Waker>,
    pub(super) panic: Option<Panic>,
    watch: Watch,
}

impl Card {
    /// All of it is zeros, so that a worker in a static weighs nothing in flash; what matters is written when it is filled.
    pub(super) const FREE: Self = Self {
        watch: Watch { detail: Detail::None },
        functions: None,
        reader: None,
        panic: None,
        stage: Stage::Free,
        priority: Priority::Low,
        place: 0,
        index: 0,
        asked: Some(CauseKind::Requested),
        ready: false,
        started: false,
        detached: false,
    };

    /// A job comes in at the time `now`, from which its queue time-out counts (D5).
    pub(super) fn fill(&mut self, priority: Priority, times: &Times, now: Instant) {
        let mut times = Times { start_by: after(now, times.start_by), ..*times };
        if times.run == 0 && !mutant!(PastDeadlinePolledOnce) {
            times.deadline = 0; // D4
        }
        if mutant!(RunTimeoutFromSubmit) {
            times.deadline = times.deadline.min(after(now, times.run));
        }
        self.watch = Watch { times };
        self.stage = Stage::Queued;
        self.priority = priority;
        self.asked = None;
        self.started = false;
        self.detached = false;
    }

    /// Asks the job to stop. Whether it was asked first now (J6), and there is one.
    pub(super) fn ask(&mut self, cause: Cause) -> bool {
        let first = self.stop(cause.kind());
        if first {
            self.watch = Watch { detail: cause.detail() };
        }
        first
    }

    /// Asks the job to stop, for a cause with nothing added.
    #[inline(never)]
    pub(super) fn stop(&mut self, kind: CauseKind) -> bool {
        if self.asked.is_some() || !self.stage.is_live() {
            return false;
        }
        self.asked = Some(kind);
        self.watch = Watch { detail: Detail::None };
        self.ready = true;
        true
    }

    pub(super) fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Whether it is polled on when it was asked to stop.
    pub(super) fn is_graced(&self) -> bool {
        self.functions.is_some_and(Functions::is_graced)
    }

    pub(super) fn is_timed_out(&self) -> bool {
        self.asked == Some(CauseKind::Deadline)
    }

    /// Why it was asked to stop.
    pub(super) fn cause(&self) -> Option<Cause> {
        let cause = Cause::new(self.asked?);
        // SAFETY: it was asked, so that this is what was written last.
        Some(cause.with_detail(unsafe { self.watch.detail }))
    }

    /// How a job ends that settles at this stage.
    pub(super) fn class(&self, ended: Stage, panicked: bool) -> Class {
        match ended {
            Stage::Completed => Class::Completed,
            Stage::Failed => Class::Failed,
            _ if panicked => Class::Panicked,
            _ if self.is_timed_out() => Class::TimedOut(if self.started { Phase::Running } else { Phase::Queued }),
            // Whatever stopped without a panic was asked to.
            _ => Class::Cancelled { cause: self.cause().unwrap_or(Cause::REQUESTED), started: self.started },
        }
    }

    /// Compares a live job with the clock (D2, D3), if it was not asked to stop, and asks it if all are aborted (S3). Then says when its time is out, where it is.
    #[inline(always)]
    pub(super) fn look(&mut self, now: Instant, aborts: bool) -> Instant {
        if self.is_asked() {
            return Instant::NEVER;
        }
        // SAFETY: it was not asked, so that these are what was written last.
        let times = unsafe { self.watch.times };
        let queued = self.stage == Stage::Queued;
        let mut due = Instant::from_nanos(times.deadline).min(Instant::from_nanos(times.start_by)); // Q7
        let waits = match queued {
            true => mutant!(QueueTimeoutWaitsForALane),
            false => mutant!(DeadlineIgnoredWhileRunning),
        };
        if waits || mutant!(PastDeadlinePolledOnce) && !self.started {
            due = Instant::NEVER;
        }
        let cause = if aborts && (queued || !mutant!(AbortAsksNobody)) {
            CauseKind::Shutdown
        } else if due.is_due(now) {
            if mutant!(ExpiryIsARequest) { CauseKind::Requested } else { CauseKind::Deadline } // D6
        } else {
            return due;
        };
        self.stop(cause);
        due
    }

    /// It starts at this time: from here on its run time-out counts (D5), and nothing of the queue does.
    pub(super) fn start(&mut self, now: Instant) {
        self.started = true;
        if !self.is_asked() {
            // SAFETY: it was not asked, so that these are what was written last.
            let times = unsafe { &mut self.watch.times };
            if mutant!(QueueTimeoutWaitsForALane) {
                times.deadline = times.deadline.min(times.start_by);
            }
            times.deadline = times.deadline.min(after(now, times.run));
            times.start_by = u64::MAX;
        }
    }
}

/// The time so many nanoseconds after `now`; beyond the clock is never (D8).
pub(super) fn after(now: Instant, nanos: u64) -> u64 {
    if mutant!(OverflowIsDueAtOnce) { now.as_nanos().wrapping_add(nanos) } else { now.as_nanos().saturating_add(nanos) }
}

//! What is known of one slot: the stage of the job in it, its deadline, and why it is to stop.
#![allow(unsafe_code, reason = "deadline and detail of a cause share their place; which it is, `asked` says")]

use core::task::Waker;

use super::body::Functions;
use super::stage::Stage;
use crate::{Cause, CauseKind, Class, Detail, Instant, Panic, Phase, Priority};

/// A number of nanoseconds, not aligned as it would be: a slot has no bytes to spare.
#[derive(Clone, Copy)]
#[repr(Rust, packed(4))]
struct Nanos(u64);

/// Of no use together: a job that was asked to stop has no deadline any more.
#[derive(Clone, Copy)]
union Watch {
    deadline: Nanos,
    detail: Detail,
}

/// See the head of the file. Guarded by the lock of its board. What is small comes first, as an instruction that reaches far is twice as long.
#[repr(C)]
pub(super) struct Card {
    pub(super) stage: Stage,
    /// What kind of cause it was asked to stop for, first. `watch` has the detail then, and the deadline before.
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

    /// A job comes in, whose time is out at `deadline`.
    pub(super) fn fill(&mut self, priority: Priority, deadline: Instant) {
        self.watch = Watch { deadline: Nanos(deadline.as_nanos()) };
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

    /// Where it was when it was asked to stop.
    pub(super) fn phase(&self) -> Phase {
        if self.started { Phase::Running } else { Phase::Queued }
    }

    /// At which stage a job settles that ended like this.
    pub(super) fn settles_at(&self, ended: Stage, panicked: bool) -> Stage {
        match ended {
            Stage::Cancelled if panicked => Stage::Panicked,
            Stage::Cancelled if self.is_timed_out() => Stage::TimedOut,
            _ => ended,
        }
    }

    /// How a job ends that settles at this stage.
    pub(super) fn class(&self, ended: Stage) -> Class {
        match ended {
            Stage::Completed => Class::Completed,
            Stage::Failed => Class::Failed,
            Stage::Panicked => Class::Panicked,
            Stage::TimedOut => Class::TimedOut(self.phase()),
            // Whatever stopped without a panic was asked to.
            _ => Class::Cancelled { cause: self.cause().unwrap_or(Cause::REQUESTED), started: self.started },
        }
    }

    /// Compares a live job with the clock (D2, D3), if it was not asked to stop, and asks it if its time is out, or all are aborted (S3). Else `until` is brought
    /// forward to when it will be.
    #[inline(always)]
    pub(super) fn look(&mut self, now: Instant, abort_at: Instant, until: &mut Instant) {
        if self.is_asked() {
            return;
        }
        let queued = self.stage == Stage::Queued;
        let waits = match queued {
            true => mutant!(QueueTimeoutWaitsForALane),
            false => mutant!(DeadlineIgnoredWhileRunning),
        };
        let waits = waits || mutant!(PastDeadlinePolledOnce) && !self.started;
        let deadline = if waits { Instant::NEVER } else { self.deadline() };
        let abort_at = if mutant!(AbortAsksNobody) && !queued { Instant::NEVER } else { abort_at };
        let due = deadline.min(abort_at);
        if !due.is_due(now) {
            *until = (*until).min(due);
        } else if abort_at.is_due(now) {
            self.stop(CauseKind::Shutdown);
        } else {
            self.stop(if mutant!(ExpiryIsARequest) { CauseKind::Requested } else { CauseKind::Deadline }); // D6
        }
    }

    /// When its time is out, if it was not asked to stop.
    fn deadline(&self) -> Instant {
        debug_assert!(!self.is_asked(), "it has no deadline any more");
        // SAFETY: it was not asked, so that this is what was written last.
        Instant::from_nanos(unsafe { self.watch.deadline }.0)
    }

    /// Its limits are others from now on, if it was not asked to stop: what is given is when its time was out, what comes back is when it is.
    pub(super) fn limit(&mut self, limit: impl FnOnce(Instant) -> Instant) {
        if !self.is_asked() {
            self.watch = Watch { deadline: Nanos(limit(self.deadline()).as_nanos()) };
        }
    }
}

/// The time so many nanoseconds after `now`; beyond the clock is never (D8).
pub(super) fn after(now: Instant, nanos: u64) -> Instant {
    let now = now.as_nanos();
    Instant::from_nanos(if mutant!(OverflowIsDueAtOnce) { now.wrapping_add(nanos) } else { now.saturating_add(nanos) })
}

//! The conditions of a job, as few words as they can be: they go with the description, into the job, and back if it is refused.
//!
//! What is above a job, a token and a deadline, is its token's once there is one, and so does not lie in the job a second time.

use alloc::borrow::Cow;
use core::time::Duration;

use super::LatePolicy;
use crate::instant::nanos_of;
use crate::{Instant, Priority, Token, WorkerConfig};

/// See the head of the file.
#[derive(Clone, Debug)]
pub(crate) struct Conditions {
    pub(crate) name: Cow<'static, str>,
    /// From its first poll (D5).
    pub(crate) run: Limit,
    /// From its submit (D5).
    pub(crate) queued: Limit,
    /// From a request to stop (J5).
    pub(crate) grace: Limit,
    pub(crate) priority: Priority,
    pub(crate) late: LatePolicy,
    pub(crate) cancel_on_drop: bool,
    pub(crate) abandonable: bool,
    /// Whether `run`, `queued` and `grace` are the worker's defaults.
    defaulted: [bool; 3],
}

const NEVER: u64 = Instant::NEVER.as_nanos();

impl Conditions {
    /// Those of a job of which nothing was said.
    pub(super) const NONE: Self = Self {
        name: Cow::Borrowed(""),
        run: Limit::NONE,
        queued: Limit::NONE,
        grace: Limit::NONE,
        priority: Priority::Normal,
        late: LatePolicy::Deliver,
        cancel_on_drop: false,
        abandonable: false,
        defaulted: [true; 3],
    };

    pub(super) fn set_run(&mut self, limit: Duration) {
        (self.run, self.defaulted[0]) = (Limit::of(limit), false);
    }

    pub(super) fn set_queued(&mut self, limit: Duration) {
        (self.queued, self.defaulted[1]) = (Limit::of(limit), false);
    }

    pub(super) fn set_grace(&mut self, limit: Duration) {
        (self.grace, self.defaulted[2]) = (Limit::of(limit), false);
    }

    /// What was not said is as the worker has it. Another worker may have it otherwise.
    #[inline]
    pub(super) fn complete(&mut self, defaults: &Defaults) {
        let Defaults { limits: [run, queued, grace], .. } = *defaults;
        for (limit, default, defaulted) in [
            (&mut self.run, run, self.defaulted[0]),
            (&mut self.queued, queued, self.defaulted[1]),
            (&mut self.grace, grace, self.defaulted[2]),
        ] {
            if defaulted {
                *limit = default;
            }
        }
    }
}

/// What a job looks up to beside its worker.
#[derive(Clone, Debug)]
pub(crate) struct Above {
    pub(crate) parent: Option<Token>,
    /// When its time is out, in nanoseconds.
    pub(super) deadline: u64,
}

impl Above {
    /// That of a job of which nothing was said.
    pub(super) const NONE: Self = Self { parent: None, deadline: NEVER };

    /// When its time is out. The last nanosecond of the clock never comes (D8).
    #[inline]
    pub(crate) fn deadline(&self) -> Option<Instant> {
        if self.deadline == NEVER { None } else { Some(Instant::from_nanos(self.deadline)) }
    }

    pub(crate) fn set_deadline(&mut self, at: Option<Instant>) {
        self.deadline = at.map_or(NEVER, Instant::as_nanos);
    }
}

/// A length of time in one word. One that goes beyond the clock is none (D8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit(u64);

impl Limit {
    const NONE: Self = Self(NEVER);
    pub(crate) const ZERO: Self = Self(0);

    const fn of(duration: Duration) -> Self {
        Self(nanos_of(duration))
    }

    pub(super) fn is_none(self) -> bool {
        self == Self::NONE
    }

    pub(crate) const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The point so much after `from`, if there is one.
    #[inline]
    pub(crate) fn after(self, from: Instant) -> Option<Instant> {
        if mutant!(OverflowIsDueAtOnce) {
            return from.checked_add(Duration::from_nanos(self.0));
        }
        if self == Self::NONE { None } else { from.as_nanos().checked_add(self.0).map(Instant::from_nanos) }
    }
}

/// What a worker has where a job says nothing, how long it may run and be queued, and its grace; and what else holds for all of its jobs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Defaults {
    limits: [Limit; 3],
    /// Whether somebody is told of what becomes of its jobs.
    pub(super) observed: bool,
}

impl From<&WorkerConfig> for Defaults {
    fn from(config: &WorkerConfig) -> Self {
        let limit = |duration: Option<Duration>| duration.map_or(Limit::NONE, Limit::of);
        let limits = [limit(config.run_timeout), limit(config.queue_timeout), Limit::of(config.grace)];
        Self { limits, observed: config.observer.is_some() }
    }
}

//! Under which conditions a request is a job.

use std::borrow::Cow;
use std::time::Duration;

use countermand_core::{Instant, Job, Priority, Token};

/// Under which conditions a request is a job. What is not said is as the worker has it.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Conditions {
    name: Cow<'static, str>,
    priority: Priority,
    pub(crate) within: Option<Duration>,
    run_timeout: Option<Duration>,
    queue_timeout: Option<Duration>,
    grace: Option<Duration>,
    parent: Option<Token>,
}

impl Conditions {
    /// Priority normal, and otherwise as the worker has it.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the job is called in listings, events and reports: better the route than the address, for there are as many as names.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// How urgent it is.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// How long after its `call` the request's time is out, whether it waits for a place, is queued or runs. A duration beyond the clock means no
    /// limit (D8).
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = Some(limit);
        self
    }

    /// How long it may run.
    pub fn run_timeout(mut self, limit: Duration) -> Self {
        self.run_timeout = Some(limit);
        self
    }

    /// How long it may be queued.
    pub fn queue_timeout(mut self, limit: Duration) -> Self {
        self.queue_timeout = Some(limit);
        self
    }

    /// How long it goes on after its time is out or its caller has gone.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// A token whose cancellation cancels it too.
    pub fn parent(mut self, parent: &Token) -> Self {
        self.parent = Some(parent.clone());
        self
    }

    /// Puts these conditions on a job whose time is out at `deadline`.
    pub(crate) fn apply<W>(self, job: Job<W>, deadline: Option<Instant>) -> Job<W> {
        let mut job = job.name(self.name).priority(self.priority).cancel_on_drop();
        if let Some(at) = deadline {
            job = job.deadline(at);
        }
        if let Some(limit) = self.run_timeout {
            job = job.run_timeout(limit);
        }
        if let Some(limit) = self.queue_timeout {
            job = job.queue_timeout(limit);
        }
        if let Some(grace) = self.grace {
            job = job.grace(grace);
        }
        if let Some(parent) = &self.parent {
            job = job.parent(parent);
        }
        job
    }
}

/// Says under which conditions a request is a job: [`Conditions`] for all alike, or a closure that looks at each.
///
/// # For implementers
///
/// `classify` is called by the caller of the service, in its `call`. It SHOULD only look.
pub trait Classify<R> {
    /// The conditions of this request.
    fn classify(&self, request: &R) -> Conditions;
}

impl<R> Classify<R> for Conditions {
    fn classify(&self, _: &R) -> Conditions {
        self.clone()
    }
}

impl<R, F: Fn(&R) -> Conditions> Classify<R> for F {
    fn classify(&self, request: &R) -> Conditions {
        self(request)
    }
}

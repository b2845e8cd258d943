//! A check that runs as a job: how it is submitted, and what its outcome says.

use alloc::boxed::Box;
use alloc::string::ToString;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use super::site::Site;
use crate::handle::Handle;
use crate::job::Job;
use crate::job::work::Work;
use crate::worker::Worker;
use crate::{Instant, Outcome, Phase, Reason, RejectReason, Violation};

/// A job that can be submitted, whatever its type.
pub(super) trait Launch: Send {
    /// Submits it now, or gives it back. It is due `limit` after the first time that this was tried.
    fn launch(self: Box<Self>, site: Site, limit: Duration, worker: &Worker) -> Result<Box<dyn Aloft>, NotTaken>;
}

/// The job, and why it was not accepted.
pub(super) type NotTaken = (Box<dyn Launch>, RejectReason);

/// A job that was accepted, whatever its type.
pub(super) trait Aloft: Send {
    /// Whether it has settled, and what is wrong then.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Violation>>;
}

/// A job, before it is submitted.
pub(super) struct Planned<W>(pub(super) Job<W>);

struct Submitted<E> {
    handle: Handle<(), E>,
    site: Site,
    limit: Duration,
}

impl<W: Work<Value = (), Error: fmt::Display>> Launch for Planned<W> {
    fn launch(self: Box<Self>, site: Site, limit: Duration, worker: &Worker) -> Result<Box<dyn Aloft>, NotTaken> {
        let mut job = self.0.name(site.check.to_string()).cancel_on_drop().abandonable();
        let deadline = Instant::earlier(job.above.deadline(), worker.now().checked_add(limit));
        job.above.set_deadline(deadline);
        match worker.try_submit(job) {
            Ok(handle) => Ok(Box::new(Submitted { handle, site, limit })),
            Err(rejected) => Err((Box::new(Self(rejected.job)), rejected.reason)),
        }
    }
}

impl<E: fmt::Display + Send + 'static> Aloft for Submitted<E> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Violation>> {
        let outcome = core::task::ready!(Pin::new(&mut self.handle).poll(cx));
        let Self { site, limit, .. } = *self;
        Poll::Ready(match outcome {
            Outcome::Completed(()) => None,
            Outcome::Failed(error) => site.watch(move || Some(site.object(&error))),
            Outcome::Cancelled { cause, .. } => Some(site.violation(Reason::CheckCancelled, cause)),
            Outcome::TimedOut { phase, .. } => {
                let place = if phase == Phase::Queued { "queued" } else { "running" };
                Some(site.violation(Reason::CheckTimedOut, format_args!("still {place} after {limit:?}")))
            }
            Outcome::Abandoned => {
                let details = format_args!("its closure goes on after {limit:?}");
                Some(site.violation(Reason::CheckTimedOut, details))
            }
            Outcome::Panicked(panic) => Some(site.panicked(panic)),
        })
    }
}

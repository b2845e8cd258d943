//! A worker that does nothing but be there, for models and tests of its parts.
#![allow(unsafe_code, reason = "jobs are made by hand")]

use crate::sync::Arc;

use super::Job;
use super::cell::{Exit, JobCell};
use super::conditions::{Above, Conditions, Defaults};
use super::desk::Desk;
use super::head::Head;
use super::hold::JobRef;
use super::runner::Runner;
use super::work::Work;
use crate::books::Books;
use crate::observer::{JobInfo, Observer};
use crate::{Instant, JobId, Priority, Token, WorkerConfig};

/// See the head of the file.
pub(crate) struct Nobody(Books);

impl Default for Nobody {
    fn default() -> Self {
        Self(Books::new(0))
    }
}

impl Desk for Nobody {
    fn reap(&self, _: JobRef) {}

    fn ring(&self, _: usize, _: usize) {}

    fn free_call(&self, _: usize) {}

    fn end_lane(&self, _: usize, _: usize) {}

    fn now(&self) -> Instant {
        Instant::ORIGIN
    }

    fn recent(&self) -> Instant {
        Instant::ORIGIN
    }

    fn block(&self, _: &mut dyn FnMut()) -> Result<(), crate::WouldDeadlock> {
        Ok(())
    }

    fn books(&self) -> &Books {
        &self.0
    }

    fn cut_off(&self, _: &dyn Fn() -> JobInfo) {}

    fn forget(&self, _: JobId) {}

    fn ring_keeper(&self) {}

    fn observer(&self) -> Option<&dyn Observer> {
        None
    }
}

/// A job of nobody's.
pub(crate) fn cell<W: Work>(
    work: W,
    conditions: Conditions,
    desk: Arc<Nobody>,
) -> (Runner, JobRef, Exit<W::Value, W::Error>) {
    let (root, ops, defaults) = (Token::never(), &JobCell::<W>::OPS, Defaults::from(&WorkerConfig::new()));
    // SAFETY: what is never cancelled need not be there; the table is that of `W`.
    unsafe { JobCell::create(|at| Head::write(at, conditions, Above::NONE, &root, desk, &defaults, ops), work) }
}

/// The runner of a job that does nothing.
pub(crate) fn runner(priority: Priority) -> Runner {
    let Job { work, conditions, .. } = Job::task(core::future::ready(())).priority(priority);
    cell(work, conditions, Arc::default()).0
}

/// A job that does nothing, without its runner.
#[cfg(countermand_loom)]
pub(crate) fn job() -> JobRef {
    let Job { work, conditions, .. } = Job::task(core::future::ready(()));
    cell(work, conditions, Arc::default()).1
}

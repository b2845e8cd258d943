//! What a worker tells of its jobs: the hooks, and the words they are told in.

use alloc::borrow::Cow;
use core::time::Duration;

use crate::{Class, JobId, Priority, RejectReason};

/// What kind of work a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(clippy::exhaustive_enums, reason = "a job is a future or a closure")]
pub enum Kind {
    /// A future, polled in a lane.
    Task,
    /// A blocking closure, run on a thread of the host's.
    Call,
}

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(clippy::exhaustive_enums, reason = "the life of a job has these three stations")]
pub enum JobState {
    /// In the queue.
    Queued,
    /// In a lane.
    Running,
    /// Its outcome is fixed.
    Settled,
}

/// What there is to know about a job from outside.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JobInfo {
    /// Its number within its worker.
    pub id: JobId,
    /// Its name, as its submitter gave it; may be empty.
    pub name: Cow<'static, str>,
    /// How urgent it is.
    pub priority: Priority,
    /// Future or closure.
    pub kind: Kind,
    /// Where it is.
    pub state: JobState,
    /// How long ago it was submitted.
    pub age: Duration,
    /// How often it was polled.
    pub polls: u64,
}

/// How a job ended, in figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Settled {
    /// Its outcome without the values.
    pub class: Class,
    /// From submit to its first poll, or to the end if there was none.
    pub queued: Duration,
    /// From its first poll to the end; zero if there was none.
    pub running: Duration,
    /// How often it was polled.
    pub polls: u64,
    /// Whether it returned a value after its time was out (J9).
    pub late: bool,
}

/// Is told what happens to the jobs of a worker.
///
/// # For implementers
///
/// The hooks are called from the worker's drivers and its keeper, `submitted` and `rejected` from submitters; each costs its
/// caller the time that it takes, so a hook MUST NOT block. A hook that panics is contained and counted (P4). No lock of
/// the worker is held: a hook may use the worker.
pub trait Observer: Send + Sync + 'static {
    /// A job was accepted. Told by its submitter, right after: the job may have started by then. Its age is zero here, also if its submitter had to wait for a place:
    /// the clock is not read for that.
    fn submitted(&self, job: &JobInfo) {
        let _ = job;
    }

    /// A job has left the queue for a lane: it is about to be polled for the first time, or its closure is given to a thread. One that is
    /// asked to stop between this and its first poll, or before its thread begins, settles as not started all the same (J2, B2).
    fn started(&self, job: &JobInfo) {
        let _ = job;
    }

    /// A job's outcome is fixed. Called exactly once for each accepted job, before its handle is ready (E7).
    fn settled(&self, job: &JobInfo, settled: &Settled) {
        let _ = (job, settled);
    }

    /// A job was not accepted.
    fn rejected(&self, reason: RejectReason, priority: Priority) {
        let _ = (reason, priority);
    }

    /// A queued job made room for a more urgent one. `settled` follows.
    fn evicted(&self, job: &JobInfo) {
        let _ = job;
    }

    /// A job has held its driver for `held` without yielding (L3).
    fn stalled(&self, job: &JobInfo, held: Duration) {
        let _ = (job, held);
    }
}

//! Has every file read by a job of the worker, and says what became of each.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use countermand::{CauseKind, Handle, Job, Outcome, RejectReason, Shutdown, Token, Worker};

use crate::digest::{Problem, digest};
use crate::line::Digest;
use crate::progress::Progress;
use crate::tree::Found;

/// How long a read that does not come back is waited for once its job should stop; then it is left to itself.
pub(crate) const GRACE: Duration = Duration::from_millis(500);

/// What became of one file.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It was read to its end.
    Read(Digest),
    /// It could not be read.
    Unreadable(io::Error),
    /// Its reading took longer than it may.
    TimedOut,
    /// The program was interrupted first.
    Stopped {
        /// Whether its reading had begun.
        started: bool,
    },
    /// Its job broke, or was refused.
    Broken(String),
}

/// A file and what became of it.
pub(crate) type Entry = (PathBuf, Verdict);

/// Submits a job for each of `files` in their order, and waits for all of them. Whatever has not settled when `stop` is cancelled
/// settles as stopped.
pub(crate) fn checksums(
    worker: &Worker,
    files: Vec<Found>,
    timeout: Option<Duration>,
    progress: &Arc<Progress>,
    stop: &Token,
) -> Vec<Entry> {
    let stopped = worker.clone();
    stop.on_cancel(move |_| drop(stopped.shutdown(Shutdown::AbortWithin(GRACE))));
    let submitted: Vec<_> = files.into_iter().map(|file| submit(worker, file, timeout, progress)).collect();
    let verdict = |handle| verdict(handle, stop);
    submitted.into_iter().map(|(path, handle)| (path, handle.map_or_else(|refused| refused, verdict))).collect()
}

type Submitted = Result<Handle<Digest, Problem>, Verdict>;

fn submit(worker: &Worker, file: Found, timeout: Option<Duration>, progress: &Arc<Progress>) -> (PathBuf, Submitted) {
    let (path, progress) = (file.path.clone(), Arc::clone(progress));
    let mut job = Job::fallible_call(move |cx| {
        progress.reading(&path);
        digest(&path, cx)
    });
    job = job.name(file.path.to_string_lossy().into_owned()).priority(file.priority()).grace(GRACE).abandonable();
    if let Some(timeout) = timeout {
        job = job.run_timeout(timeout);
    }
    let handle = worker.submit_blocking(job).map_err(|refused| match refused.reason {
        RejectReason::Closed => Verdict::Stopped { started: false },
        _ => Verdict::Broken(refused.to_string()),
    });
    (file.path, handle)
}

fn verdict(handle: Handle<Digest, Problem>, stop: &Token) -> Verdict {
    match handle.wait() {
        Ok(Outcome::Completed(digest)) => Verdict::Read(digest),
        Ok(Outcome::Failed(Problem::Unreadable(error))) => Verdict::Unreadable(error),
        Ok(Outcome::Failed(Problem::Stopped(cause))) if cause.kind() == CauseKind::Deadline => Verdict::TimedOut,
        Ok(Outcome::Failed(Problem::Stopped(_))) => Verdict::Stopped { started: true },
        Ok(Outcome::Cancelled { started, .. }) => Verdict::Stopped { started },
        Ok(Outcome::Abandoned) if stop.is_cancelled() => Verdict::Stopped { started: true },
        Ok(Outcome::TimedOut { .. } | Outcome::Abandoned) => Verdict::TimedOut,
        Ok(Outcome::Panicked(panic)) => Verdict::Broken(panic.to_string()),
        Err(refused) => Verdict::Broken(refused.to_string()),
    }
}

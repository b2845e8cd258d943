//! A part of the supervisor: a job that is started again when it fails.

use std::future::Future;
use std::pin::Pin;

use countermand::{CallContext, Job, JobContext, Outcome, Token, Worker};

/// What came of one run of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It is through.
    Finished,
    /// It was told to end.
    Stopped,
    /// It failed.
    Failed(String),
}

/// A run under way.
type Run = Pin<Box<dyn Future<Output = Ended> + Send>>;

/// Starts a part once more, on this worker, under this token.
type Start = Box<dyn FnMut(Worker, Token) -> Run + Send>;

/// See the head of the file.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    /// Cancelled when the part is to end.
    pub(crate) token: Token,
    /// Whether the program ends if this part has failed.
    pub(crate) essential: bool,
    /// Whether it is started again however often it fails.
    pub(crate) untiring: bool,
    pub(crate) start: Start,
}

impl Part {
    /// A part that is a task. `make` is called for each run.
    pub(crate) fn task<F>(
        name: &'static str,
        token: &Token,
        make: impl Fn(JobContext) -> F + Clone + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let start: Start = Box::new(move |worker, token| {
            let make = make.clone();
            let job = Job::fallible_with(make).name(name).parent(&token);
            Box::pin(async move {
                match worker.submit(job).await {
                    Ok(handle) => ended(handle.await, &token),
                    Err(rejected) => refused(&rejected.to_string(), &token),
                }
            })
        });
        Self { name, token: token.clone(), essential: false, untiring: false, start }
    }

    /// A part that blocks a thread. `work` is called for each run.
    pub(crate) fn call(
        name: &'static str,
        token: &Token,
        work: impl Fn(&CallContext) -> Result<(), String> + Clone + Send + 'static,
    ) -> Self {
        let start: Start = Box::new(move |worker, token| {
            let work = work.clone();
            let job = Job::fallible_call(move |cx| work(cx)).name(name).parent(&token);
            Box::pin(async move {
                match worker.submit(job).await {
                    Ok(handle) => ended(handle.await, &token),
                    Err(rejected) => refused(&rejected.to_string(), &token),
                }
            })
        });
        Self { name, token: token.clone(), essential: false, untiring: false, start }
    }

    /// The program ends if this part has failed.
    pub(crate) fn essential(mut self) -> Self {
        self.essential = true;
        self
    }

    /// It is started again however often it fails: what it needs is somebody else's, and comes back or not.
    pub(crate) fn untiring(mut self) -> Self {
        self.untiring = true;
        self
    }
}

fn ended(outcome: Outcome<(), String>, token: &Token) -> Ended {
    match outcome {
        Outcome::Completed(()) => Ended::Finished,
        _ if token.is_cancelled() => Ended::Stopped,
        Outcome::Failed(why) => Ended::Failed(why),
        Outcome::Panicked(panic) => Ended::Failed(panic.to_string()),
        other => Ended::Failed(format!("it was ended from outside: {:?}", other.class())),
    }
}

fn refused(why: &str, token: &Token) -> Ended {
    if token.is_cancelled() { Ended::Stopped } else { Ended::Failed(why.to_owned()) }
}

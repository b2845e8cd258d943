//! A value that comes after the time was out.

use std::prelude::v1::*;

use countermand_core::{Counts, Job, LatePolicy, Outcome, Phase};

use crate::rules::kit::{Book, Puppet, has, lanes, secs};
use crate::{Bench, Census, Check, Flaw, Gate, Profile, ensure, ensure_eq};

pub(super) async fn j9_late_value_is_never_lost_silently(bench: &Bench) -> Check {
    let mut jobs = 0;
    for policy in [None, Some(LatePolicy::Deliver), Some(LatePolicy::Mark), Some(LatePolicy::Discard)] {
        late_value_of_a_task(bench, policy).await?;
        jobs += 1;
        if has(bench, Profile::NONE.blocking()) {
            late_value_of_a_call(bench, policy).await?;
            jobs += 1;
        }
    }
    for policy in [LatePolicy::Deliver, LatePolicy::Mark, LatePolicy::Discard] {
        late_error(bench, policy).await?;
        value_in_time(bench, policy).await?;
        jobs += 3;
    }
    Ok(jobs)
}

/// What became of a late value: delivered, marked, or discarded and counted; in each case it lives exactly as long as that says.
fn as_the_policy_says(
    policy: Option<LatePolicy>,
    outcome: Outcome<crate::Probe>,
    census: &Census,
    counts: Counts,
) -> Result<(), Flaw> {
    let class = outcome.class();
    let value = match outcome {
        Outcome::Completed(value) => ("delivered", Some(value)),
        Outcome::TimedOut { phase: Phase::Running, late: Some(value) } => ("marked late", Some(value)),
        Outcome::TimedOut { phase: Phase::Running, late: None } => ("discarded", None),
        other => return Err(Flaw::Broken(format!("{policy:?}: a job with a late value ended as {other:?}"))),
    };
    let (expected, timed_out, discarded) = match policy {
        None | Some(LatePolicy::Deliver) => ("delivered", 0, 0),
        Some(LatePolicy::Mark) => ("marked late", 1, 0),
        Some(LatePolicy::Discard) => ("discarded", 1, 1),
    };
    ensure_eq!(value.0, expected, "{policy:?}: what became of a late value, in an outcome of class {class:?}");
    ensure_eq!(
        census.alive(),
        u64::from(value.1.is_some()),
        "{policy:?}: late values alive when the outcome was there"
    );
    ensure_eq!(counts.late_discarded, discarded, "{policy:?}: late values that the worker counts as discarded");
    ensure_eq!((counts.timed_out, counts.completed), (timed_out, 1 - timed_out), "{policy:?}: timed out and completed");
    drop(value);
    census.each_once("a late value")
}

async fn late_value_of_a_task(bench: &Bench, policy: Option<LatePolicy>) -> Result<(), Flaw> {
    let book = Book::default();
    let worker = bench.worker(lanes(1).observer(book.observer()))?;
    let (census, puppet) = (Census::new(), Puppet::new());
    let job = Job::task(puppet.task()).run_timeout(secs(5)).grace(secs(10));
    let job = match policy {
        Some(policy) => job.late(policy),
        None => job,
    };
    let handle = bench.submit(&worker, job).await?;
    let id = handle.id();
    bench.advance(&worker, secs(8)).await?;
    ensure!(!handle.is_finished(), "a job was over within its grace");
    puppet.answer(census.probe());
    let outcome = bench.settled(handle).await?;
    let late: Vec<_> = book.ends_of(id).iter().map(|end| end.late).collect();
    ensure_eq!(late, [true], "{policy:?}: whether the observer was told that the value came late");
    as_the_policy_says(policy, outcome, &census, worker.counts())
}

async fn late_value_of_a_call(bench: &Bench, policy: Option<LatePolicy>) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let census = Census::new();
    let (entered, leave) = (Gate::new(), Gate::new());
    let (enter, left, value) = (entered.clone(), leave.clone(), census.probe());
    let job = Job::call(move |_| {
        enter.open();
        left.wait_blocking();
        value
    });
    let job = match policy {
        Some(policy) => job.late(policy),
        None => job,
    };
    let handle = bench.submit(&worker, job.run_timeout(secs(5))).await?;
    bench.until("a call runs", || entered.is_open()).await?;
    bench.advance(&worker, secs(8)).await?;
    ensure!(!handle.is_finished(), "a call that may not be abandoned was over before it returned");
    leave.open();
    let outcome = bench.settled(handle).await?;
    as_the_policy_says(policy, outcome, &census, worker.counts())
}

async fn late_error(bench: &Bench, policy: LatePolicy) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let puppet = Puppet::<Result<(), crate::Probe>>::new();
    let census = Census::new();
    let job = Job::fallible(puppet.task()).run_timeout(secs(5)).grace(secs(10)).late(policy);
    let handle = bench.submit(&worker, job).await?;
    bench.advance(&worker, secs(8)).await?;
    puppet.answer(Err(census.probe()));
    let outcome = bench.settled(handle).await?;
    let discarded = worker.counts().late_discarded;
    match (policy, &outcome) {
        (LatePolicy::Deliver, Outcome::Failed(_)) => ensure_eq!(discarded, 0, "discarded, though it was delivered"),
        (LatePolicy::Mark | LatePolicy::Discard, Outcome::TimedOut { phase: Phase::Running, late: None }) => {
            ensure_eq!(discarded, 1, "{policy:?}: late errors that the worker counts as discarded");
        }
        _ => return Err(Flaw::Broken(format!("{policy:?}: a job with a late error ended as {:?}", outcome.class()))),
    }
    drop(outcome);
    census.each_once("a late error")
}

/// Whatever the policy says of late values: one that comes in time, or after a request that is no deadline, is delivered.
async fn value_in_time(bench: &Bench, policy: LatePolicy) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let cast: [Puppet<u32>; 2] = [Puppet::new(), Puppet::new()];
    let job = |place: usize| Job::task(cast[place].task()).run_timeout(secs(5)).grace(secs(60)).late(policy);
    let handles = [bench.submit(&worker, job(0)).await?, bench.submit(&worker, job(1)).await?];
    bench.quiet(&worker).await?;
    handles[1].cancel();
    bench.advance(&worker, secs(4)).await?;
    cast[0].answer(9);
    let [in_time, asked] = handles;
    ensure_eq!(bench.settled(in_time).await?.completed(), Some(9), "{policy:?}: what a job returned in time");
    bench.advance(&worker, secs(4)).await?;
    cast[1].answer(9);
    let value = bench.settled(asked).await?.completed();
    ensure_eq!(value, Some(9), "{policy:?}: what a job returned in the grace of a request");
    ensure_eq!(worker.counts().late_discarded, 0, "{policy:?}: late values that the worker counts as discarded");
    Ok(())
}

//! What a full queue does.

use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use countermand_core::{
    Cause, Class, FullPolicy, Handle, Job, JobInfo, Observer, Outcome, Priority, RejectReason, Rejected, Settled,
    SubmitResult, Work, Worker, WorkerConfig,
};

use super::super::kit::lock;
use super::super::scene::{Held, Roll};
use crate::{Bench, Check, Flaw, Recorder, ensure, ensure_eq, poll};

const POLICIES: [FullPolicy; 3] = [FullPolicy::Wait, FullPolicy::Reject, FullPolicy::EvictLowest];

/// Writes down which jobs were said to be evicted, and which of them then settled as what.
#[derive(Debug, Default)]
struct Diary(Mutex<Vec<String>>);

impl Diary {
    fn write(&self, line: String) {
        lock(&self.0).push(line);
    }

    fn lines(&self) -> Vec<String> {
        lock(&self.0).clone()
    }
}

impl Observer for Diary {
    fn evicted(&self, job: &JobInfo) {
        self.write(format!("{} evicted", job.name));
    }

    fn settled(&self, job: &JobInfo, settled: &Settled) {
        if matches!(settled.class, Class::Cancelled { .. }) {
            self.write(format!("{} settled", job.name));
        }
    }

    fn rejected(&self, reason: RejectReason, priority: Priority) {
        self.write(format!("{} {}", priority.name(), reason.name()));
    }
}

pub(super) async fn q5_a_full_queue_does_what_its_policy_says(bench: &Bench) -> Check {
    super::items::q5_full()?;
    for policy in POLICIES {
        refusals_give_the_job_back(bench, policy).await?;
    }
    waits(bench).await?;
    evicts_the_lowest(bench).await?;
    evictions_by_a_model(bench).await
}

/// What is refused comes back whole, and can be submitted elsewhere.
async fn refusals_give_the_job_back(bench: &Bench, policy: FullPolicy) -> Result<(), Flaw> {
    let held = Held::new(bench, WorkerConfig::new().capacity(1).full(policy)).await?;
    let roll = Roll::new();
    let first = bench.submit(&held.worker, roll.job(0).priority(Priority::High)).await?;
    let job = || roll.job(1).priority(Priority::High).name("refused");
    let mut refused = vec![expect_full(held.worker.try_submit(job()))?];
    match policy {
        FullPolicy::Wait => {}
        FullPolicy::Reject | FullPolicy::EvictLowest => {
            let mut submit = held.worker.submit(job());
            let recorder = Recorder::new();
            match poll(Pin::new(&mut submit), &recorder.waker()) {
                Poll::Ready(result) => refused.push(expect_full(result)?),
                Poll::Pending => return Err(Flaw::Broken(format!("a submit to a full queue waits under {policy:?}"))),
            }
        }
    }
    bench.quiet(&held.worker).await?;
    ensure_eq!(held.worker.queued(), 1, "queued");
    ensure_eq!(roll.census().dropped(), 0, "bodies dropped when jobs were refused under {policy:?}");
    ensure_eq!(first.is_finished(), false, "whether a job of the same priority was put out under {policy:?}");
    let elsewhere = bench.worker(WorkerConfig::new())?;
    let count = refused.len();
    for rejected in refused {
        ensure_eq!(rejected.job.label(), "refused", "the name of the job that came back");
        let handle = bench.submit(&elsewhere, rejected.job).await?;
        ensure_eq!(handle.priority(), Priority::High, "the priority of the job that came back");
        ensure_eq!(bench.settled(handle).await?.completed(), Some(1), "what the job that came back returned");
    }
    let worker = held.release(bench).await?;
    bench.settled(first).await?;
    ensure_eq!(worker.counts().rejected, count as u64, "the worker's own count of rejected jobs");
    roll.census().each_once("bodies of jobs that had been refused")
}

fn expect_full<W: Work>(result: SubmitResult<W>) -> Result<Rejected<Job<W>>, Flaw> {
    match result {
        Err(rejected) if rejected.reason == RejectReason::Full => Ok(rejected),
        Err(rejected) => Err(Flaw::Broken(format!("a full queue refused a job because: {}", rejected.reason))),
        Ok(handle) => Err(Flaw::Broken(format!("a full queue took {:?}", handle.id()))),
    }
}

async fn waits(bench: &Bench) -> Result<(), Flaw> {
    let held = Held::new(bench, WorkerConfig::new().capacity(1).full(FullPolicy::Wait)).await?;
    let roll = Roll::new();
    let first = bench.submit(&held.worker, roll.job(0)).await?;
    let mut submit = held.worker.submit(roll.job(1).priority(Priority::Critical));
    let recorder = Recorder::new();
    ensure!(
        poll(Pin::new(&mut submit), &recorder.waker()).is_pending(),
        "a submit to a full queue did not wait, under the policy to wait"
    );
    bench.quiet(&held.worker).await?;
    ensure_eq!((held.worker.queued(), recorder.wakes()), (1, 0), "queued, and wakes of the submitter that waits");
    ensure_eq!((first.is_finished(), roll.census().dropped()), (false, 0), "whether anybody had to make room");
    // A place becomes free as soon as a lane does.
    let worker = held.release(bench).await?;
    bench.settled(first).await?;
    ensure_eq!(recorder.wakes(), 1, "wakes of the submitter when a place had become free");
    match bench.within("the submitter has its place", submit).await? {
        Ok(handle) => ensure_eq!(bench.settled(handle).await?.completed(), Some(1), "what it returned"),
        Err(rejected) => return Err(Flaw::Broken(format!("a waiting submitter was told: {}", rejected.reason))),
    }
    ensure_eq!(worker.counts().accepted, 3, "accepted");
    roll.census().each_once("bodies of jobs that had waited")
}

async fn evicts_the_lowest(bench: &Bench) -> Result<(), Flaw> {
    let diary = Arc::new(Diary::default());
    let config = WorkerConfig::new().capacity(4).full(FullPolicy::EvictLowest).observer(diary.clone());
    let held = Held::new(bench, config).await?;
    let roll = Roll::new();
    let submit = |number: u64, priority| {
        held.worker.try_submit(roll.job(number).priority(priority)).map_err(|rejected| rejected.reason)
    };
    let accepted = |result: Result<Handle<u64>, RejectReason>| {
        result.map_err(|reason| Flaw::Broken(format!("a job was refused though a lower one was queued: {reason}")))
    };
    let older = accepted(submit(1, Priority::Low))?;
    let normal = accepted(submit(2, Priority::Normal))?;
    let younger = accepted(submit(3, Priority::Low))?;
    let high = accepted(submit(4, Priority::High))?;
    let newcomer = accepted(submit(5, Priority::Normal))?;
    let outcome = bench.settled(younger).await?;
    ensure!(
        matches!(outcome, Outcome::Cancelled { cause: Cause::EVICTED, started: false }),
        "the youngest job of the lowest priority made room and settled as {outcome:?}"
    );
    bench.quiet(&held.worker).await?;
    held.still_held()?;
    ensure_eq!(
        [older.is_finished(), normal.is_finished(), high.is_finished(), newcomer.is_finished()],
        [false; 4],
        "whether any other job settled"
    );
    ensure_eq!(held.worker.queued(), 4, "queued");
    ensure_eq!(diary.lines(), ["number 3 evicted", "number 3 settled"], "what the observer was told");
    // Nobody below: the newcomer comes back, and nobody is put out for an equal.
    ensure_eq!(submit(6, Priority::Low).err(), Some(RejectReason::Full), "a Low job was told");
    ensure_eq!(held.worker.queued(), 4, "queued");
    // By `submit` as by `try_submit`.
    let second = bench.submit(&held.worker, roll.job(7).priority(Priority::Critical)).await?;
    let outcome = bench.settled(older).await?;
    ensure!(
        matches!(outcome, Outcome::Cancelled { cause: Cause::EVICTED, started: false }),
        "the only Low job settled as {outcome:?} when a Critical one came"
    );
    let worker = held.release(bench).await?;
    for handle in [normal, high, newcomer, second] {
        let outcome = bench.settled(handle).await?;
        ensure!(matches!(outcome, Outcome::Completed(_)), "a job that kept its place settled as {outcome:?}");
    }
    let counts = worker.counts();
    ensure_eq!((counts.evicted, counts.cancelled, counts.rejected), (2, 2, 1), "evicted, cancelled and rejected");
    roll.census().each_once("bodies in a queue that evicts")
}

/// Floods at random, against a list of one's own.
async fn evictions_by_a_model(bench: &Bench) -> Check {
    const CAPACITY: usize = 8;
    let rounds = bench.rounds(20);
    for round in 0..rounds {
        let held = Held::new(bench, WorkerConfig::new().capacity(CAPACITY).full(FullPolicy::EvictLowest)).await?;
        let roll = Roll::new();
        let mut random = bench.random();
        let mut queued: Vec<(Priority, u64)> = Vec::new();
        let mut evicted: Vec<u64> = Vec::new();
        let mut handles: Vec<Handle<u64>> = Vec::new();
        let mut numbers = Vec::new();
        for number in 0..40 {
            let priority = Priority::ALL[random.usize(..Priority::ALL.len())];
            let lowest = queued.iter().map(|(priority, _)| *priority).min();
            let room = queued.len() < CAPACITY;
            let result = held.worker.try_submit(roll.job(number).priority(priority));
            let taken = room || lowest < Some(priority);
            ensure_eq!(result.is_ok(), taken, "round {round}: whether a {priority:?} job was taken by {queued:?}");
            if taken && !room {
                let youngest = queued.iter().rposition(|(priority, _)| Some(*priority) == lowest);
                evicted.extend(youngest.map(|place| queued.remove(place).1));
            }
            if let Ok(handle) = result {
                queued.push((priority, number));
                handles.push(handle);
                numbers.push(number);
            }
        }
        bench.quiet(&held.worker).await?;
        ensure_eq!(held.worker.queued(), queued.len(), "round {round}: queued");
        let worker: Worker = held.release(bench).await?;
        for (number, handle) in numbers.into_iter().zip(handles) {
            let outcome = bench.settled(handle).await?;
            let was_evicted = matches!(outcome, Outcome::Cancelled { cause: Cause::EVICTED, started: false });
            ensure_eq!(was_evicted, evicted.contains(&number), "round {round}: job {number} settled as {outcome:?}");
        }
        ensure_eq!(worker.counts().evicted, evicted.len() as u64, "round {round}: the worker's own count of evicted");
        roll.census().each_once("bodies in a queue that evicts")?;
    }
    Ok(rounds)
}

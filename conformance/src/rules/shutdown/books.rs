//! The books of a worker add up, by an account that was kept outside of it.

use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

use countermand_core::{
    CauseKind, Class, Counts, FullPolicy, Handle, Job, LatePolicy, Outcome, Phase, Priority, RejectReason, Shutdown,
    SubmitResult, Work, Worker, WorkerConfig,
};

use super::super::kit::has;
use crate::{Bench, Check, Flaw, Gate, Profile, ensure, ensure_eq, poll};

/// What a worker should have counted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Account {
    accepted: u64,
    rejected: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
    evicted: u64,
    timed_out: u64,
    timed_out_queued: u64,
    panicked: u64,
    abandoned: u64,
}

impl Account {
    fn note<T, E>(&mut self, outcome: &Outcome<T, E>) {
        match outcome.class() {
            Class::Completed => self.completed += 1,
            Class::Failed => self.failed += 1,
            Class::Cancelled { cause, .. } => {
                self.cancelled += 1;
                self.evicted += u64::from(cause.kind() == CauseKind::Evicted);
            }
            Class::TimedOut(phase) => {
                self.timed_out += 1;
                self.timed_out_queued += u64::from(phase == Phase::Queued);
            }
            Class::Panicked => self.panicked += 1,
            Class::Abandoned => self.abandoned += 1,
        }
    }

    fn of(counts: &Counts) -> Self {
        Self {
            accepted: counts.accepted,
            rejected: counts.rejected,
            completed: counts.completed,
            failed: counts.failed,
            cancelled: counts.cancelled,
            evicted: counts.evicted,
            timed_out: counts.timed_out,
            timed_out_queued: counts.timed_out_queued,
            panicked: counts.panicked,
            abandoned: counts.abandoned,
        }
    }

    fn agrees(&self, counts: &Counts, when: &str) -> Result<(), Flaw> {
        ensure_eq!(Self::of(counts), *self, "{when}: the worker's books, against what was seen of its handles");
        let sum =
            counts.completed + counts.failed + counts.cancelled + counts.timed_out + counts.panicked + counts.abandoned;
        ensure_eq!((counts.accepted, counts.unsettled), (sum, 0), "{when}: accepted, and unsettled, against the sum");
        Ok(())
    }
}

pub(super) async fn s7_the_counts_add_up(bench: &Bench) -> Check {
    one_of_each(bench).await?;
    let rounds = bench.rounds(12);
    for round in 0..rounds {
        mixed(bench, round).await?;
    }
    Ok(rounds + 1)
}

/// Every class of outcome that the target knows, once and by itself, with the books looked at after each.
async fn one_of_each(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1).capacity(1).full(FullPolicy::EvictLowest))?;
    let mut account = Account::default();
    let mut ledger = Ledger { bench, worker: &worker, account: &mut account };
    ledger.ends("completes", Job::task(async {}), |_| true).await?;
    ledger.ends("fails", Job::fallible(async { Err::<(), u8>(1) }), |_| true).await?;
    ledger.ends("is cancelled", Job::task(std::future::pending::<()>()), |handle| handle.cancel()).await?;
    let limit = Duration::from_nanos(5);
    let pass = || {
        bench.tick(limit);
        true
    };
    ledger.ends("times out", Job::task(std::future::pending::<()>()).run_timeout(limit), |_| pass()).await?;
    let late = Job::task_with(|cx| async move { cx.token().cancelled().await });
    let late = late.run_timeout(limit).grace(limit).late(LatePolicy::Discard);
    ledger.ends("returns late", late, |_| pass()).await?;
    if has(bench, Profile::NONE.unwind()) {
        ledger.ends("panics", Job::task(async { panic_quietly("at work") }), |_| true).await?;
        let body = panics_as_it_is_dropped();
        ledger.ends("panics as it is dropped", Job::task(body), |handle| handle.cancel()).await?;
    }
    if has(bench, Profile::NONE.blocking()) {
        ledger.ends("is a call that completes", Job::call(|_| 1), |_| true).await?;
        ledger.ends("is a call that fails", Job::fallible_call(|_| Err::<(), u8>(1)), |_| true).await?;
        let (inside, gate) = (Gate::new(), Gate::new());
        let (enter, leave) = (inside.clone(), gate.clone());
        let call = Job::call(move |_| {
            enter.open();
            leave.wait_blocking();
        });
        let call = ledger.submit(call.run_timeout(limit).abandonable()).await?;
        bench.until("the call runs", || inside.is_open()).await?;
        bench.advance(&worker, limit).await?;
        ledger.settled(call).await?;
        ledger.account.agrees(&worker.counts(), "after a call that was left to itself")?;
        gate.open();
        bench.until("the lane of the abandoned call is free", || worker.running() == 0).await?;
        if has(bench, Profile::NONE.unwind()) {
            ledger.ends("is a call that panics", Job::call(|_| panic_quietly("in a call")), |_| true).await?;
        }
    }
    // In the queue: timed out, evicted, rejected.
    let gate = Gate::new();
    let holder = ledger.submit(Job::task(gate.wait()).priority(Priority::Critical)).await?;
    bench.quiet(&worker).await?;
    let queued = ledger.submit(Job::task(async {}).queue_timeout(limit)).await?;
    bench.advance(&worker, limit).await?;
    ledger.settled(queued).await?;
    let evicted = ledger.submit(Job::task(async {}).priority(Priority::Low)).await?;
    let urgent = ledger.submit(Job::task(async {}).priority(Priority::High)).await?;
    ledger.settled(evicted).await?;
    let refused = worker.try_submit(Job::task(async {}).priority(Priority::Low)).err().map(|back| back.reason);
    ensure_eq!(refused, Some(RejectReason::Full), "what a job that has to stay out was told");
    ledger.account.rejected += 1;
    gate.open();
    ledger.settled(urgent).await?;
    ledger.settled(holder).await?;

    let report = bench.within("the drain is over", worker.shutdown(Shutdown::Drain)).await?;
    account.agrees(&report.counts, "one of each")?;
    let has_panics = u64::from(has(bench, Profile::NONE.unwind()));
    ensure!(
        account.panicked >= has_panics * 2 && account.timed_out == 3 && account.evicted == 1 && account.failed >= 1,
        "not every class was seen: {account:?}"
    );
    ensure_eq!(report.counts.late_discarded, 1 + account.abandoned, "late values that were discarded and counted");
    Ok(())
}

/// Submits and awaits, and writes both down.
struct Ledger<'a> {
    bench: &'a Bench,
    worker: &'a Worker,
    account: &'a mut Account,
}

impl Ledger<'_> {
    async fn submit<W: Work>(&mut self, job: Job<W>) -> Result<Handle<W::Value, W::Error>, Flaw> {
        let handle = self.bench.submit(self.worker, job).await?;
        self.account.accepted += 1;
        Ok(handle)
    }

    async fn settled<T, E>(&mut self, handle: Handle<T, E>) -> Result<(), Flaw> {
        let outcome = self.bench.settled(handle).await?;
        self.account.note(&outcome);
        Ok(())
    }

    /// Runs one job to its end, on an idle worker, and compares the books.
    async fn ends<W: Work>(
        &mut self,
        what: &str,
        job: Job<W>,
        act: impl FnOnce(&Handle<W::Value, W::Error>) -> bool,
    ) -> Result<(), Flaw> {
        let handle = self.submit(job).await?;
        self.bench.quiet(self.worker).await?;
        ensure!(act(&handle), "a job that {what} could not be made to");
        self.settled(handle).await?;
        self.account.agrees(&self.worker.counts(), &format!("after a job that {what}"))
    }
}

/// Once it was polled.
async fn panics_as_it_is_dropped() {
    let _probe = crate::Census::new().probe_with(|| panic_quietly("in a destructor"));
    std::future::pending::<()>().await;
}

/// The text goes to standard error, which nobody reads unless the rule is broken.
fn panic_quietly(why: &'static str) {
    std::panic::resume_unwind(Box::new(why));
}

/// Jobs of all kinds at once on several drivers, ended by a drain or an abort.
async fn mixed(bench: &Bench, round: u64) -> Result<(), Flaw> {
    const JOBS: usize = 150;
    let mut random = bench.random();
    let full = [FullPolicy::Reject, FullPolicy::EvictLowest][random.usize(..2)];
    let config = WorkerConfig::new().lanes(4).drivers(2).capacity(20).full(full);
    let worker = bench.worker(config)?;
    let unwinds = has(bench, Profile::NONE.unwind());
    let calls = has(bench, Profile::NONE.blocking());
    let (mut account, gate) = (Account::default(), Gate::new());
    let wasted = Arc::new(AtomicU64::new(0));
    let mut plain: Vec<Handle<()>> = Vec::new();
    let mut fallible: Vec<Handle<(), u8>> = Vec::new();
    for _ in 0..JOBS {
        let priority = Priority::ALL[random.usize(..Priority::COUNT)];
        let span = Duration::from_nanos(random.u64(1..60));
        let yields = random.u32(0..4);
        let work = async move {
            for _ in 0..yields {
                crate::bench::yield_now().await;
            }
        };
        match random.u8(..10) {
            0..=2 => account.take(worker.try_submit(Job::task(work).priority(priority)), &mut plain),
            3 => {
                let job = Job::fallible(async move {
                    work.await;
                    Err::<(), u8>(3)
                });
                account.take(worker.try_submit(job.priority(priority)), &mut fallible);
            }
            4 => {
                let job = Job::task(std::future::pending::<()>()).run_timeout(span).queue_timeout(span);
                account.take(worker.try_submit(job.priority(priority)), &mut plain);
            }
            5 => {
                let job = Job::task(gate.wait()).queue_timeout(span);
                account.take(worker.try_submit(job.priority(priority)), &mut plain);
            }
            6 if unwinds => {
                let job = Job::task(async move {
                    work.await;
                    panic_quietly("at work");
                });
                account.take(worker.try_submit(job.priority(priority)), &mut plain);
            }
            7 if unwinds => {
                let job = Job::task(panics_as_it_is_dropped());
                account.take(worker.try_submit(job.run_timeout(span).priority(priority)), &mut plain);
            }
            8 if calls => account.take(worker.try_submit(Job::call(|_| ()).priority(priority)), &mut plain),
            _ => {
                // Detached at once: counted by its callback.
                let wasted = Arc::clone(&wasted);
                match worker.try_submit(Job::task(work).priority(priority)) {
                    Ok(handle) => {
                        account.accepted += 1;
                        handle.on_done(move |_| {
                            wasted.fetch_add(1, Ordering::SeqCst);
                        });
                    }
                    Err(_) => account.rejected += 1,
                }
            }
        }
        match random.u8(..12) {
            0 if !plain.is_empty() => {
                plain[random.usize(..plain.len())].cancel();
            }
            1 => bench.tick(span),
            2..=4 => bench.yield_now().await,
            _ => {}
        }
    }
    let how = if round.is_multiple_of(2) { Shutdown::Drain } else { Shutdown::Abort };
    let mut wait = worker.shutdown(how);
    gate.open();
    // What starts only now has its time-out ahead of it.
    let mut over = None;
    let look = || {
        bench.tick(Duration::from_nanos(60));
        if let Poll::Ready(report) = poll(Pin::new(&mut wait), Waker::noop()) {
            over = Some(report);
        }
        over.is_some()
    };
    bench.until("the shutdown is over", look).await?;
    let Some(report) = over else { return Ok(()) };
    let detached = wasted.load(Ordering::SeqCst);
    for handle in plain {
        ensure!(handle.is_finished(), "round {round}: the shutdown is over and {handle:?} has not settled");
        account.note(&bench.settled(handle).await?);
    }
    for handle in fallible {
        ensure!(handle.is_finished(), "round {round}: the shutdown is over and {handle:?} has not settled");
        account.note(&bench.settled(handle).await?);
    }
    let counts = report.counts;
    let seen = account.completed + account.failed + account.cancelled + account.timed_out + account.panicked;
    ensure_eq!(
        account.accepted,
        seen + detached,
        "round {round}: accepted, and outcomes seen, with {detached} detached"
    );
    ensure_eq!(
        (counts.accepted, counts.rejected, counts.failed, counts.panicked, counts.timed_out, counts.abandoned),
        (account.accepted, account.rejected, account.failed, account.panicked, account.timed_out, 0),
        "round {round}: accepted, rejected, failed, panicked, timed out, abandoned in the report; {how:?}, {full:?}"
    );
    // The detached ones complete, or are evicted or aborted.
    ensure_eq!(
        counts.completed + counts.cancelled,
        account.completed + account.cancelled + detached,
        "round {round}: completed and cancelled in the report; {how:?}, {full:?}"
    );
    ensure_eq!(
        counts.accepted,
        counts.completed + counts.failed + counts.cancelled + counts.timed_out + counts.panicked + counts.abandoned,
        "round {round}: accepted, against the sum of the outcomes"
    );
    Ok(())
}

impl Account {
    /// Writes down what became of a submit.
    fn take<W: Work>(&mut self, result: SubmitResult<W>, handles: &mut Vec<Handle<W::Value, W::Error>>) {
        match result {
            Ok(handle) => {
                self.accepted += 1;
                handles.push(handle);
            }
            Err(_) => self.rejected += 1,
        }
    }
}

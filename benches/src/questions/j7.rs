//! J7: what it costs to cancel ten thousand jobs that run, until every handle has its outcome.
//!
//! All have been polled and are pending for ever. Timed is from the request to the last outcome, on two threads. Ours cancels the token that
//! is the parent of all; by hand it is the root of their child tokens; `JoinSet::shutdown` aborts and awaits all of a set; with bare handles one aborts
//! each and awaits each.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countermand::{Job, Token, WorkerConfig};
use tokio::task::{JoinHandle, JoinSet, yield_now};

use crate::idioms::by_hand::OnTokio;
use crate::idioms::tokio_threads::Threads;
use crate::idioms::work::TIMEOUT;
use crate::question::{Cases, Goal, Quantity, Question};

const OURS: &str = "Token::cancel of the jobs' parent";
const BY_HAND: &str = "by hand, the root token";
const ABORT: &str = "tokio::spawn, abort each";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "J7",
    title: "cancelling 10,000 running jobs until every handle resolved, two threads",
    ops: 10_000,
    by: Quantity::Cpu,
    goals: &[Goal::times_less("", OURS, BY_HAND, 10.0), Goal::times_less("", OURS, ABORT, 5.0)],
    cases,
};

/// Counts those that were polled.
#[derive(Clone, Default)]
struct Census(Arc<AtomicU64>);

impl Census {
    async fn stay(self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed);
        pending().await
    }

    async fn all(&self, count: u64) {
        while self.0.load(Ordering::Relaxed) < count {
            yield_now().await;
        }
    }
}

fn cases(ops: u64, cases: &mut Cases) {
    let all = usize::try_from(ops).unwrap_or(usize::MAX);
    let threads = Threads::new(2);
    let worker = threads.worker(WorkerConfig::new().lanes(all).capacity(all));
    cases.ours(OURS, move |meter| {
        let (jobs, worker) = (meter.ops(), worker.clone());
        let parent = Token::new();
        let token = parent.clone();
        let handles = threads.run(async move {
            let census = Census::default();
            let job = |_| Job::task(census.clone().stay()).parent(&token).run_timeout(TIMEOUT);
            let submit = |number| worker.try_submit(job(number)).expect("there is room");
            let handles: Vec<_> = (0..jobs).map(submit).collect();
            census.all(jobs).await;
            handles
        });
        let cancelled = meter.time(|| {
            threads.run(async move {
                parent.cancel();
                let mut cancelled = 0;
                for handle in handles {
                    cancelled += u64::from(handle.await.is_cancelled());
                }
                cancelled
            })
        });
        assert_eq!(cancelled, jobs);
    });

    let threads = Threads::new(2);
    cases.peer(BY_HAND, move |meter| {
        let jobs = meter.ops();
        let hand = OnTokio::new(all);
        let root = hand.root.clone();
        let handles = threads.run(async move {
            let census = Census::default();
            let mut handles = Vec::new();
            for _ in 0..jobs {
                handles.push(hand.submit(census.clone().stay()).await);
            }
            census.all(jobs).await;
            handles
        });
        let cancelled = meter.time(|| {
            threads.run(async move {
                root.cancel();
                let mut cancelled = 0;
                for handle in handles {
                    cancelled += u64::from(handle.await.expect("it does not panic").is_none());
                }
                cancelled
            })
        });
        assert_eq!(cancelled, jobs);
    });

    let threads = Threads::new(2);
    cases.peer("JoinSet::shutdown", move |meter| {
        let jobs = meter.ops();
        let mut set = threads.run(async move {
            let census = Census::default();
            let mut set = JoinSet::new();
            for _ in 0..jobs {
                set.spawn(census.clone().stay());
            }
            census.all(jobs).await;
            set
        });
        let left = meter.time(|| {
            threads.run(async move {
                set.shutdown().await;
                set.len()
            })
        });
        assert_eq!(left, 0);
    });

    let threads = Threads::new(2);
    cases.peer(ABORT, move |meter| {
        let jobs = meter.ops();
        let handles: Vec<JoinHandle<u64>> = threads.run(async move {
            let census = Census::default();
            let handles = (0..jobs).map(|_| tokio::spawn(census.clone().stay())).collect();
            census.all(jobs).await;
            handles
        });
        let cancelled = meter.time(|| {
            threads.run(async move {
                for handle in &handles {
                    handle.abort();
                }
                let mut cancelled = 0;
                for handle in handles {
                    cancelled += u64::from(handle.await.is_err_and(|error| error.is_cancelled()));
                }
                cancelled
            })
        });
        assert_eq!(cancelled, jobs);
    });
}

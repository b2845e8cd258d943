//! Curves over jobs: how many are queued, how many are in flight.

use std::future::{Future, ready as at_once};

use countermand::{Job, WorkerConfig};
use futures::FutureExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Curve, Line};
use crate::idioms::by_hand::{OnTokio, or_until};
use crate::idioms::tokio_threads::Threads;
use crate::idioms::window::{in_a_burst, in_window};
use crate::idioms::work::{IN_FLIGHT, TIMEOUT, pending_once, ready, sum_below};
use crate::meter::Meter;
use crate::question::{Role, Run};
use crate::questions::jobs::{taken, value};

const MILLION: u64 = 1_000_000;

/// At least so many jobs at a place, in several bursts where it takes several.
fn enough(count: u64) -> u64 {
    20_000_u64.div_ceil(count) * count
}

/// What a job costs when so many are queued before it.
pub(super) static QUEUED: Curve = Curve {
    name: "jobs-queued",
    title: "A trivial job, so many queued at a time, one thread",
    over: "jobs queued",
    each: "a job",
    ops: enough,
    lines: &[
        Line { name: "Worker::submit", role: Role::Ours, make: ours_queued, up_to: MILLION },
        Line { name: "by hand", role: Role::Peer, make: by_hand_queued, up_to: MILLION },
        Line { name: "tokio::spawn, bare", role: Role::Peer, make: bare_queued, up_to: MILLION },
        Line { name: "JoinSet, token and time-out", role: Role::Peer, make: set_queued, up_to: MILLION },
    ],
};

/// Runs bursts of `count` jobs, one after the other, until all operations are done. All are submitted and awaited by one task.
fn bursts<B>(meter: &mut Meter, threads: &Threads, count: u64, burst: impl Fn() -> B + Send + 'static)
where
    B: Future<Output = u64> + Send + 'static,
{
    let times = meter.ops() / count;
    let all = async move {
        let mut sum = 0;
        for _ in 0..times {
            sum += burst().await;
        }
        sum
    };
    assert_eq!(meter.time(|| threads.run(all)), times * sum_below(count));
}

fn ours_queued(count: u64) -> Run {
    let threads = Threads::new(1);
    let worker = threads.worker(WorkerConfig::new().lanes(IN_FLIGHT).capacity(count as usize));
    Box::new(move |meter| {
        let worker = worker.clone();
        bursts(meter, &threads, count, move || {
            let worker = worker.clone();
            let submit = move |number| {
                at_once(worker.try_submit(Job::task(ready(number)).run_timeout(TIMEOUT)).expect("there is room"))
            };
            in_a_burst(count, submit, value)
        });
    })
}

fn by_hand_queued(count: u64) -> Run {
    let threads = Threads::new(1);
    let hand = OnTokio::new(IN_FLIGHT);
    Box::new(move |meter| {
        let hand = hand.clone();
        bursts(meter, &threads, count, move || {
            let hand = hand.clone();
            let submit = move |number| at_once(hand.queue(ready(number)));
            let done = |done: Result<Option<u64>, _>| done.ok().flatten().expect("nobody cancels it");
            in_a_burst(count, submit, done)
        });
    })
}

fn bare_queued(count: u64) -> Run {
    let threads = Threads::new(1);
    Box::new(move |meter| {
        bursts(meter, &threads, count, move || {
            let submit = |number| at_once(tokio::spawn(ready(number)));
            in_a_burst(count, submit, |done| done.expect("it does not panic"))
        });
    })
}

fn set_queued(count: u64) -> Run {
    let threads = Threads::new(1);
    Box::new(move |meter| {
        bursts(meter, &threads, count, move || async move {
            let root = CancellationToken::new();
            let mut set = JoinSet::new();
            for number in 0..count {
                set.spawn(or_until(root.child_token(), ready(number)));
            }
            let mut sum = 0;
            while let Some(done) = set.join_next().await {
                sum += done.ok().flatten().expect("nobody cancels it");
            }
            sum
        });
    })
}

/// What a job costs that is pending once, when so many are in flight.
pub(super) static LANES: Curve = Curve {
    name: "lanes",
    title: "A job that is pending once, so many in flight, one thread",
    over: "lanes; by hand, permits",
    each: "a job",
    ops: |lanes| lanes.max(20_000) * 2,
    lines: &[
        Line { name: "Worker::submit", role: Role::Ours, make: ours_in_flight, up_to: MILLION },
        Line { name: "by hand", role: Role::Peer, make: by_hand_in_flight, up_to: MILLION },
        Line { name: "tokio::spawn, bare", role: Role::Peer, make: bare_in_flight, up_to: MILLION },
    ],
};

fn ours_in_flight(lanes: u64) -> Run {
    let threads = Threads::new(1);
    let worker = threads.worker(WorkerConfig::new().lanes(lanes as usize).capacity(lanes as usize));
    Box::new(move |meter| {
        let (jobs, worker) = (meter.ops(), worker.clone());
        let submit = move |number| worker.submit(Job::task(pending_once(number)).run_timeout(TIMEOUT)).map(taken);
        let batch = in_window(jobs, lanes as usize, submit, value);
        assert_eq!(meter.time(|| threads.run(batch)), sum_below(jobs));
    })
}

fn by_hand_in_flight(lanes: u64) -> Run {
    let threads = Threads::new(1);
    let hand = OnTokio::new(lanes as usize);
    Box::new(move |meter| {
        let (jobs, hand) = (meter.ops(), hand.clone());
        let submit = move |number| hand.submit(pending_once(number));
        let done = |done: Result<Option<u64>, _>| done.ok().flatten().expect("nobody cancels it");
        let batch = in_window(jobs, lanes as usize, submit, done);
        assert_eq!(meter.time(|| threads.run(batch)), sum_below(jobs));
    })
}

fn bare_in_flight(lanes: u64) -> Run {
    let threads = Threads::new(1);
    Box::new(move |meter| {
        let jobs = meter.ops();
        let submit = |number| at_once(tokio::spawn(pending_once(number)));
        let batch = in_window(jobs, lanes as usize, submit, |done| done.expect("it does not panic"));
        assert_eq!(meter.time(|| threads.run(batch)), sum_below(jobs));
    })
}

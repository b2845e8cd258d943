//! The races around a whole worker, one to a model: in each, everything finishes before anybody shuts down (L6).

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::Arc;

use ::loom::future::block_on;
use ::loom::sync::Mutex;
use ::loom::thread::{self, JoinHandle};

use super::Worker;
use crate::{Alarm, Assembly, Drive, Host, Instant, Job, Outcome, WorkerConfig, loom_model_bounded};

/// A host without time.
struct Still;

impl Host for Still {
    type Alarm = Silent;

    fn now(&self) -> Instant {
        Instant::ORIGIN
    }

    fn alarm(&self) -> Silent {
        Silent
    }
}

struct Silent;

impl Alarm for Silent {
    fn poll_at(self: Pin<&mut Self>, _: Instant, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

/// A worker of one driver with so many lanes, and the keeper; nobody drives either.
fn machine(lanes: usize) -> (Worker, Drive<Still>, Drive<Still>) {
    let config = WorkerConfig::new().lanes(lanes).drivers(1).capacity(lanes).watchdog(None);
    let (worker, mut attendants) = Assembly::new(config, Arc::new(Still)).unwrap().into_parts();
    let keeper = attendants.pop().unwrap();
    (worker, attendants.pop().unwrap(), keeper)
}

/// A worker of one lane: its driver in a thread of its own, and the keeper, which is not driven.
fn one_driver() -> (Worker, JoinHandle<()>, Drive<Still>) {
    let (worker, driver, keeper) = machine(1);
    (worker, thread::spawn(move || block_on(driver)), keeper)
}

/// What a job stands before until it is opened.
#[derive(Clone)]
struct Gate(Arc<Mutex<(bool, Option<Waker>)>>);

impl Gate {
    fn new() -> Self {
        Self(Arc::new(Mutex::new((false, None))))
    }

    fn pass(&self) -> impl Future<Output = ()> + Send + 'static {
        let inside = self.clone();
        poll_fn(move |cx| {
            let mut gate = inside.0.lock().unwrap();
            gate.1 = Some(cx.waker().clone());
            if gate.0 { Poll::Ready(()) } else { Poll::Pending }
        })
    }

    fn open(&self) {
        let waker = {
            let mut gate = self.0.lock().unwrap();
            gate.0 = true;
            gate.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[test]
fn loom_l6_a_job_submitted_to_a_parking_driver_is_started() {
    loom_model_bounded("l6_a_job_submitted_to_a_parking_driver_is_started", || {
        let (worker, thread, keeper) = one_driver();
        let handle = worker.try_submit(Job::task(async { 7 })).unwrap();
        assert!(matches!(block_on(handle), Outcome::Completed(7)));
        drop(keeper);
        thread.join().unwrap();
    });
}

#[test]
fn loom_l5_a_wake_between_poll_and_park_is_not_lost() {
    loom_model_bounded("l5_a_wake_between_poll_and_park_is_not_lost", || {
        let (worker, thread, keeper) = one_driver();
        let gate = Gate::new();
        let handle = worker.try_submit(Job::task(gate.pass())).unwrap();
        gate.open();
        assert!(matches!(block_on(handle), Outcome::Completed(())));
        drop(keeper);
        thread.join().unwrap();
    });
}

#[test]
fn loom_l2_a_wake_of_one_lane_while_the_other_is_polled_is_not_lost() {
    loom_model_bounded("l2_a_wake_of_one_lane_while_the_other_is_polled_is_not_lost", || {
        let (worker, driver, keeper) = machine(2);
        let gate = Gate::new();
        let waits = worker.try_submit(Job::task(gate.pass())).unwrap();
        let other = worker.try_submit(Job::task(async { 7 })).unwrap();
        let thread = thread::spawn(move || block_on(driver));
        gate.open();
        assert!(matches!(block_on(waits), Outcome::Completed(())));
        assert!(matches!(block_on(other), Outcome::Completed(7)));
        drop(keeper);
        thread.join().unwrap();
    });
}

#[test]
fn loom_j1_a_job_cancelled_while_it_is_taken_settles_once() {
    loom_model_bounded("j1_a_job_cancelled_while_it_is_taken_settles_once", || {
        let (worker, thread, keeper) = one_driver();
        let handle = worker.try_submit(Job::task(async { 7 })).unwrap();
        let first = handle.cancel();
        match block_on(handle) {
            Outcome::Completed(7) => {}
            Outcome::Cancelled { .. } => assert!(first, "cancelled by nobody"),
            other => panic!("{other:?}"),
        }
        let counts = worker.counts();
        assert_eq!((counts.accepted, counts.settled()), (1, 1));
        drop(keeper);
        thread.join().unwrap();
    });
}

#[test]
fn loom_s1_what_is_accepted_while_closing_is_settled() {
    loom_model_bounded("s1_what_is_accepted_while_closing_is_settled", || {
        let (worker, thread, keeper) = one_driver();
        let closer = worker.clone();
        let closing = thread::spawn(move || closer.close());
        let handle = worker.try_submit(Job::task(async { 7 }));
        // The driver leaves when the queue is closed and empty: whatever was let in, it has seen.
        thread.join().unwrap();
        if let Ok(handle) = handle {
            assert!(handle.is_finished(), "accepted, and settled by nobody");
        }
        closing.join().unwrap();
        drop(keeper);
    });
}

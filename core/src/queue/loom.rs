//! The races of the bell: who is idle, and who is rung.

use core::task::Waker;
use std::sync::Arc;

use ::loom::thread;

use super::{Entry, Queue, Standing};
use crate::books::Books;
use crate::job::nobody::runner;
use crate::{Priority, WorkerConfig, loom_model};

fn queue(capacity: usize) -> Arc<(Queue, Books)> {
    Arc::new((Queue::new(&WorkerConfig::new().capacity(capacity), 2), Books::new(0)))
}

fn push(queue: &(Queue, Books)) -> Option<usize> {
    match queue.0.push(runner(Priority::Normal), Entry::New, None, &queue.1) {
        Ok(accepted) => accepted.ring,
        Err((_, reason)) => panic!("{reason}"),
    }
}

#[test]
fn loom_bell_a_job_finds_the_idle_driver_or_is_found() {
    loom_model("bell_a_job_finds_the_idle_driver_or_is_found", || {
        let queue = queue(2);
        let other = queue.clone();
        let submitter = thread::spawn(move || push(&other));
        let idle = queue.0.idle(0);
        let rung = submitter.join().expect("no panic");
        assert_eq!(rung.is_some(), idle, "idle and not rung, or rung and not idle (L6)");
    });
}

#[test]
fn loom_bell_two_jobs_ring_two_drivers() {
    loom_model("bell_two_jobs_ring_two_drivers", || {
        let queue = queue(2);
        assert!(queue.0.idle(0) && queue.0.idle(1));
        let other = queue.clone();
        let submitter = thread::spawn(move || push(&other));
        let (one, two) = (push(&queue), submitter.join().expect("no panic"));
        assert!(one.is_some() && two.is_some() && one != two, "rung: {one:?} and {two:?}");
    });
}

#[test]
fn loom_bell_one_that_takes_withdraws_in_the_same_step() {
    loom_model("bell_one_that_takes_withdraws_in_the_same_step", || {
        let queue = queue(2);
        assert!(queue.0.idle(0));
        let other = queue.clone();
        let submitter = thread::spawn(move || push(&other));
        // A wake without a reason: driver 0 looks, and takes what is there.
        let took = queue.0.pop(0).runner.is_some();
        let rung = submitter.join().expect("no panic");
        // Not taken and not rung for: then it is there to be seen before the driver parks.
        assert!(took || rung.is_some() || !queue.0.idle(0), "a queued job that nobody is told about");
    });
}

#[test]
fn loom_bell_a_freed_place_goes_to_the_submitter_in_line() {
    loom_model("bell_a_freed_place_goes_to_the_submitter_in_line", || {
        let queue = queue(1);
        push(&queue);
        let other = queue.clone();
        let driver = thread::spawn(move || {
            let taken = other.0.pop(0);
            taken.wake
        });
        let key = queue.0.wait(Priority::Normal).expect("open");
        let standing = queue.0.stand(key, Waker::noop());
        let woken = driver.join().expect("no panic");
        let granted = queue.0.stand(key, Waker::noop()) == Standing::Granted;
        assert!(granted, "the place is free, and the submitter in line has not got it (Q4)");
        assert!(standing == Standing::Granted || woken.is_some(), "granted, and not woken (Q4)");
    });
}

#[test]
fn loom_bell_a_job_in_the_middle_comes_out_once() {
    loom_model("bell_a_job_in_the_middle_comes_out_once", || {
        let queue = queue(3);
        push(&queue);
        push(&queue);
        let [first, second] = [0, 1].map(|place| queue.0.jobs().swap_remove(place));
        let other = queue.clone();
        // Cancelled, and reaped, while a driver takes it and a submitter puts one behind it.
        let keeper = thread::spawn(move || other.0.remove(&first).runner.is_some());
        push(&queue);
        let taken = queue.0.pop(0).runner.expect("there are three");
        let reaped = keeper.join().expect("no panic");
        assert_eq!(taken.job().address() == second.address(), reaped, "the oldest that is left (Q2)");
        assert_eq!(queue.0.len(), if reaped { 1 } else { 2 });
        assert_eq!(queue.0.jobs().len(), queue.0.len());
    });
}

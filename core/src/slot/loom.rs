//! The races of a slot, one to a model.

use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use std::sync::Arc;

use ::loom::future::block_on;
use ::loom::thread;

use super::{Leftover, Published, Slot};
use crate::loom_model;

/// As the job does it.
fn publish(slot: &Slot<u8>, outcome: u8) -> Option<u8> {
    let Published { reader, unread } = slot.publish(outcome);
    if let Some(reader) = reader {
        reader.wake();
    }
    unread
}

#[test]
fn loom_j7_a_reader_that_comes_meanwhile_gets_the_outcome() {
    loom_model("j7_a_reader_that_comes_meanwhile_gets_the_outcome", || {
        let slot = Arc::new(Slot::new());
        let publisher = slot.clone();
        let thread = thread::spawn(move || assert_eq!(publish(&publisher, 7), None));
        assert_eq!(block_on(poll_fn(|cx| slot.poll_take(cx))), Some(7));
        thread.join().unwrap();
    });
}

#[test]
fn loom_x2_what_a_leaving_reader_misses_is_handed_to_one() {
    loom_model("x2_what_a_leaving_reader_misses_is_handed_to_one", || {
        let slot = Arc::new(Slot::new());
        let publisher = slot.clone();
        let thread = thread::spawn(move || publish(&publisher, 7));
        let with_reader = slot.leave();
        let with_publisher = thread.join().unwrap();
        match with_reader {
            Some(Leftover::Outcome(outcome)) => assert_eq!((outcome, with_publisher), (7, None)),
            Some(Leftover::Waker(_)) => panic!("nobody left a waker"),
            None => assert_eq!(with_publisher, Some(7)),
        }
    });
}

#[test]
fn loom_j1_of_two_outcomes_one_counts() {
    loom_model("j1_of_two_outcomes_one_counts", || {
        let slot = Arc::new(Slot::new());
        let publisher = slot.clone();
        let thread = thread::spawn(move || publish(&publisher, 1));
        let second = publish(&slot, 2);
        let first = thread.join().unwrap();
        let read = slot.poll_take(&mut Context::from_waker(Waker::noop()));
        match read {
            Poll::Ready(Some(1)) => assert_eq!((first, second), (None, Some(2))),
            Poll::Ready(Some(2)) => assert_eq!((first, second), (Some(1), None)),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn loom_j8_finished_means_that_the_outcome_is_there() {
    loom_model("j8_finished_means_that_the_outcome_is_there", || {
        let slot = Arc::new(Slot::new());
        let publisher = slot.clone();
        let thread = thread::spawn(move || publish(&publisher, 7));
        if slot.is_full() {
            assert_eq!(slot.poll_take(&mut Context::from_waker(Waker::noop())), Poll::Ready(Some(7)));
        }
        thread.join().unwrap();
    });
}

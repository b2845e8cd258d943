//! The races of a slot, one to a model.
#![allow(unsafe_code, reason = "each model has one publisher and one reader")]

use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use std::sync::Arc;

use ::loom::future::block_on;
use ::loom::thread;

use super::{Leftover, Slot};
use crate::loom_model;

/// As the job does it.
fn publish(slot: &Slot<u8>, outcome: u8) -> Option<u8> {
    // SAFETY: each model publishes once.
    unsafe {
        let published = slot.publish(outcome);
        if let Some(reader) = slot.reader(published) {
            reader.wake();
        }
        slot.unread(published)
    }
}

/// As the handle does it.
fn poll_take(slot: &Slot<u8>, cx: &Context<'_>) -> Poll<Option<u8>> {
    // SAFETY: each model has one reader.
    unsafe { slot.poll_take(cx) }
}

#[test]
fn loom_j7_a_reader_that_comes_meanwhile_gets_the_outcome() {
    loom_model("j7_a_reader_that_comes_meanwhile_gets_the_outcome", || {
        let slot = Arc::new(Slot::new());
        let publisher = slot.clone();
        let thread = thread::spawn(move || assert_eq!(publish(&publisher, 7), None));
        assert_eq!(block_on(poll_fn(|cx| poll_take(&slot, cx))), Some(7));
        thread.join().unwrap();
    });
}

#[test]
fn loom_x2_what_a_leaving_reader_misses_is_handed_to_one() {
    loom_model("x2_what_a_leaving_reader_misses_is_handed_to_one", || {
        let slot = Arc::new(Slot::new());
        let publisher = slot.clone();
        let thread = thread::spawn(move || publish(&publisher, 7));
        // SAFETY: this is the reader.
        let with_reader = unsafe { slot.leave() };
        let with_publisher = thread.join().unwrap();
        match with_reader {
            Some(Leftover::Outcome(outcome)) => assert_eq!((outcome, with_publisher), (7, None)),
            Some(Leftover::Waker(_)) => panic!("nobody left a waker"),
            None => assert_eq!(with_publisher, Some(7)),
        }
    });
}

#[test]
fn loom_j8_a_reader_that_comes_with_another_waker_is_woken_by_that() {
    loom_model("j8_a_reader_that_comes_with_another_waker_is_woken_by_that", || {
        let slot = Arc::new(Slot::new());
        assert_eq!(poll_take(&slot, &Context::from_waker(Waker::noop())), Poll::Pending);
        let publisher = slot.clone();
        let thread = thread::spawn(move || assert_eq!(publish(&publisher, 7), None));
        assert_eq!(block_on(poll_fn(|cx| poll_take(&slot, cx))), Some(7));
        thread.join().unwrap();
    });
}

#[test]
fn loom_x2_a_reader_that_waited_leaves_with_its_waker() {
    loom_model("x2_a_reader_that_waited_leaves_with_its_waker", || {
        let slot = Arc::new(Slot::new());
        assert_eq!(poll_take(&slot, &Context::from_waker(Waker::noop())), Poll::Pending);
        let publisher = slot.clone();
        let thread = thread::spawn(move || publish(&publisher, 7));
        // SAFETY: this is the reader.
        let with_reader = unsafe { slot.leave() };
        let with_publisher = thread.join().unwrap();
        match with_reader {
            Some(Leftover::Outcome(outcome)) => assert_eq!((outcome, with_publisher), (7, None)),
            Some(Leftover::Waker(_)) => assert_eq!(with_publisher, Some(7)),
            None => panic!("it left a waker"),
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
            assert_eq!(poll_take(&slot, &Context::from_waker(Waker::noop())), Poll::Ready(Some(7)));
        }
        thread.join().unwrap();
    });
}

//! The races of a bell, one to a model. Its list is another crate's: only with `--cfg loom` is that list the checker's too.

use core::task::{Context, Poll, Waker};
use std::pin::pin;
use std::sync::Arc;

use ::loom::future::block_on;
use ::loom::thread;

use super::Bell;
use crate::loom::Count;
use crate::sync::Lock;
use crate::{loom_model, loom_model_bounded};

/// What is waited for, and the bell that tells of it.
struct Door {
    open: Lock<bool>,
    bell: Bell,
}

impl Door {
    fn new() -> Arc<Self> {
        Arc::new(Self { open: Lock::new(false), bell: Bell::new() })
    }

    fn open(&self) {
        self.open.with(|open| *open = true);
        self.bell.ring(Waker::wake);
    }

    /// Listens first and then looks, as all do who wait at a bell.
    async fn wait(&self) {
        loop {
            let ring = self.bell.listen();
            if self.open.with(|open| *open) {
                return;
            }
            ring.await;
        }
    }
}

#[test]
fn loom_bell_who_listens_and_then_looks_is_woken() {
    loom_model_bounded("bell_who_listens_and_then_looks_is_woken", || {
        let door = Door::new();
        let opener = door.clone();
        let thread = thread::spawn(move || opener.open());
        block_on(door.wait());
        thread.join().unwrap();
    });
}

#[test]
fn loom_bell_one_that_was_polled_is_woken_once() {
    loom_model("bell_one_that_was_polled_is_woken_once", || {
        let door = Door::new();
        let mut ring = pin!(door.bell.listen());
        let (count, waker) = Count::new();
        assert!(ring.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let opener = door.clone();
        let thread = thread::spawn(move || opener.open());
        // Another look, while it rings: either it is over, or the ring finds the waker.
        let over = ring.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        thread.join().unwrap();
        let wakes = count.get();
        assert!(wakes == 1 || (over && wakes == 0), "woken {wakes} times; over: {over}");
        if !over {
            assert_eq!(ring.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(()));
        }
    });
}

#[test]
fn loom_bell_one_that_leaves_meanwhile_leaves_nothing_behind() {
    loom_model("bell_one_that_leaves_meanwhile_leaves_nothing_behind", || {
        let door = Door::new();
        let (count, waker) = Count::new();
        let mut ring = std::boxed::Box::pin(door.bell.listen());
        assert!(ring.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let opener = door.clone();
        let thread = thread::spawn(move || opener.open());
        drop(ring);
        thread.join().unwrap();
        drop(waker);
        assert!(count.get() <= 1);
        assert_eq!(Arc::strong_count(&count), 1, "somebody still has the waker of one that has left");
    });
}

#[test]
fn loom_bell_two_who_ring_at_once_wake_all() {
    loom_model_bounded("bell_two_who_ring_at_once_wake_all", || {
        let door = Door::new();
        let (count, waker) = Count::new();
        let mut ring = pin!(door.bell.listen());
        assert!(ring.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let opener = door.clone();
        let thread = thread::spawn(move || opener.open());
        door.open();
        thread.join().unwrap();
        assert_eq!(count.get(), 1, "wakes of one listener");
        assert!(ring.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
    });
}

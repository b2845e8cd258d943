//! The races of a token, one to a model.
#![allow(unsafe_code, reason = "a cell that the model checker watches")]

mod hosts;
mod waits;

use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::loom::cell::UnsafeCell;
use ::loom::thread;

use super::Token;
use crate::loom::Count;
#[cfg(feature = "mutants")]
use crate::loom_defect;
use crate::{Cause, loom_model, loom_model_bounded};

fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// Nobody listens to the token any more, and no child that is left is on its list.
fn assert_quiet(token: &Token) {
    let node = token.node().expect("not the never token");
    node.hub.with(|hub| assert!(hub.list.is_empty() && !*hub.hears));
}

#[test]
fn loom_t1_one_of_two_is_first() {
    loom_model("t1_one_of_two_is_first", || {
        let token = Token::new();
        let other = token.clone();
        let thread = thread::spawn(move || {
            let first = other.cancel_with(Cause::EVICTED);
            assert!(other.is_cancelled(), "a loser returned too early");
            first
        });
        let first = token.cancel_with(Cause::SHUTDOWN);
        assert!(token.is_cancelled(), "a loser returned too early");
        let cause = token.cause();
        let other_first = thread.join().unwrap();
        assert!(first != other_first);
        assert_eq!(cause, Some(if first { Cause::SHUTDOWN } else { Cause::EVICTED }));
    });
}

fn what_came_before_is_seen() {
    let root = Token::new();
    let leaf = root.child_token();
    let data = Arc::new(UnsafeCell::new(0));
    let written = Arc::clone(&data);
    let thread = thread::spawn(move || {
        // SAFETY: the reader waits for the cancel.
        written.with_mut(|data| unsafe { *data = 7 });
        root.cancel();
    });
    // Until it is: a look before the cancel hides the one after it from the checker (see `sync::atomic`), a yield does not.
    while !leaf.is_cancelled() {
        thread::yield_now();
    }
    // SAFETY: the writer is done.
    data.with(|data| assert_eq!(unsafe { *data }, 7));
    thread.join().unwrap();
}

#[test]
fn loom_t3_what_came_before_is_seen() {
    loom_model("t3_what_came_before_is_seen", what_came_before_is_seen);
}

/// The same model fails when the flag is relaxed, which no run on the processors at hand would show.
#[cfg(feature = "mutants")]
#[test]
fn loom_t3_a_relaxed_flag_is_seen() {
    loom_defect("t3_a_relaxed_flag_is_seen", crate::mutant::Mutant::RelaxedFlag, what_came_before_is_seen);
}

#[test]
fn loom_r6_a_dropped_wait_against_cancel() {
    loom_model("r6_a_dropped_wait_against_cancel", || {
        let root = Token::new();
        let leaf = root.child_token();
        let (count, waker) = Count::new();
        let mut wait = Box::pin(leaf.clone().cancelled_owned());
        assert!(poll(wait.as_mut(), &waker).is_pending());
        let other = root.clone();
        let thread = thread::spawn(move || other.cancel());
        drop(wait);
        let so_far = count.get();
        thread.join().unwrap();
        assert!(count.get() <= 1 && so_far <= 1);
        assert_quiet(&root);
    });
}

/// The canceller takes the wait under the locks of both, while the child that nobody else holds comes for the first of them.
#[test]
fn loom_r6_a_child_goes_with_its_only_wait_against_cancel() {
    loom_model("r6_a_child_goes_with_its_only_wait_against_cancel", || {
        let root = Token::new();
        let (count, waker) = Count::new();
        let mut wait = Box::pin(root.child_token().cancelled_owned());
        assert!(poll(wait.as_mut(), &waker).is_pending());
        let other = root.clone();
        let thread = thread::spawn(move || assert!(other.cancel()));
        drop(wait);
        thread.join().unwrap();
        assert!(count.get() <= 1);
        assert_quiet(&root);
    });
}

#[test]
fn loom_r6_two_waits_on_siblings_come_and_go() {
    loom_model_bounded("r6_two_waits_on_siblings_come_and_go", || {
        let root = Token::new();
        let middle = root.child_token();
        let come_and_go = |leaf: Token| {
            let (_, waker) = Count::new();
            assert!(poll(pin!(leaf.cancelled()), &waker).is_pending());
        };
        let leaf = middle.child_token();
        let thread = thread::spawn(move || come_and_go(leaf));
        come_and_go(middle.child_token());
        thread.join().unwrap();
        assert_quiet(&middle);
        // It stays on the list for as long as it is there.
        drop(middle);
        assert_quiet(&root);
    });
}

#[test]
fn loom_r6_the_last_handle_is_dropped_against_cancel() {
    loom_model("r6_the_last_handle_is_dropped_against_cancel", || {
        let root = Token::new();
        let held = Arc::new(());
        let leaf = root.child_token();
        let (ran, inside) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&held));
        let counted = Arc::clone(&ran);
        drop(leaf.on_cancel(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            drop(inside);
        }));
        let thread = thread::spawn(move || drop(leaf));
        root.cancel();
        thread.join().unwrap();
        assert!(ran.load(Ordering::SeqCst) <= 1);
        assert_eq!(Arc::strong_count(&held), 1, "the callback was dropped, run or not");
        assert_quiet(&root);
    });
}

#[test]
fn loom_r8_two_handles_dropped_at_once() {
    loom_model("r8_two_handles_dropped_at_once", || {
        let root = Token::new();
        let held = Arc::new(());
        let inside = Arc::clone(&held);
        drop(root.on_cancel(move |_| drop(inside)));
        let leaf = root.child_token();
        let thread = thread::spawn(move || drop(leaf));
        drop(root);
        thread.join().unwrap();
        assert_eq!(Arc::strong_count(&held), 1);
    });
}

#[test]
fn loom_t10_a_cause_once_seen_stays() {
    loom_model_bounded("t10_a_cause_once_seen_stays", || {
        let root = Token::new();
        let child = root.child_token();
        let threads = [thread::spawn(move || root.cancel_with(Cause::SHUTDOWN.with_text("shared"))), {
            let child = child.clone();
            thread::spawn(move || child.cancel_with(Cause::EVICTED))
        }];
        let (first, second) = (child.cause(), child.cause());
        assert!(first.is_none() || first == second);
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(child.cause().is_some() && (second.is_none() || second == child.cause()));
    });
}

#[test]
fn loom_r3_whoever_saw_the_root_sees_the_leaf() {
    loom_model("r3_whoever_saw_the_root_sees_the_leaf", || {
        let root = Token::new();
        let leaf = root.child_token().child_token();
        let other = root.clone();
        let thread = thread::spawn(move || other.cancel());
        while !root.is_cancelled() {
            thread::yield_now();
        }
        assert!(leaf.is_cancelled());
        thread.join().unwrap();
    });
}

#[test]
fn loom_t12_a_callback_registers_while_its_parent_is_cancelled() {
    loom_model("t12_a_callback_registers_while_its_parent_is_cancelled", || {
        let root = Token::new();
        let leaf = root.child_token();
        let (ran, counted) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let inside = Arc::clone(&ran);
        let thread = thread::spawn(move || root.cancel());
        drop(leaf.on_cancel(move |_| {
            inside.fetch_add(1, Ordering::SeqCst);
            counted.fetch_add(1, Ordering::SeqCst);
        }));
        thread.join().unwrap();
        assert_eq!(ran.load(Ordering::SeqCst), 1);
        assert_eq!(Arc::strong_count(&ran), 1);
    });
}

#[test]
fn loom_t13_unregister_against_cancel() {
    loom_model("t13_unregister_against_cancel", || {
        let token = Token::new();
        let ran = Arc::new(AtomicUsize::new(0));
        let inside = Arc::clone(&ran);
        let registration = token.on_cancel(move |_| {
            inside.fetch_add(1, Ordering::SeqCst);
        });
        let other = token.clone();
        let thread = thread::spawn(move || other.cancel());
        let prevented = registration.unregister();
        thread.join().unwrap();
        assert_eq!(ran.load(Ordering::SeqCst), usize::from(!prevented));
        assert_eq!(Arc::strong_count(&ran), 1);
    });
}

#[test]
fn loom_r7_two_parents_are_cancelled_at_once() {
    loom_model_bounded("r7_two_parents_are_cancelled_at_once", || {
        let parents = [Token::new(), Token::new()];
        let linked = Token::linked(&parents);
        let (count, waker) = Count::new();
        let mut wait = Box::pin(linked.clone().cancelled_owned());
        assert!(poll(wait.as_mut(), &waker).is_pending());
        let other = parents[1].clone();
        let thread = thread::spawn(move || other.cancel_with(Cause::EVICTED));
        parents[0].cancel_with(Cause::SHUTDOWN);
        thread.join().unwrap();
        assert_eq!(count.get(), 1);
        let cause = linked.cause();
        assert!(cause == Some(Cause::EVICTED) || cause == Some(Cause::SHUTDOWN));
        assert_eq!(poll(wait.as_mut(), &waker), Poll::Ready(cause.unwrap()));
        drop(wait);
        assert_quiet(&linked);
        parents.iter().for_each(assert_quiet);
    });
}

#[test]
fn loom_r6_a_linked_token_is_dropped_against_cancel() {
    loom_model("r6_a_linked_token_is_dropped_against_cancel", || {
        let parents = [Token::new(), Token::new()];
        let linked = Token::linked(&parents);
        let thread = thread::spawn(move || drop(linked));
        parents[0].cancel();
        thread.join().unwrap();
        parents.iter().for_each(assert_quiet);
    });
}

#[test]
fn loom_r4_a_linked_token_is_born_while_a_parent_is_cancelled() {
    loom_model("r4_a_linked_token_is_born_while_a_parent_is_cancelled", || {
        let parents = [Token::new(), Token::new()];
        let other = parents[0].clone();
        let thread = thread::spawn(move || other.cancel_with(Cause::EVICTED));
        let linked = Token::linked(&parents);
        thread.join().unwrap();
        assert!(parents[1].cancel());
        assert_eq!(linked.cause(), Some(Cause::EVICTED), "T10");
        drop(linked);
        parents.iter().for_each(assert_quiet);
    });
}

#[test]
fn loom_r9_a_shield_ends_while_the_outside_is_cancelled() {
    loom_model("r9_a_shield_ends_while_the_outside_is_cancelled", || {
        let token = Token::new();
        let shield = token.shield();
        let inner = shield.token().clone();
        let (count, waker) = Count::new();
        let mut wait = Box::pin(inner.clone().cancelled_owned());
        assert!(poll(wait.as_mut(), &waker).is_pending());
        let other = token.clone();
        let thread = thread::spawn(move || other.cancel_with(Cause::EVICTED));
        shield.end();
        thread.join().unwrap();
        assert_eq!(count.get(), 1);
        assert_eq!(inner.cause(), Some(Cause::EVICTED));
        drop(wait);
        assert_quiet(&token);
    });
}

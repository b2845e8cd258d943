//! The races of a wait: with a cancel here or above, with siblings, with another waker. One to a model.

use std::boxed::Box;
use std::pin::pin;

use ::loom::future::block_on;
use ::loom::thread;

use super::super::Token;
use super::{assert_quiet, poll};
use crate::loom::Count;
use crate::{Cause, loom_model, loom_model_bounded};

#[test]
fn loom_t6_wait_against_cancel() {
    loom_model("t6_wait_against_cancel", || {
        let token = Token::new();
        let waiting = token.clone();
        let thread = thread::spawn(move || assert_eq!(block_on(waiting.cancelled()), Cause::REQUESTED));
        assert!(token.cancel());
        thread.join().unwrap();
        assert_quiet(&token);
    });
}

#[test]
fn loom_t6_wait_on_a_child_against_cancel_of_the_root() {
    loom_model_bounded("t6_wait_on_a_child_against_cancel_of_the_root", || {
        let root = Token::new();
        let leaf = root.child_token();
        let waiting = leaf.clone();
        let thread = thread::spawn(move || assert_eq!(block_on(waiting.cancelled()), Cause::SHUTDOWN));
        root.cancel_with(Cause::SHUTDOWN);
        thread.join().unwrap();
        assert_quiet(&root);
        drop((root, leaf));
    });
}

#[test]
fn loom_t6_wait_two_levels_down_against_cancel_of_the_root() {
    loom_model_bounded("t6_wait_two_levels_down_against_cancel_of_the_root", || {
        let root = Token::new();
        let leaf = root.child_token().child_token();
        let thread = thread::spawn(move || assert_eq!(block_on(leaf.cancelled()), Cause::SHUTDOWN));
        root.cancel_with(Cause::SHUTDOWN);
        thread.join().unwrap();
        assert_quiet(&root);
    });
}

#[test]
fn loom_t6_two_siblings_wait_while_the_root_is_cancelled() {
    loom_model_bounded("t6_two_siblings_wait_while_the_root_is_cancelled", || {
        let root = Token::new();
        let middle = root.child_token();
        let threads = [middle.child_token(), middle.child_token()]
            .map(|leaf| thread::spawn(move || assert_eq!(block_on(leaf.cancelled()), Cause::REQUESTED)));
        root.cancel();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_quiet(&root);
    });
}

#[test]
fn loom_t6_a_wait_that_was_alone_gets_company_while_the_root_is_cancelled() {
    loom_model_bounded("t6_a_wait_that_was_alone_gets_company_while_the_root_is_cancelled", || {
        let root = Token::new();
        let leaf = root.child_token();
        let (count, waker) = Count::new();
        let mut alone = pin!(leaf.cancelled());
        assert!(poll(alone.as_mut(), &waker).is_pending());
        let company = leaf.clone();
        let thread = thread::spawn(move || assert_eq!(block_on(company.cancelled()), Cause::SHUTDOWN));
        root.cancel_with(Cause::SHUTDOWN);
        assert_eq!(count.get(), 1, "woken before the cancel is over, and once");
        thread.join().unwrap();
        assert!(poll(alone, &waker).is_ready());
        assert_quiet(&leaf);
        assert_quiet(&root);
    });
}

#[test]
fn loom_t6_a_wait_while_another_asks_for_the_cause() {
    loom_model_bounded("t6_a_wait_while_another_asks_for_the_cause", || {
        let root = Token::new();
        let leaf = root.child_token();
        let (waiting, asking) = (leaf.clone(), leaf);
        let threads = [
            thread::spawn(move || assert_eq!(block_on(waiting.cancelled()), Cause::REQUESTED)),
            thread::spawn(move || assert!(asking.cause().is_none_or(|cause| cause == Cause::REQUESTED))),
        ];
        root.cancel();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_quiet(&root);
    });
}

#[test]
fn loom_t6_one_waits_while_its_sibling_leaves() {
    loom_model_bounded("t6_one_waits_while_its_sibling_leaves", || {
        let root = Token::new();
        let middle = root.child_token();
        let (staying, leaving) = (middle.child_token(), middle.child_token());
        let (_, waker) = Count::new();
        let mut wait = Box::pin(leaving.cancelled_owned());
        assert!(poll(wait.as_mut(), &waker).is_pending());
        let threads = [
            thread::spawn(move || assert_eq!(block_on(staying.cancelled()), Cause::REQUESTED)),
            thread::spawn(move || drop(wait)),
        ];
        root.cancel();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_quiet(&root);
        assert_quiet(&middle);
    });
}

#[test]
fn loom_t6_cancel_of_child_and_root_with_a_waiter_below() {
    loom_model_bounded("t6_cancel_of_child_and_root_with_a_waiter_below", || {
        let root = Token::new();
        let middle = root.child_token();
        let leaf = middle.child_token();
        let (count, waker) = Count::new();
        let mut wait = Box::pin(leaf.clone().cancelled_owned());
        assert!(poll(wait.as_mut(), &waker).is_pending());
        let other = middle.clone();
        let thread = thread::spawn(move || other.cancel_with(Cause::EVICTED));
        root.cancel_with(Cause::SHUTDOWN);
        let first = thread.join().unwrap();
        assert_eq!(count.get(), 1, "T7");
        let cause = if first { Cause::EVICTED } else { Cause::SHUTDOWN };
        assert_eq!(middle.cause(), Some(cause));
        assert!(poll(wait.as_mut(), &waker).is_ready());
        drop(wait);
        assert_quiet(&root);
        assert_quiet(&middle);
    });
}

#[test]
fn loom_t6_the_last_waker_is_woken() {
    loom_model("t6_the_last_waker_is_woken", || {
        let token = Token::new();
        let other = token.clone();
        let thread = thread::spawn(move || other.cancel());
        let (first, first_waker) = Count::new();
        let (second, second_waker) = Count::new();
        let mut wait = pin!(token.cancelled());
        let pending = poll(wait.as_mut(), &first_waker).is_pending() && poll(wait.as_mut(), &second_waker).is_pending();
        thread.join().unwrap();
        assert!(!pending || (first.get(), second.get()) == (0, 1));
    });
}

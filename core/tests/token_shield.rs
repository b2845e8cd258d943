//! Shields: R9.

mod common;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use common::{Count, poll};
use countermand_core::{Cause, Instant, Token};

#[test]
fn r9_the_outside_is_not_seen_while_it_lasts() {
    let root = Token::new();
    let token = root.child_token();
    let outside = token.observer();
    let shield = token.shield();
    let inner = shield.token().clone();
    let leaf = inner.child_token();
    root.cancel_with(Cause::SHUTDOWN);
    assert!(!inner.is_cancelled() && !leaf.is_cancelled());
    assert_eq!(leaf.cause(), None);
    assert!(outside.is_cancelled(), "an observer of the outer token sees the truth");
    shield.end();
    assert!(inner.is_cancelled());
    assert_eq!(leaf.cause(), Some(Cause::SHUTDOWN));
}

#[test]
fn r9_its_own_cancel_is_seen() {
    let token = Token::new();
    let shield = token.shield();
    let leaf = shield.token().child_token();
    assert!(shield.token().cancel_with(Cause::EVICTED));
    assert_eq!(shield.token().cause(), Some(Cause::EVICTED));
    assert_eq!(leaf.cause(), Some(Cause::EVICTED));
    assert!(!token.is_cancelled());
    token.cancel();
    shield.end();
    assert_eq!(leaf.cause(), Some(Cause::EVICTED), "T10");
}

#[test]
fn r9_a_shield_of_a_cancelled_token_shields() {
    let token = Token::new();
    token.cancel();
    let shield = token.shield();
    let inner = shield.token().clone();
    assert!(!inner.is_cancelled());
    drop(shield);
    assert!(inner.is_cancelled());
}

#[test]
fn r9_waiters_are_woken_at_the_end() {
    let root = Token::new();
    let token = root.child_token();
    let shield = token.shield();
    let (inner, leaf) = (shield.token().clone(), shield.token().child_token());
    let (count, waker) = Count::new();
    let mut waits = [Box::pin(inner.cancelled()), Box::pin(leaf.cancelled())];
    for wait in &mut waits {
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    root.cancel_with(Cause::EVICTED);
    assert_eq!(count.get(), 0);
    shield.end();
    assert_eq!(count.get(), 2);
    for wait in &mut waits {
        assert_eq!(poll(wait.as_mut(), &waker), Poll::Ready(Cause::EVICTED));
    }
}

#[test]
fn r9_after_the_end_the_outside_is_heard() {
    let root = Token::new();
    let shield = root.shield();
    let leaf = shield.token().child_token();
    let (count, waker) = Count::new();
    let mut wait = pin!(leaf.cancelled());
    assert!(poll(wait.as_mut(), &waker).is_pending());
    shield.end();
    assert_eq!(count.get(), 0);
    assert!(poll(wait.as_mut(), &waker).is_pending());
    root.cancel();
    assert_eq!(count.get(), 1);
}

#[test]
fn r9_callbacks_run_at_the_end() {
    let token = Token::new();
    let shield = token.shield();
    let ran = Arc::new(AtomicBool::new(false));
    let inside = Arc::clone(&ran);
    let registration = shield.token().on_cancel(move |_| inside.store(true, Ordering::SeqCst));
    token.cancel();
    assert!(!ran.load(Ordering::SeqCst));
    drop(shield);
    assert!(ran.load(Ordering::SeqCst));
    assert!(!registration.unregister());
}

#[test]
fn r9_shields_nest() {
    let token = Token::new();
    let outer = token.shield();
    let inner = outer.token().shield();
    let leaf = inner.token().child_token();
    token.cancel();
    inner.end();
    assert!(!leaf.is_cancelled(), "the outer one still lasts");
    outer.end();
    assert!(leaf.is_cancelled());
}

#[test]
fn r9_links_respect_a_shield() {
    let root = Token::new();
    let other = Token::new();
    let shield = Token::linked([&root, &other]).shield();
    let linked = Token::linked([&Token::new(), shield.token()]);
    let ancestor_too = Token::linked([&root, shield.token()]);
    root.cancel_with(Cause::EVICTED);
    assert!(!linked.is_cancelled());
    assert!(ancestor_too.is_cancelled(), "it was linked to the root beside the shield");
    shield.end();
    assert_eq!(linked.cause(), Some(Cause::EVICTED));
}

#[test]
fn r9_deadlines_from_outside_are_hidden_too() {
    let at = Instant::from_nanos;
    let token = Token::with_deadline(at(10));
    let shield = token.shield();
    let inner = shield.token().child_with_deadline(at(50));
    assert_eq!(inner.deadline(), Some(at(50)));
    assert!(!inner.expire_due(at(20)));
    assert!(!token.is_cancelled());
    shield.end();
    assert_eq!(inner.deadline(), Some(at(10)));
    assert!(inner.expire_due(at(20)));
    assert!(token.is_cancelled());
}

#[test]
fn r9_a_shield_of_the_never_token_sees_its_own_cancel() {
    let never = Token::never();
    let shield = never.shield();
    assert!(!shield.token().is_cancelled());
    shield.token().cancel();
    assert!(shield.token().is_cancelled());
}

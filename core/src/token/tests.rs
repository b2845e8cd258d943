//! What only the worker may do: the permanent listener, and deadlines that grow tighter.

use core::task::Waker;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use super::Token;
use crate::{Cause, Instant};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn count() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    (count, waker)
}

fn woken(count: &Arc<Count>) -> (usize, usize) {
    (count.0.load(Ordering::SeqCst), Arc::strong_count(count) - 1)
}

#[test]
fn t7_a_listener_is_woken_once_and_by_value() {
    let token = Token::new();
    let (count, waker) = count();
    assert!(!token.attend(waker, false));
    assert_eq!(woken(&count), (0, 1));
    token.cancel();
    assert_eq!(woken(&count), (1, 0));
    token.cancel();
    assert_eq!(woken(&count), (1, 0));
}

#[test]
fn t7_a_linked_listener_hears_of_ancestors() {
    let root = Token::new();
    let token = root.child_token().child_token();
    let (count, waker) = count();
    assert!(!token.attend(waker, true));
    root.cancel();
    assert_eq!(woken(&count), (1, 0));
}

#[test]
fn r6_an_unlinked_listener_is_not_known_to_the_parent() {
    let root = Token::new();
    let token = root.child_token();
    let (own, waker) = count();
    assert!(!token.attend(waker, false));
    root.cancel();
    assert_eq!(woken(&own), (0, 1));
    assert!(token.is_cancelled(), "R2");
    drop(token);
    assert_eq!(woken(&own), (0, 0));
}

#[test]
fn t6_a_listener_that_comes_late_is_not_kept() {
    let root = Token::new();
    let token = root.child_token();
    root.cancel();
    for linked in [false, true] {
        let (count, waker) = count();
        assert!(token.attend(waker, linked));
        assert_eq!(woken(&count), (0, 0));
    }
}

#[test]
fn t7_a_listener_is_replaced() {
    let root = Token::new();
    let token = root.child_token();
    let (first, first_waker) = count();
    let (second, second_waker) = count();
    assert!(!token.attend(first_waker, true));
    assert!(!token.attend(second_waker, false));
    assert_eq!(woken(&first), (0, 0));
    root.cancel();
    assert_eq!(woken(&second), (0, 1), "the second does not hear of ancestors");
}

#[test]
fn r6_a_dismissed_listener_is_forgotten() {
    let root = Token::new();
    let token = root.child_token();
    for linked in [false, true] {
        let (count, waker) = count();
        assert!(!token.attend(waker, linked));
        token.dismiss();
        assert_eq!(woken(&count), (0, 0));
    }
    root.cancel();
    token.dismiss();
}

#[test]
fn r6_a_listener_goes_with_its_token() {
    let root = Token::new();
    let (count, waker) = count();
    let token = root.child_token();
    assert!(!token.attend(waker, true));
    drop(token);
    assert_eq!(woken(&count), (0, 0));
    root.cancel();
}

#[test]
fn t14_the_never_token_keeps_no_listener() {
    let (count, waker) = count();
    assert!(!Token::never().attend(waker, true));
    assert_eq!(woken(&count), (0, 0));
    Token::never().dismiss();
    Token::never().tighten(Instant::from_nanos(1));
    assert_eq!(Token::never().deadline(), None);
}

#[test]
fn d1_a_deadline_grows_tighter_only() {
    let token = Token::new();
    for (at, expected) in [(50, 50), (70, 50), (20, 20)] {
        token.tighten(Instant::from_nanos(at));
        assert_eq!(token.deadline(), Some(Instant::from_nanos(expected)));
    }
}

#[test]
fn j11_a_job_token_hears_of_worker_and_parent() {
    for index in 0..2 {
        let roots = [Token::new(), Token::new()];
        let token = roots[0].child_of_both(&roots[1]);
        let (count, waker) = count();
        assert!(!token.attend(waker, false));
        roots[index].cancel_with(Cause::SHUTDOWN);
        assert_eq!(token.cause(), Some(Cause::SHUTDOWN));
        assert_eq!(woken(&count), (1, 0), "a linked token always hears of its parents");
    }
}

//! Deadlines of tokens: D1, D3, D6, D8, D9, T10.

use std::time::Duration;

use countermand_core::{Cause, Instant, Token};

fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

#[test]
fn d1_the_minimum_of_the_node_and_its_ancestors_counts() {
    assert_eq!(Token::new().deadline(), None);
    let root = Token::with_deadline(at(100));
    let longer = root.child_with_deadline(at(200));
    let shorter = longer.child_with_deadline(at(50));
    assert_eq!(root.deadline(), Some(at(100)));
    assert_eq!(longer.deadline(), Some(at(100)));
    assert_eq!(longer.child_token().deadline(), Some(at(100)));
    assert_eq!(shorter.deadline(), Some(at(50)));
    assert_eq!(shorter.observer().deadline(), Some(at(50)));
}

#[test]
fn d3_due_means_exactly_then_or_later() {
    let token = Token::with_deadline(at(100));
    assert!(!token.expire_due(at(99)));
    assert!(!token.is_cancelled());
    assert!(token.expire_due(at(100)));
    assert!(token.is_cancelled());
}

#[test]
fn d6_expiry_cancels_with_the_cause_deadline() {
    let token = Token::with_deadline(at(1));
    assert!(token.expire_due(at(2)));
    assert_eq!(token.cause(), Some(Cause::DEADLINE));
    assert!(token.expire_due(at(3)), "and says so again");
}

#[test]
fn d6_a_deadline_that_comes_after_another_cause_changes_nothing() {
    let token = Token::with_deadline(at(1));
    token.cancel_with(Cause::SHUTDOWN);
    assert!(!token.expire_due(at(2)));
    assert_eq!(token.cause(), Some(Cause::SHUTDOWN));
}

#[test]
fn d8_an_overflowing_duration_is_no_deadline() {
    let last = Instant::from_nanos(u64::MAX);
    assert_eq!(at(5).checked_add(Duration::MAX), None);
    let token = Token::with_deadline(last);
    assert_eq!(token.deadline(), None);
    assert!(!token.expire_due(last));
}

#[test]
fn d9_equal_deadlines_settle_as_the_outer_one() {
    let root = Token::new();
    let outer = root.child_with_deadline(at(10));
    let inner = outer.child_with_deadline(at(10));
    let sibling = outer.child_token();
    assert!(inner.expire_due(at(10)));
    assert!(outer.is_cancelled() && sibling.is_cancelled() && !root.is_cancelled());
}

#[test]
fn d9_an_outer_one_that_is_not_due_is_left_alone() {
    let outer = Token::with_deadline(at(20));
    let inner = outer.child_with_deadline(at(10));
    assert!(inner.expire_due(at(15)));
    assert!(!outer.is_cancelled());
    assert!(!outer.expire_due(at(15)));
}

#[test]
fn d1_a_token_without_a_deadline_does_not_expire() {
    assert!(!Token::new().expire_due(at(u64::MAX)));
    assert!(!Token::never().expire_due(at(u64::MAX)));
    assert_eq!(Token::never().deadline(), None);
    assert_eq!(Token::never().child_with_deadline(at(3)).deadline(), Some(at(3)));
}

#[test]
fn r8_a_chain_of_deadlines_is_dropped_however_long_it_is() {
    let mut token = Token::with_deadline(at(1_000_000));
    for nanos in (0..200_000).rev() {
        token = token.child_with_deadline(at(nanos + 1));
    }
    assert_eq!(token.deadline(), Some(at(1)));
    drop(token);
}

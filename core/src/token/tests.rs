//! What only the worker may do: a node in its job's memory, and a token of two parents.

use super::Token;
use super::models::{dismiss, guest};
use crate::{Cause, Instant};

#[test]
fn t7_a_host_is_told_once() {
    let root = Token::new();
    let (token, told) = guest(&root, None);
    assert_eq!(told.get(), [0, 0, 0]);
    assert!(token.cancel());
    assert_eq!(told.get(), [1, 0, 0]);
    assert!(!token.cancel());
    assert_eq!(told.get(), [1, 0, 0]);
    drop(token);
    assert_eq!(told.get(), [1, 0, 1]);
}

#[test]
fn r6_a_host_that_is_not_linked_is_not_known_to_the_root() {
    let root = Token::new();
    let (token, told) = guest(&root, None);
    root.cancel_with(Cause::SHUTDOWN);
    assert_eq!((told.get(), token.cause()), ([0, 0, 0], Some(Cause::SHUTDOWN)), "R2");
}

#[test]
fn j11_a_linked_host_is_told_of_root_and_parent() {
    for index in 0..2 {
        let roots = [Token::new(), Token::new()];
        let (token, told) = guest(&roots[0], Some(&roots[1]));
        roots[index].cancel_with(Cause::SHUTDOWN);
        assert_eq!((told.get(), token.cause()), ([1, 0, 0], Some(Cause::SHUTDOWN)));
    }
    let root = Token::new();
    let below = root.child_token();
    let (token, told) = guest(&root, Some(&below));
    root.cancel();
    assert_eq!((told.get(), token.is_cancelled()), ([1, 0, 0], true), "the parent hears of the root anyway");
}

#[test]
fn t6_a_parent_that_is_cancelled_before_is_told_at_once() {
    let (root, parent) = (Token::new(), Token::new());
    parent.cancel_with(Cause::EVICTED);
    let (token, told) = guest(&root, Some(&parent));
    assert_eq!((told.get(), token.cause()), ([1, 0, 0], Some(Cause::EVICTED)));
}

#[test]
fn r6_one_that_is_dismissed_is_forgotten() {
    let (root, parent) = (Token::new(), Token::new());
    let (token, told) = guest(&root, Some(&parent));
    dismiss(&token);
    parent.cancel();
    assert_eq!((told.get(), token.is_cancelled()), ([0, 0, 0], true));
}

#[test]
fn r5_whoever_holds_the_token_or_is_below_it_holds_the_host() {
    let root = Token::new();
    let (token, told) = guest(&root, None);
    let child = token.child_token();
    let clone = token.clone();
    drop((token, clone));
    assert_eq!(told.get(), [0, 0, 0]);
    root.cancel();
    assert!(child.is_cancelled());
    drop(child);
    assert_eq!(told.get(), [0, 0, 1]);
}

#[test]
fn p4_callbacks_that_never_ran_are_dropped_in_the_hosts_care() {
    let root = Token::new();
    let (token, told) = guest(&root, None);
    let noticed = alloc::sync::Arc::new(());
    let inside = noticed.clone();
    drop(token.on_cancel(move |_| drop(inside)));
    drop(token);
    // Dropping the callback; taking the node off the root's list is nobody's code but ours.
    assert_eq!((told.get(), alloc::sync::Arc::strong_count(&noticed)), ([0, 1, 1], 1));
}

#[test]
fn d1_the_deadline_of_a_linked_token_is_the_earliest() {
    let at = |nanos| Token::with_deadline(Instant::from_nanos(nanos));
    let (one, two) = (at(50), at(20));
    assert_eq!(one.of_both(&two).deadline(), Some(Instant::from_nanos(20)));
}

#[test]
fn j11_of_two_one_may_be_enough() {
    let root = Token::new();
    let below = root.child_token();
    for token in [root.of_both(&below), below.of_both(&root), below.of_both(&Token::never())] {
        assert!(token.node().is_some_and(|node| node.is(below.node().expect("a node"))));
    }
}

//! Tokens with several parents: R7, and the other tree rules for them.

mod common;

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;

use common::{Count, poll};
use countermand_core::{Cause, Instant, Token};

#[test]
fn r7_fires_with_any_parent_and_its_cause() {
    for index in 0..3 {
        let parents = [Token::new(), Token::new(), Token::new()];
        let linked = Token::linked(&parents);
        let child = linked.child_token();
        assert!(!linked.is_cancelled());
        let cause = Cause::SHUTDOWN.with_text("one of three");
        parents[index].cancel_with(cause);
        assert_eq!(linked.cause(), Some(cause));
        assert_eq!(child.cause(), Some(cause));
    }
}

#[test]
fn r1_cancelling_a_linked_token_cancels_no_parent() {
    let parents = [Token::new(), Token::new()];
    let linked = Token::linked(&parents);
    assert!(linked.cancel());
    assert!(!parents[0].is_cancelled() && !parents[1].is_cancelled());
}

#[test]
fn t10_the_parent_that_was_first_gives_the_cause() {
    let (first, second) = (Token::new(), Token::new());
    let linked = Token::linked([&first, &second]);
    second.cancel_with(Cause::EVICTED);
    first.cancel_with(Cause::SHUTDOWN);
    assert_eq!(linked.cause(), Some(Cause::EVICTED));
}

#[test]
fn r4_born_cancelled_if_a_parent_is() {
    let (first, second) = (Token::new(), Token::new());
    second.cancel_with(Cause::EVICTED);
    let linked = Token::linked([&first, &second]);
    assert_eq!(linked.cause(), Some(Cause::EVICTED));
    assert!(!first.is_cancelled());
}

#[test]
fn r7_few_parents_make_a_plain_token() {
    assert!(Token::linked([]).cancel(), "no parent: a root");
    assert!(!Token::linked([&Token::never()]).is_cancelled());
    let parent = Token::new();
    let same = Token::linked([&parent, &parent.clone(), &Token::never()]);
    parent.cancel_with(Cause::EVICTED);
    assert_eq!(same.cause(), Some(Cause::EVICTED));
}

#[test]
fn r7_an_ancestor_of_another_parent_is_heard_of_through_it() {
    let root = Token::new();
    let middle = root.child_token();
    for parents in [[&root, &middle], [&middle, &root]] {
        let linked = Token::linked(parents);
        assert!(!linked.is_cancelled());
        assert!(linked.child_token().cancel());
    }
    let linked = Token::linked([&root, &middle]);
    root.cancel_with(Cause::SHUTDOWN);
    assert_eq!(linked.cause(), Some(Cause::SHUTDOWN));
}

#[test]
fn r7_waiters_hear_of_every_parent_once() {
    for index in 0..2 {
        let roots = [Token::new(), Token::new()];
        let parents = [roots[0].child_token(), roots[1].child_token()];
        let linked = Token::linked(&parents);
        let leaf = linked.child_token();
        let (count, waker) = Count::new();
        let mut wait = pin!(leaf.cancelled());
        assert!(poll(wait.as_mut(), &waker).is_pending());
        roots[index].cancel_with(Cause::EVICTED);
        roots[1 - index].cancel_with(Cause::SHUTDOWN);
        assert_eq!(count.get(), 1);
        assert_eq!(poll(wait.as_mut(), &waker), Poll::Ready(Cause::EVICTED));
    }
}

#[test]
fn r6_dead_linked_children_leave_nothing_in_their_parents() {
    let parents = [Token::new(), Token::new()];
    let (count, waker) = Count::new();
    for _ in 0..100 {
        let linked = Token::linked(&parents);
        let mut wait = Box::pin(linked.cancelled());
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    assert_eq!(Arc::strong_count(&count), 2);
    parents[0].cancel();
    parents[1].cancel();
    assert_eq!(count.get(), 0);
}

#[test]
fn r6_cancelled_by_one_parent_it_leaves_the_others() {
    let (first, second) = (Token::new(), Token::new());
    let linked = Token::linked([&first, &second]);
    first.cancel();
    drop(linked);
    second.cancel();
}

#[test]
fn d1_the_least_deadline_of_all_parents_counts() {
    let at = Instant::from_nanos;
    let (first, second) = (Token::with_deadline(at(30)), Token::with_deadline(at(20)));
    let linked = Token::linked([&first, &second]);
    assert_eq!(linked.deadline(), Some(at(20)));
    assert!(linked.expire_due(at(20)));
    assert_eq!(linked.cause(), Some(Cause::DEADLINE));
    assert!(second.is_cancelled() && !first.is_cancelled());
}

#[test]
fn r3_nested_links_are_looked_through() {
    let mut side_roots = Vec::new();
    let base = Token::new();
    let mut linked = base.clone();
    for _ in 0..12 {
        let side = Token::new();
        linked = Token::linked([&linked.child_token(), &side]).child_token();
        side_roots.push(side);
    }
    assert!(!linked.is_cancelled());
    base.cancel_with(Cause::EVICTED);
    assert_eq!(linked.cause(), Some(Cause::EVICTED));
}

#[test]
fn r8_links_nested_by_the_thousand_work_on_a_small_stack() {
    let run = || {
        for cancel_side in [false, true] {
            let base = Token::with_deadline(Instant::from_nanos(5));
            let sides: Vec<_> = (0..2000).map(|_| Token::new()).collect();
            let mut linked = base.clone();
            for side in &sides {
                linked = Token::linked([&linked, side]);
            }
            assert_eq!(linked.deadline(), Some(Instant::from_nanos(5)));
            let (count, waker) = Count::new();
            let mut wait = Box::pin(linked.clone().cancelled_owned());
            assert!(poll(wait.as_mut(), &waker).is_pending());
            if cancel_side {
                sides[7].cancel_with(Cause::EVICTED)
            } else {
                base.cancel_with(Cause::EVICTED)
            };
            assert_eq!(count.get(), 1);
            assert_eq!(linked.cause(), Some(Cause::EVICTED));
        }
    };
    thread::Builder::new().stack_size(256 * 1024).spawn(run).unwrap().join().unwrap();
}

#[test]
fn r7_parents_may_be_dropped_before_the_linked_token() {
    let root = Token::new();
    let linked = Token::linked([&root.child_token(), &Token::new()]);
    root.cancel();
    assert!(linked.is_cancelled());
}

#[test]
fn r3_parents_cancelled_by_several_threads() {
    for _ in 0..300 {
        let parents = [Token::new(), Token::new()];
        let linked = Token::linked(&parents);
        let leaf = linked.child_token();
        thread::scope(|scope| {
            scope.spawn(|| parents[0].cancel_with(Cause::EVICTED));
            scope.spawn(|| parents[1].cancel_with(Cause::SHUTDOWN));
            scope.spawn(|| {
                let mut first = None;
                for _ in 0..20 {
                    let now = leaf.cause();
                    assert!(first.is_none() || now == first);
                    first = now;
                }
            });
            let (_, waker) = Count::new();
            let mut wait = pin!(leaf.cancelled());
            let _ = poll(wait.as_mut(), &waker);
        });
        assert!(leaf.is_cancelled() && linked.is_cancelled());
    }
}

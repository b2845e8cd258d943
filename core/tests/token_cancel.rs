//! What a cancel does, and to whom: T1, T2, T3, T10, T11, T14, R1 to R5.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use countermand_core::{Cause, CauseKind, Detail, Token};

#[test]
fn t1_only_the_first_is_told() {
    let token = Token::new();
    assert!(token.cancel());
    assert!(!token.cancel());
    assert!(!token.clone().cancel_with(Cause::SHUTDOWN));
}

#[test]
fn t1_only_one_of_many_threads_is_told() {
    for _ in 0..200 {
        let token = Token::new();
        let told = AtomicUsize::new(0);
        let start = Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    if token.cancel() {
                        told.fetch_add(1, Ordering::Relaxed);
                    }
                    assert!(token.is_cancelled(), "a loser returned too early");
                });
            }
        });
        assert_eq!(told.into_inner(), 1);
    }
}

#[test]
fn t1_a_child_of_a_cancelled_parent_tells_nobody() {
    let parent = Token::new();
    let child = parent.child_token();
    parent.cancel();
    assert!(!child.cancel());
}

#[test]
fn t2_once_cancelled_it_stays_so_on_every_clone() {
    let token = Token::new();
    let clone = token.clone();
    assert!(!clone.is_cancelled());
    token.cancel();
    for _ in 0..3 {
        assert!(token.is_cancelled());
        assert!(clone.is_cancelled());
    }
}

#[test]
fn t3_what_came_before_the_cancel_is_seen_after_the_check() {
    for _ in 0..200 {
        let token = Token::new();
        let value = AtomicUsize::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                value.store(7, Ordering::Relaxed);
                token.cancel();
            });
            while !token.is_cancelled() {
                thread::yield_now();
            }
            assert_eq!(value.load(Ordering::Relaxed), 7);
        });
    }
}

#[test]
fn t10_every_kind_of_cause_comes_back_as_it_was() {
    let kinds = [
        CauseKind::Requested,
        CauseKind::Deadline,
        CauseKind::Shutdown,
        CauseKind::HandleDropped,
        CauseKind::Evicted,
        CauseKind::Linked,
    ];
    for kind in kinds {
        let plain = Cause::new(kind);
        for cause in
            [plain, plain.with_code(0), plain.with_code(u32::MAX), plain.with_text("why not"), plain.with_text("")]
        {
            let token = Token::new();
            let child = token.child_token().child_token();
            assert_eq!(token.cause(), None);
            assert!(token.cancel_with(cause));
            assert_eq!(token.cause(), Some(cause));
            assert_eq!(child.cause(), Some(cause));
            drop(token);
            assert_eq!(child.cause(), Some(cause), "kept alive by the child");
        }
    }
}

#[test]
fn t10_the_first_cause_stays() {
    let token = Token::new();
    token.cancel_with(Cause::SHUTDOWN.with_code(1));
    token.cancel_with(Cause::EVICTED);
    assert_eq!(token.cause().map(|cause| cause.detail()), Some(Detail::Code(1)));
}

#[test]
fn t10_a_child_keeps_its_own_cause() {
    let parent = Token::new();
    let child = parent.child_token();
    child.cancel_with(Cause::EVICTED);
    parent.cancel_with(Cause::SHUTDOWN);
    assert_eq!(child.cause(), Some(Cause::EVICTED));
    assert_eq!(parent.cause(), Some(Cause::SHUTDOWN));
}

#[test]
fn t10_whatever_races_with_it() {
    for round in 0..500 {
        let parent = Token::new();
        let child = parent.child_token();
        let start = Barrier::new(3);
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                parent.cancel_with(Cause::SHUTDOWN);
            });
            scope.spawn(|| {
                start.wait();
                child.cancel_with(Cause::EVICTED.with_text("other"));
            });
            start.wait();
            let mut first = None;
            for _ in 0..64 {
                let now = child.cause();
                if first.is_some() {
                    assert_eq!(now, first, "round {round}");
                }
                first = now;
            }
        });
        let last = child.cause();
        assert!(last.is_some());
    }
}

#[test]
fn t11_dropping_tokens_cancels_nothing() {
    let token = Token::new();
    let child = token.child_token();
    drop(token.clone());
    drop(token);
    assert!(!child.is_cancelled());
}

#[test]
fn t11_an_armed_guard_cancels_and_a_disarmed_one_does_not() {
    let token = Token::new();
    let guard = token.clone().drop_guard();
    assert!(!guard.disarm().is_cancelled());
    assert!(!token.is_cancelled());
    drop(token.clone().drop_guard());
    assert_eq!(token.cause(), Some(Cause::HANDLE_DROPPED));
}

#[test]
fn t14_the_never_token_is_never_cancelled() {
    static NEVER: Token = Token::never();
    let never = NEVER.clone();
    assert!(!never.cancel());
    assert!(!never.is_cancelled());
    assert_eq!(never.cause(), None);
    drop(never.drop_guard());
    assert!(!NEVER.is_cancelled());
    let child = NEVER.child_token();
    assert!(child.cancel(), "a child of it is a root");
}

#[test]
fn r1_only_descendants_are_cancelled() {
    let root = Token::new();
    let (left, right) = (root.child_token(), root.child_token());
    let (leaf, other) = (left.child_token(), right.child_token());
    left.cancel();
    assert!(left.is_cancelled() && leaf.is_cancelled());
    assert!(!root.is_cancelled() && !right.is_cancelled() && !other.is_cancelled());
}

#[test]
fn r2_every_descendant_reads_cancelled_when_cancel_returns() {
    let root = Token::new();
    let mut row = vec![root.clone()];
    let mut all = Vec::new();
    for _ in 0..6 {
        row = row.iter().flat_map(|parent| [parent.child_token(), parent.child_token()]).collect();
        all.extend(row.iter().cloned());
    }
    root.cancel();
    assert!(all.iter().all(Token::is_cancelled));
}

#[test]
fn r3_no_descendant_lags_behind_its_ancestor() {
    for _ in 0..200 {
        let root = Token::new();
        let leaf = root.child_token().child_token();
        thread::scope(|scope| {
            scope.spawn(|| root.cancel());
            while !root.is_cancelled() {
                thread::yield_now();
            }
            assert!(leaf.is_cancelled());
        });
    }
}

#[test]
fn r4_a_child_of_a_cancelled_parent_is_born_cancelled() {
    let root = Token::new();
    root.cancel_with(Cause::EVICTED);
    let child = root.child_token();
    assert!(child.is_cancelled());
    assert_eq!(child.child_token().cause(), Some(Cause::EVICTED));
}

#[test]
fn r5_dropping_a_middle_node_cuts_nobody_off() {
    let root = Token::new();
    let middle = root.child_token();
    let leaf = middle.child_token();
    drop(middle);
    root.cancel();
    assert!(leaf.is_cancelled());
}

#[test]
fn r8_a_chain_of_a_million_builds_cancels_and_drops() {
    let root = Token::new();
    let mut leaf = root.child_token();
    for _ in 0..1_000_000 {
        leaf = leaf.child_token();
    }
    assert!(!leaf.is_cancelled());
    root.cancel_with(Cause::SHUTDOWN);
    assert_eq!(leaf.cause(), Some(Cause::SHUTDOWN));
    drop(root);
    drop(leaf);
}

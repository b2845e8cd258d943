//! Who cancels, since when it is so, and why.

use std::prelude::v1::*;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countermand_core::{Cause, CauseKind, Instant, Token};

use crate::{Bench, Check, Flaw, Recorder, ensure, ensure_eq, poll};

pub(super) async fn t1_one_canceller_is_told_that_it_was_first(bench: &Bench) -> Check {
    let token = Token::new();
    ensure!(token.cancel(), "the only cancel was told that it was not first");
    ensure!(!token.cancel(), "a second cancel was told that it was first");
    ensure!(!token.clone().cancel_with(Cause::SHUTDOWN), "a cancel through a clone was told that it was first");
    let parent = Token::new();
    let child = parent.child_token();
    parent.cancel();
    ensure!(!child.cancel(), "the cancel of a token that its parent had cancelled was told that it was first");

    struct Field {
        token: Token,
        first: AtomicUsize,
    }
    let cancel = |field: &Field| {
        field.first.fetch_add(usize::from(field.token.cancel()), Ordering::SeqCst);
    };
    let cancel_with = |field: &Field| {
        let clone = field.token.clone();
        field.first.fetch_add(usize::from(clone.cancel_with(Cause::SHUTDOWN)), Ordering::SeqCst);
    };
    bench.race(
        bench.rounds(3_000),
        |round| {
            let parent = Token::new();
            let token = if round % 2 == 0 { parent.child_token() } else { parent };
            Field { token, first: AtomicUsize::new(0) }
        },
        &[&cancel, &cancel_with, &cancel],
        |round, field| {
            let first = field.first.into_inner();
            ensure_eq!(first, 1, "round {round}: how many of three racing cancels were told that they were first");
            Ok(())
        },
    )
}

pub(super) async fn t2_cancelled_is_sticky(bench: &Bench) -> Check {
    struct Field {
        token: Token,
        child: Token,
        relapses: AtomicUsize,
    }
    fn watch(field: &Field, token: &Token) {
        let mut seen = false;
        for _ in 0..60 {
            let now = token.is_cancelled();
            if seen && !now {
                field.relapses.fetch_add(1, Ordering::SeqCst);
            }
            seen |= now;
        }
    }
    let cancel = |field: &Field| {
        field.token.cancel();
        // More requests, and clones that come and go, make nothing undone.
        drop(field.token.clone());
        field.token.cancel_with(Cause::DEADLINE);
        field.child.cancel();
    };
    let watch_it = |field: &Field| watch(field, &field.token.clone());
    let watch_child = |field: &Field| watch(field, &field.child);
    bench.race(
        bench.rounds(2_000),
        |_| {
            let token = Token::new();
            let child = token.child_token();
            Field { token, child, relapses: AtomicUsize::new(0) }
        },
        &[&cancel, &watch_it, &watch_child],
        |round, field| {
            let relapses = field.relapses.load(Ordering::SeqCst);
            ensure_eq!(relapses, 0, "round {round}: checks that returned false after one had returned true");
            ensure!(field.token.is_cancelled(), "round {round}: a cancelled token reads live once all is quiet");
            let observer = field.token.observer();
            drop(field);
            ensure!(observer.is_cancelled(), "round {round}: an observer reads live after the tokens are gone");
            Ok(())
        },
    )
}

pub(super) async fn t3_cancel_happens_before_the_check(bench: &Bench) -> Check {
    /// What was written before the cancel, with no ordering of its own.
    struct Field {
        token: Token,
        child: Token,
        written: [AtomicU64; 16],
        stale: AtomicUsize,
    }
    let write_and_cancel = |field: &Field| {
        for cell in &field.written {
            cell.store(7, Ordering::Relaxed);
        }
        field.token.cancel();
    };
    fn read(field: &Field, token: &Token) {
        for _ in 0..400 {
            if token.is_cancelled() {
                let stale = field.written.iter().filter(|cell| cell.load(Ordering::Relaxed) != 7).count();
                field.stale.fetch_add(stale, Ordering::Relaxed);
                return;
            }
        }
    }
    let read_token = |field: &Field| read(field, &field.token);
    let read_child = |field: &Field| read(field, &field.child);
    bench.race(
        bench.rounds(2_000),
        |_| {
            let token = Token::new();
            let child = token.child_token();
            Field { token, child, written: Default::default(), stale: AtomicUsize::new(0) }
        },
        &[&write_and_cancel, &read_token, &read_child],
        |round, field| {
            let stale = field.stale.into_inner();
            ensure_eq!(stale, 0, "round {round}: words written before the cancel and not seen by a check that saw it");
            Ok(())
        },
    )
}

pub(super) async fn t5_published_before_anybody_is_told(bench: &Bench) -> Check {
    const CAUSE: Cause = Cause::REQUESTED.with_code(5);
    let mut random = bench.random();
    let rounds = bench.rounds(300);
    for round in 0..rounds {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let root = Token::new();
        let mut tokens = vec![root.clone()];
        for _ in 0..random.usize(1..20) {
            let parent = &tokens[random.usize(..tokens.len())];
            tokens.push(if random.bool() { parent.child_token() } else { Token::linked([parent, &Token::new()]) });
        }
        let look = |token: &Token, whom: &'static str| {
            let (token, root, seen) = (token.clone(), root.clone(), Arc::clone(&seen));
            move || {
                let saw = (token.is_cancelled(), token.cause(), root.is_cancelled());
                seen.lock().unwrap_or_else(PoisonError::into_inner).push((whom, saw));
            }
        };
        let mut recorders = Vec::new();
        let mut waits = Vec::new();
        let mut told = 0;
        for token in &tokens {
            let woken = look(token, "waiter");
            let recorder = Recorder::acting(move |touch| {
                if touch == crate::Touch::Wake {
                    woken();
                }
            });
            let mut wait = Box::pin(token.clone().cancelled_owned());
            ensure!(poll(wait.as_mut(), &recorder.waker()).is_pending(), "a waiter on a live token was ready");
            waits.push(wait);
            recorders.push(recorder);
            let called = look(token, "callback");
            let _ = token.on_cancel(move |_| called());
            told += 2;
        }
        root.cancel_with(CAUSE);
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ensure_eq!(seen.len(), told, "round {round}: how many waiters and callbacks were told");
        for (whom, saw) in seen {
            ensure_eq!(
                saw,
                (true, Some(CAUSE), true),
                "round {round}: flag, cause and root's flag as its {whom} saw them"
            );
        }
        // The wakers hold tokens and the tokens hold nobody; let the acts go, so that nothing is left of the round.
        recorders.iter().for_each(Recorder::calm);
    }
    Ok(rounds)
}

pub(super) async fn t10_first_cause_wins(bench: &Bench) -> Check {
    const BY_CODE: [Cause; 3] =
        [Cause::REQUESTED.with_code(0), Cause::SHUTDOWN.with_code(1), Cause::EVICTED.with_text("two")];
    let token = Token::new();
    ensure_eq!(token.cause(), None, "the cause of a live token");
    token.cancel_with(BY_CODE[0]);
    token.cancel_with(BY_CODE[1]);
    ensure_eq!(token.cause(), Some(BY_CODE[0]), "the cause after two cancels");
    let parent = Token::new();
    let child = parent.child_token();
    child.cancel_with(BY_CODE[2]);
    parent.cancel_with(BY_CODE[1]);
    ensure_eq!(child.cause(), Some(BY_CODE[2]), "the cause of a child whose parent was cancelled later");
    let due = Token::with_deadline(Instant::from_nanos(10));
    due.cancel_with(BY_CODE[1]);
    due.expire_due(Instant::from_nanos(20));
    ensure_eq!(due.cause(), Some(BY_CODE[1]), "the cause of a token whose deadline became due after a cancel");

    struct Field {
        parent: Token,
        token: Token,
        due: Instant,
        won: Mutex<Vec<Cause>>,
        seen: Mutex<Vec<Cause>>,
    }
    impl Field {
        fn note(&self, won: bool, cause: Cause) {
            if won {
                self.won.lock().unwrap_or_else(PoisonError::into_inner).push(cause);
            }
            self.look();
        }
        fn look(&self) {
            if let Some(cause) = self.token.cause() {
                self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(cause);
            }
        }
    }
    let by_itself = |field: &Field| field.note(field.token.cancel_with(BY_CODE[0]), BY_CODE[0]);
    let by_parent = |field: &Field| {
        field.parent.cancel_with(BY_CODE[1]);
        field.look();
    };
    let by_time = |field: &Field| {
        field.look();
        field.token.expire_due(field.due);
        field.look();
    };
    bench.race(
        bench.rounds(2_000),
        |_| {
            let due = Instant::ORIGIN.checked_add(Duration::from_secs(1)).unwrap_or_default();
            let parent = Token::new();
            let token = parent.child_with_deadline(due);
            Field { parent, token, due, won: Mutex::default(), seen: Mutex::default() }
        },
        &[&by_itself, &by_parent, &by_time],
        |round, field| {
            let seen = field.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
            let won = field.won.into_inner().unwrap_or_else(PoisonError::into_inner);
            let last =
                field.token.cause().ok_or_else(|| Flaw::Broken(format!("round {round}: cancelled without a cause")))?;
            ensure!(
                seen.iter().all(|cause| *cause == last),
                "round {round}: the cause changed: seen in turn {seen:?}, in the end {last:?}"
            );
            ensure!(
                won.is_empty() || won[0] == last,
                "round {round}: the cancel with {:?} was told that it was first, and the cause is {last:?}",
                won[0]
            );
            ensure!(
                !won.is_empty() || last == BY_CODE[1] || last.kind() == CauseKind::Deadline,
                "round {round}: the token's own cancel was not first, and the cause is {last:?}"
            );
            Ok(())
        },
    )
}

//! What holds a tree together when handles go, and what ties it to others.

use std::prelude::v1::*;
use std::sync::{Arc, Mutex, PoisonError};

use countermand_core::{Cause, Token};

use crate::{Bench, Census, Check, Recorder, Tally, ensure, ensure_eq, poll};

pub(super) async fn r5_middle_drop_cuts_nobody_off(bench: &Bench) -> Check {
    const CAUSE: Cause = Cause::REQUESTED.with_code(5);
    let mut random = bench.random();
    let rounds = bench.rounds(300);
    for round in 0..rounds {
        let root = Token::new();
        let length = random.usize(1..30);
        let mut middle = vec![root.child_token()];
        for place in 0..length {
            middle.push(if random.u8(..4) == 0 {
                Token::linked([&middle[place], &Token::new()])
            } else {
                middle[place].child_token()
            });
        }
        // Some in the middle have a past: waiters and callbacks that went away.
        for token in &middle {
            if random.bool() {
                let mut wait = Box::pin(token.cancelled());
                let _ = poll(wait.as_mut(), &Recorder::new().waker());
                token.on_cancel(|_| {}).unregister();
            }
        }
        let leaf = middle[length].child_token();
        if random.bool() {
            // Nobody listens to this one: what it knows it has to look up.
            random.shuffle(&mut middle);
            drop(middle);
            ensure!(!leaf.is_cancelled(), "round {round}: dropping {length} tokens in the middle cancelled the leaf");
            root.cancel_with(CAUSE);
            let seen = (leaf.is_cancelled(), leaf.cause());
            ensure_eq!(
                seen,
                (true, Some(CAUSE)),
                "round {round}: what is seen at a leaf below {length} dropped tokens"
            );
            continue;
        }
        let recorder = Recorder::new();
        let mut wait = Box::pin(leaf.clone().cancelled_owned());
        ensure!(poll(wait.as_mut(), &recorder.waker()).is_pending(), "a waiter on a live token was ready");
        let called = Arc::new(Mutex::new(None));
        let call = Arc::clone(&called);
        let _registration =
            leaf.on_cancel(move |cause| *call.lock().unwrap_or_else(PoisonError::into_inner) = Some(cause));
        random.shuffle(&mut middle);
        drop(middle);
        ensure!(!leaf.is_cancelled(), "round {round}: dropping {length} tokens in the middle cancelled the leaf");
        root.cancel_with(CAUSE);
        ensure_eq!(leaf.cause(), Some(CAUSE), "round {round}: the cause of a leaf below {length} dropped tokens");
        ensure_eq!(recorder.wakes(), 1, "round {round}: wakes of the leaf's waiter");
        let called = *called.lock().unwrap_or_else(PoisonError::into_inner);
        ensure_eq!(called, Some(CAUSE), "round {round}: what the leaf's callback was told");
    }
    Ok(rounds)
}

pub(super) async fn r7_linked_fires_with_any_parent(bench: &Bench) -> Check {
    const CAUSES: [Cause; 3] =
        [Cause::REQUESTED.with_code(0), Cause::SHUTDOWN.with_code(1), Cause::LINKED.with_text("two")];
    for (place, cause) in CAUSES.into_iter().enumerate() {
        let parents = [Token::new(), Token::new().child_token(), Token::new()];
        let linked = Token::linked(&parents);
        let below = linked.child_token();
        let recorder = Recorder::new();
        let mut wait = Box::pin(below.cancelled());
        ensure!(poll(wait.as_mut(), &recorder.waker()).is_pending(), "a waiter on a live linked token was ready");
        parents[place].cancel_with(cause);
        ensure_eq!(linked.cause(), Some(cause), "the cause of a linked token after parent {place} of 3 was cancelled");
        ensure_eq!(below.cause(), Some(cause), "the cause of its child");
        ensure_eq!(recorder.wakes(), 1, "wakes of a waiter on its child");
        ensure!(
            parents.iter().filter(|parent| parent.is_cancelled()).count() == 1,
            "through a linked token the cancel of one parent reached another"
        );
        ensure_eq!(Token::linked(&parents).cause(), Some(cause), "the cause of a token linked to a cancelled parent");
    }
    let parents = [Token::new(), Token::new()];
    let linked = Token::linked(&parents);
    linked.cancel();
    ensure!(!parents.iter().any(Token::is_cancelled), "cancelling a linked token cancelled a parent");
    let none = Token::linked([]);
    ensure!(
        !none.is_cancelled() && none.cancel() && none.is_cancelled(),
        "a token linked to nobody is no ordinary token"
    );
    let parent = Token::new();
    let diamond = Token::linked([&parent, &parent.child_token(), &parent]);
    let recorder = Recorder::new();
    let mut wait = Box::pin(diamond.cancelled());
    let _ = poll(wait.as_mut(), &recorder.waker());
    parent.cancel();
    ensure_eq!(recorder.wakes(), 1, "wakes of a waiter on a token linked three times to the same root");

    no_cycle()?;

    struct Field {
        parents: [Token; 2],
        linked: Token,
        recorder: Recorder,
        won: Mutex<Vec<Cause>>,
    }
    fn cancel(field: &Field, which: usize) {
        if field.parents[which].cancel_with(CAUSES[which]) {
            let seen = field.linked.cause();
            field.won.lock().unwrap_or_else(PoisonError::into_inner).extend(seen);
        }
    }
    let first = |field: &Field| cancel(field, 0);
    let second = |field: &Field| cancel(field, 1);
    bench.race(
        bench.rounds(2_000),
        |_| {
            let parents = [Token::new(), Token::new()];
            let linked = Token::linked(&parents);
            let recorder = Recorder::new();
            let mut wait = Box::pin(linked.clone().cancelled_owned());
            let _ = poll(wait.as_mut(), &recorder.waker());
            // The waiter stays registered for the round; what it holds is released with the recorder's last waker.
            std::mem::forget(wait);
            Field { parents, linked, recorder, won: Mutex::default() }
        },
        &[&first, &second],
        |round, field| {
            let seen = field.won.into_inner().unwrap_or_else(PoisonError::into_inner);
            let last = field.linked.cause();
            ensure_eq!(
                seen.len(),
                2,
                "round {round}: how many of two cancelled parents saw their linked token cancelled"
            );
            ensure!(
                seen.iter().all(|cause| Some(*cause) == last) && (last == Some(CAUSES[0]) || last == Some(CAUSES[1])),
                "round {round}: the linked token's cause was seen as {seen:?} and is {last:?}"
            );
            ensure_eq!(field.recorder.wakes(), 1, "round {round}: wakes of the linked token's waiter");
            Ok(())
        },
    )
}

/// Linking makes no reference cycle: when the handles are gone, so is everything.
fn no_cycle() -> Result<(), crate::Flaw> {
    let census = Census::new();
    let round = || {
        let parents = [Token::new(), Token::new()];
        let linked = Token::linked(&parents);
        let again = Token::linked([&linked, &parents[0], &linked.child_token()]);
        let probe = census.probe();
        let _registration = again.on_cancel(move |_| drop(probe));
    };
    (0..4).for_each(|_| round());
    census.each_once("what the callback of a linked token captured, after all tokens were dropped")?;
    if Tally::here().is_some() {
        let (before, _) = Tally::kept_here();
        (0..1_000).for_each(|_| {
            let parents = [Token::new(), Token::new()];
            let linked = Token::linked(&parents);
            drop(Token::linked([&linked, &parents[1]]));
        });
        let left = Tally::kept_here().0 - before;
        ensure!(left < 8, "1000 linked trees left {left} blocks of memory behind after all tokens were dropped");
    }
    Ok(())
}

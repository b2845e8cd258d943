//! Waiting for a cancel: nobody is forgotten, nobody is told twice.

use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use countermand_core::{Cause, Token};

use crate::{Bench, Check, Recorder, Touch, ensure, ensure_eq, poll};

type Wait = Pin<Box<dyn Future<Output = Cause> + Send>>;

/// The token itself, a child, a grandchild, or one linked to it and another.
fn descendant(token: &Token, shape: u64) -> Token {
    match shape {
        0 => token.clone(),
        1 => token.child_token(),
        2 => token.child_token().child_token(),
        _ => Token::linked([&Token::new(), token]),
    }
}

/// The ways to wait for a token.
fn ways(token: &Token) -> Vec<(&'static str, Wait)> {
    let forever = token.clone();
    let observer = token.observer();
    vec![
        ("cancelled_owned", Box::pin(token.clone().cancelled_owned()) as Wait),
        (
            "run_until_cancelled",
            Box::pin(async move {
                match forever.run_until_cancelled(std::future::pending::<()>()).await {
                    Ok(()) => Cause::LINKED.with_text("a future that is never ready returned"),
                    Err(cause) => cause,
                }
            }),
        ),
        ("observer.cancelled", Box::pin(async move { observer.cancelled().await })),
    ]
}

pub(super) async fn t6_no_wake_up_is_lost(bench: &Bench) -> Check {
    // The waker of the last poll counts, not that of the first.
    let token = Token::new();
    let mut waits = Vec::new();
    for (way, mut wait) in ways(&token) {
        let (first, last) = (Recorder::new(), Recorder::new());
        ensure!(poll(wait.as_mut(), &first.waker()).is_pending(), "{way} on a live token was ready");
        ensure!(poll(wait.as_mut(), &last.waker()).is_pending(), "{way} on a live token was ready at its second poll");
        waits.push((way, wait, last));
    }
    token.cancel();
    for (way, mut wait, last) in waits {
        ensure_eq!(last.wakes(), 1, "{way}: wakes of the waker of the latest poll, after an earlier poll with another");
        ensure!(poll(wait.as_mut(), &last.waker()).is_ready(), "{way} was woken and is not ready");
    }

    // The clone of the waker is where users' code runs in the middle of registering: the cancel comes exactly there.
    for shape in 0..4 {
        for number in 0..3 {
            let canceller = Token::new();
            let token = descendant(&canceller, shape);
            let (way, mut wait) = ways(&token).swap_remove(number);
            let recorder = Recorder::acting(move |touch| {
                if touch == Touch::Clone {
                    canceller.cancel();
                }
            });
            let mut polled = poll(wait.as_mut(), &recorder.waker());
            if polled.is_pending() {
                ensure!(recorder.wakes() > 0, "{way}, shape {shape}: cancelled while it registered, and never woken");
                polled = poll(wait.as_mut(), &Recorder::new().waker());
            }
            ensure_eq!(polled, Poll::Ready(Cause::REQUESTED), "{way}, shape {shape}: cancelled while it registered");
        }
    }

    /// One that is about to wait: with which wakers it was polled, and what the last poll said.
    struct Waiter {
        way: &'static str,
        wait: Wait,
        recorders: [Recorder; 2],
        polled: Option<(usize, Poll<Cause>)>,
    }
    struct Field {
        canceller: Token,
        token: Token,
        waiters: Mutex<Vec<Waiter>>,
    }
    // One after the other begins to wait, some with a second waker after the first, so that the cancel comes in between.
    let wait = |field: &Field| {
        let mut waiters = field.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, waiter) in waiters.iter_mut().enumerate() {
            for (place, recorder) in waiter.recorders.iter().enumerate().take(1 + number % 2) {
                let polled = poll(waiter.wait.as_mut(), &recorder.waker());
                let ready = polled.is_ready();
                waiter.polled = Some((place, polled));
                if ready {
                    return;
                }
            }
        }
    };
    let cancel = |field: &Field| {
        field.canceller.cancel();
    };
    // Whoever asks may write down what was found; that must not hide the cancel from those who register meanwhile.
    let ask = |field: &Field| {
        for _ in 0..20 {
            if field.token.cause().is_some() {
                return;
            }
        }
    };
    let mut random = bench.random();
    bench.race(
        bench.rounds(3_000),
        |round| {
            let canceller = Token::new();
            let token = descendant(&canceller, round % 4);
            let waiters = (0..random.usize(1..24)).map(|number| {
                let (way, wait) = ways(&token).swap_remove(number % 3);
                Waiter { way, wait, recorders: Default::default(), polled: None }
            });
            let waiters = Mutex::new(waiters.collect());
            Field { canceller, token, waiters }
        },
        &[&wait, &cancel, &ask],
        |round, field| {
            for mut waiter in field.waiters.into_inner().unwrap_or_else(PoisonError::into_inner) {
                let way = waiter.way;
                if let Some((place, Poll::Pending)) = waiter.polled {
                    let wakes = waiter.recorders[place].wakes();
                    ensure_eq!(
                        wakes,
                        1,
                        "round {round}: {way} was pending when the cancel came; wakes of its last waker"
                    );
                    let again = poll(waiter.wait.as_mut(), &Recorder::new().waker());
                    ensure_eq!(again, Poll::Ready(Cause::REQUESTED), "round {round}: {way} polled after its wake-up");
                }
            }
            Ok(())
        },
    )
}

pub(super) async fn t7_each_waiter_is_woken_once(bench: &Bench) -> Check {
    let root = Token::new();
    let tokens =
        [root.clone(), root.child_token(), root.child_token().child_token(), Token::linked([&root, &Token::new()])];
    let mut waiting = Vec::new();
    for _ in 0..40 {
        for token in &tokens {
            for (way, mut wait) in ways(token) {
                let recorder = Recorder::new();
                ensure!(poll(wait.as_mut(), &recorder.waker()).is_pending(), "{way} on a live token was ready");
                waiting.push((way, wait, recorder));
            }
        }
    }
    // One in three goes away before the cancel.
    let mut gone = Vec::new();
    for place in (0..waiting.len()).rev().step_by(3) {
        let (way, wait, recorder) = waiting.swap_remove(place);
        drop(wait);
        ensure_eq!(recorder.held(), 0, "wakers held after the {way} they were given to was dropped");
        gone.push((way, recorder));
    }
    root.cancel();
    root.cancel();
    tokens.iter().for_each(|token| {
        token.cancel();
    });
    for (way, mut wait, recorder) in waiting {
        ensure_eq!(recorder.wakes(), 1, "wakes of one pending {way}");
        ensure!(poll(wait.as_mut(), &recorder.waker()).is_ready(), "{way} is not ready after the cancel");
        drop(wait);
        ensure_eq!(recorder.wakes(), 1, "wakes of one {way} after it was ready");
        ensure_eq!(recorder.held(), 0, "wakers of one {way} held after its end");
    }
    for (way, recorder) in gone {
        ensure_eq!(recorder.wakes(), 0, "wakes of one {way} that had been dropped");
    }
    for token in &tokens {
        for (way, mut wait) in ways(token) {
            let recorder = Recorder::new();
            let polled = poll(wait.as_mut(), &recorder.waker());
            ensure_eq!(polled, Poll::Ready(Cause::REQUESTED), "{way} first polled after the cancel");
            drop(wait);
            ensure_eq!(
                (recorder.wakes(), recorder.held()),
                (0, 0),
                "wakes, and wakers kept, of {way} first polled afterwards"
            );
        }
    }

    struct Field {
        parent: Token,
        token: Token,
        waits: Mutex<Vec<(Wait, Recorder)>>,
    }
    let cancel_parent = |field: &Field| {
        field.parent.cancel();
    };
    let cancel = |field: &Field| {
        field.token.cancel();
    };
    bench.race(
        bench.rounds(2_000),
        |_| {
            let parent = Token::new();
            let token = parent.child_token();
            let mut waits = Vec::new();
            for (_, mut wait) in ways(&token).into_iter().chain(ways(&token.child_token())) {
                let recorder = Recorder::new();
                let _ = poll(wait.as_mut(), &recorder.waker());
                waits.push((wait, recorder));
            }
            Field { parent, token, waits: Mutex::new(waits) }
        },
        &[&cancel_parent, &cancel],
        |round, field| {
            for (_, recorder) in field.waits.into_inner().unwrap_or_else(PoisonError::into_inner) {
                ensure_eq!(
                    recorder.wakes(),
                    1,
                    "round {round}: wakes of a waiter whose token and parent raced to be cancelled"
                );
            }
            Ok(())
        },
    )
}

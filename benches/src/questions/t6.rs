//! T6: what it costs to wait for a token's cancellation.
//!
//! First as a select does that the work wins: the wait is polled once, which registers it, and dropped. Then to the end: registered, cancelled,
//! woken. The tokens are there before. The futures are pinned where they are made, on the stack. The limit is one place for one waker, `AtomicWaker`,
//! which knows no tree and no second waiter.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};

use countermand::Token;
use futures::task::AtomicWaker;
use tokio_util::sync::CancellationToken;

use crate::meter::Meter;
use crate::question::{At, Cases, Goal, Quantity, Question};

const DROPPED: &str = "registered and dropped";
const WOKEN: &str = "registered, cancelled, woken";
const OURS: &str = "Token::cancelled";
const PEER: &str = "tokio-util, cancelled";
const LIMIT: &str = "AtomicWaker";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "T6",
    title: "waiting for a token",
    ops: 400_000,
    by: Quantity::Cpu,
    // 100 and 200 instructions against 294 and 574: `--instructions` counts them.
    goals: &[
        Goal::times_less(DROPPED, OURS, PEER, 2.94),
        Goal::at_most(At(DROPPED, OURS), Quantity::Allocs, 0.0),
        Goal::times_less(WOKEN, OURS, PEER, 2.87),
        Goal::at_most(At(WOKEN, OURS), Quantity::Allocs, 0.0),
    ],
    cases,
};

fn cases(_: u64, cases: &mut Cases) {
    let root = Token::new();
    let ours = root.child_token();
    let peer_root = CancellationToken::new();
    let peer = peer_root.child_token();
    let place = AtomicWaker::new();
    cases.group(DROPPED);
    cases.ours(OURS, move |meter| {
        dropped(meter, |context| pin!(black_box(&ours).cancelled()).poll(context).is_ready());
    });
    cases.peer(PEER, move |meter| {
        dropped(meter, |context| pin!(black_box(&peer).cancelled()).poll(context).is_ready());
    });
    cases.limit(LIMIT, move |meter| {
        dropped(meter, |context| {
            black_box(&place).register(context.waker());
            drop(place.take());
            false
        });
    });
    cases.group(WOKEN);
    cases.ours(OURS, move |meter| {
        woken(
            meter,
            || root.child_token(),
            |token, context| {
                let mut wait = pin!(token.cancelled());
                assert!(wait.as_mut().poll(context).is_pending());
                token.cancel();
                wait.poll(context).is_ready()
            },
        );
    });
    cases.peer(PEER, move |meter| {
        woken(
            meter,
            || peer_root.child_token(),
            |token, context| {
                let mut wait = pin!(token.cancelled());
                assert!(wait.as_mut().poll(context).is_pending());
                token.cancel();
                wait.poll(context).is_ready()
            },
        );
    });
    cases.limit(LIMIT, |meter| {
        woken(meter, AtomicWaker::new, |place, context| {
            place.register(context.waker());
            place.wake();
            true
        });
    });
}

fn dropped(meter: &mut Meter, register: impl Fn(&mut Context<'_>) -> bool) {
    let times = meter.ops();
    let mut context = Context::from_waker(Waker::noop());
    meter.time(|| {
        for _ in 0..times {
            assert!(!register(&mut context), "nobody cancels it");
        }
    });
}

/// A batch of tokens at a time, made before.
fn woken<T>(meter: &mut Meter, make: impl Fn() -> T, wake: impl Fn(&T, &mut Context<'_>) -> bool) {
    let mut left = meter.ops();
    while left > 0 {
        let batch: Vec<T> = (0..left.min(8_192)).map(|_| make()).collect();
        let mut context = Context::from_waker(Waker::noop());
        meter.time(|| {
            for token in &batch {
                assert!(wake(token, &mut context), "it was cancelled");
            }
        });
        left -= batch.len() as u64;
    }
}

//! T1: what it costs to ask whether a token is cancelled.
//!
//! Each contender asks the same token again and again, as the loop of a long computation does; on two threads, two loops ask one token, as
//! they do when a request is computed in parts. The limit is one acquiring load of a flag. A maintainer of tokio-util would write the same
//! line; nothing else of theirs answers the question.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countermand::Token;
use tokio_util::sync::CancellationToken;

use crate::idioms::together::together as both;
use crate::meter::Meter;
use crate::question::{Cases, Goal, Quantity, Question};

const ONE: &str = "one thread";
const TWO: &str = "two threads";
const OURS: &str = "Token::is_cancelled";
const LOAD: &str = "a load";
const PEER: &str = "tokio-util, is_cancelled";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "T1",
    title: "asking whether a token is cancelled",
    ops: 8_000_000,
    by: Quantity::Cpu,
    goals: &[
        Goal::within(ONE, OURS, LOAD, 1.1),
        Goal::times_less(ONE, OURS, PEER, 4.0),
        Goal::times_less(TWO, OURS, PEER, 25.0),
    ],
    cases,
};

fn cases(_: u64, cases: &mut Cases) {
    let (ours, peer, load) = (Token::new(), CancellationToken::new(), Arc::new(AtomicBool::new(false)));
    cases.group(ONE);
    cases.ours(OURS, alone(&ours, Token::is_cancelled));
    cases.peer(PEER, alone(&peer, CancellationToken::is_cancelled));
    cases.limit(LOAD, alone(&load, |flag| flag.load(Ordering::Acquire)));
    cases.group(TWO);
    cases.ours(OURS, together(&ours, Token::is_cancelled));
    cases.peer(PEER, together(&peer, CancellationToken::is_cancelled));
    cases.limit(LOAD, together(&load, |flag| flag.load(Ordering::Acquire)));
}

fn ask<T>(times: u64, token: &T, asks: impl Fn(&T) -> bool) {
    for _ in 0..times {
        assert!(!asks(black_box(token)), "nobody cancels it");
    }
}

fn alone<T: Clone + 'static>(token: &T, asks: impl Fn(&T) -> bool + 'static) -> impl FnMut(&mut Meter) + 'static {
    let token = token.clone();
    move |meter| {
        let times = meter.ops();
        meter.time(|| ask(times, &token, &asks));
    }
}

fn together<T: Clone + Sync + 'static>(
    token: &T,
    asks: impl Fn(&T) -> bool + Sync + 'static,
) -> impl FnMut(&mut Meter) + 'static {
    let token = token.clone();
    move |meter| {
        let half = meter.ops() / 2;
        meter.time(|| both(|| ask(half, &token, &asks)));
    }
}

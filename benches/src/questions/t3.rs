//! T3: what a child token costs that nobody waits on: made and dropped.
//!
//! That is what every request of a service does with the service's token. On two threads, both make children of one parent. The limit is a
//! box of the size of a small node, as a child needs a place somewhere. A maintainer of tokio-util would call `child_token` like this.

use std::hint::black_box;

use countermand::Token;
use tokio_util::sync::CancellationToken;

use crate::idioms::together::together as both;
use crate::meter::Meter;
use crate::question::{Cases, Goal, Quantity, Question};

const ONE: &str = "one thread";
const TWO: &str = "two threads, one parent";
const OURS: &str = "Token::child_token";
const PEER: &str = "tokio-util, child_token";
const LIMIT: &str = "a box of 48 bytes";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "T3",
    title: "a child token made and dropped",
    ops: 400_000,
    by: Quantity::Cpu,
    // 220 instructions against 677 and a limit of 147: `--instructions` counts them.
    goals: &[
        Goal::times_less(ONE, OURS, PEER, 677.0 / 220.0),
        Goal::within(ONE, OURS, LIMIT, 1.5),
        Goal::times_less(TWO, OURS, PEER, 12.0),
    ],
    cases,
};

fn cases(_: u64, cases: &mut Cases) {
    cases.group(ONE);
    cases.ours(OURS, alone(Token::new(), Token::child_token));
    cases.peer(PEER, alone(CancellationToken::new(), CancellationToken::child_token));
    cases.limit(LIMIT, alone((), boxed));
    cases.group(TWO);
    cases.ours(OURS, together(Token::new(), Token::child_token));
    cases.peer(PEER, together(CancellationToken::new(), CancellationToken::child_token));
    cases.limit(LIMIT, together((), boxed));
}

fn boxed((): &()) -> Box<[u64; 6]> {
    Box::new(black_box([0; 6]))
}

fn bear<P, C>(times: u64, parent: &P, child: impl Fn(&P) -> C) {
    for _ in 0..times {
        drop(black_box(child(parent)));
    }
}

fn alone<P: 'static, C>(parent: P, child: impl Fn(&P) -> C + 'static) -> impl FnMut(&mut Meter) {
    move |meter| {
        let times = meter.ops();
        meter.time(|| bear(times, &parent, &child));
    }
}

fn together<P: Sync + 'static, C>(parent: P, child: impl Fn(&P) -> C + Sync + 'static) -> impl FnMut(&mut Meter) {
    move |meter| {
        let half = meter.ops() / 2;
        meter.time(|| both(|| bear(half, &parent, &child)));
    }
}

//! T2: what another handle on the same token costs: clone and drop.
//!
//! Whoever starts a piece of work clones the token into it. The limit is the clone and drop of an `Arc`, which is one count up and one
//! down; a maintainer of tokio-util would clone like this too.

use std::hint::black_box;
use std::sync::Arc;

use countermand::Token;
use tokio_util::sync::CancellationToken;

use crate::meter::Meter;
use crate::question::{Cases, Goal, Quantity, Question};

const OURS: &str = "Token::clone";
const LIMIT: &str = "Arc::clone";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "T2",
    title: "a token cloned and dropped",
    ops: 4_000_000,
    by: Quantity::Cpu,
    goals: &[Goal::within("", OURS, LIMIT, 1.05)],
    cases,
};

fn cases(_: u64, cases: &mut Cases) {
    cases.ours(OURS, clone(Token::new()));
    cases.peer("tokio-util, clone", clone(CancellationToken::new()));
    cases.limit(LIMIT, clone(Arc::new(0_u64)));
}

fn clone<T: Clone + 'static>(token: T) -> impl FnMut(&mut Meter) {
    move |meter| {
        let times = meter.ops();
        meter.time(|| {
            for _ in 0..times {
                drop(black_box(black_box(&token).clone()));
            }
        });
    }
}

//! T7: how much memory a child token holds, and how much is left when it has gone.
//!
//! A hundred thousand children of one root are made, kept, and dropped, in a list that was there before. Counted is what is asked of the allocator
//! at the most beyond what was held before, and what is still held at the end; what the allocator adds to each block is not
//! in it. What a token takes within a job is not separate there; it is in the bytes of J3.

use countermand::Token;
use tokio_util::sync::CancellationToken;

use crate::meter::Meter;
use crate::question::{At, Cases, Goal, Quantity, Question};

const OURS: &str = "Token::child_token";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "T7",
    title: "the memory of a child token",
    ops: 100_000,
    by: Quantity::Peak,
    goals: &[Goal::at_most(At("", OURS), Quantity::Peak, 48.0), Goal::at_most(At("", OURS), Quantity::Left, 0.0)],
    cases,
};

fn cases(_: u64, cases: &mut Cases) {
    cases.ours(OURS, keep(Token::new(), Token::child_token));
    cases.peer("tokio-util, child_token", keep(CancellationToken::new(), CancellationToken::child_token));
}

fn keep<T: 'static>(root: T, child: fn(&T) -> T) -> impl FnMut(&mut Meter) {
    let mut kept = Vec::new();
    move |meter| {
        let count = usize::try_from(meter.ops()).unwrap_or(0);
        kept.reserve_exact(count);
        meter.time(|| {
            kept.extend((0..count).map(|_| child(&root)));
            kept.clear();
        });
    }
}

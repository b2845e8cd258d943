//! Curves over tokens: how many are alive, how deep they are, how many are cancelled at once.

use std::hint::black_box;

use countermand::Token;
use tokio_util::sync::CancellationToken;

use super::{Curve, Line};
use crate::question::{Role, Run};
use crate::questions::t5::{self, cancel};

const MILLION: u64 = 1_000_000;

/// What one child costs while others are alive.
pub(super) static ALIVE: Curve = Curve {
    name: "tokens-alive",
    title: "A child token made and dropped, while others are alive",
    over: "children alive",
    each: "a child",
    ops: |_| 50_000,
    lines: &[
        Line {
            name: "Token",
            role: Role::Ours,
            make: |count| alive(count, Token::new(), Token::child_token),
            up_to: MILLION,
        },
        Line {
            name: "tokio-util",
            role: Role::Peer,
            make: |count| alive(count, CancellationToken::new(), CancellationToken::child_token),
            up_to: MILLION,
        },
    ],
};

fn alive<T: 'static>(count: u64, root: T, child: fn(&T) -> T) -> Run {
    let others: Vec<T> = (0..count).map(|_| child(&root)).collect();
    Box::new(move |meter| {
        let times = meter.ops();
        meter.time(|| (0..times).for_each(|_| drop(black_box(child(&root)))));
        black_box(&others);
    })
}

/// What a check costs at a depth.
pub(super) static LEVELS: Curve = Curve {
    name: "levels",
    title: "Asking a token that is so many levels below the root",
    over: "levels",
    each: "a check",
    ops: |levels| (2_000_000 / levels).max(10),
    lines: &[
        Line {
            name: "Token",
            role: Role::Ours,
            make: |levels| deep(levels, Token::new(), Token::child_token, Token::is_cancelled),
            up_to: MILLION,
        },
        Line {
            name: "tokio-util",
            role: Role::Peer,
            make: |levels| {
                let root = CancellationToken::new();
                deep(levels, root, CancellationToken::child_token, CancellationToken::is_cancelled)
            },
            up_to: MILLION,
        },
    ],
};

fn deep<T: 'static>(levels: u64, root: T, child: fn(&T) -> T, asks: fn(&T) -> bool) -> Run {
    let mut chain = vec![root];
    for level in 0..levels as usize {
        let next = child(&chain[level]);
        chain.push(next);
    }
    Box::new(move |meter| {
        let times = meter.ops();
        let Some(last) = chain.last() else { return };
        meter.time(|| (0..times).for_each(|_| assert!(!asks(black_box(last)), "nobody cancels it")));
    })
}

/// What it costs to cancel a tree that nobody waits on.
pub(super) static CANCEL: Curve = Curve {
    name: "cancel",
    title: "Cancelling children that nobody waits on",
    over: "children",
    each: "a child",
    ops: |count| count,
    lines: &[
        Line {
            name: "Token",
            role: Role::Ours,
            make: |_| {
                Box::new(|meter| {
                    t5::alone(meter, Token::new, Token::child_token, Token::cancel, Token::is_cancelled);
                })
            },
            up_to: MILLION,
        },
        Line {
            name: "tokio-util",
            role: Role::Peer,
            make: |_| {
                Box::new(|meter| {
                    let child = CancellationToken::child_token;
                    t5::alone(meter, CancellationToken::new, child, cancel, CancellationToken::is_cancelled);
                })
            },
            up_to: MILLION,
        },
    ],
};

/// What it costs to cancel a tree whose every child is waited on.
pub(super) static CANCEL_WAITED: Curve = Curve {
    name: "cancel-waited",
    title: "Cancelling children that are waited on, each woken",
    over: "children",
    each: "a child",
    ops: |count| count,
    lines: &[
        Line {
            name: "Token",
            role: Role::Ours,
            make: |_| {
                Box::new(|meter| t5::waited(meter, Token::new, Token::child_token, Token::cancel, t5::wait_for_ours))
            },
            up_to: MILLION,
        },
        Line {
            name: "tokio-util",
            role: Role::Peer,
            make: |_| {
                Box::new(|meter| {
                    let child = CancellationToken::child_token;
                    t5::waited(meter, CancellationToken::new, child, cancel, t5::wait_for_theirs);
                })
            },
            up_to: MILLION,
        },
    ],
};

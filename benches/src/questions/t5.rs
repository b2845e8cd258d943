//! T5: what it costs to cancel a great many children at once.
//!
//! A million children of one root: such that nobody waits on; such that somebody waits on, each with a waker that counts; and a chain, each the
//! child of the last. Timed is the call of `cancel` alone, until it returns; by then every child is cancelled, and every waiter was woken, which is
//! checked. The limit is what it takes to write a flag for each of a million. The peers' trees are made by their own `child_token`, as one does.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use countermand::Token;
use tokio_util::sync::CancellationToken;

use crate::meter::Meter;
use crate::question::{At, Cases, Goal, Quantity, Question};

const ALONE: &str = "nobody waits";
const WAITED: &str = "each is waited on";
const CHAIN: &str = "a chain";
const OURS: &str = "Token::cancel";
const PEER: &str = "tokio-util, cancel";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "T5",
    title: "cancelling a million children",
    ops: 1_000_000,
    by: Quantity::Wall,
    goals: &[
        // Fifty microseconds for the million.
        Goal::at_most(At(ALONE, OURS), Quantity::Wall, 0.05),
        Goal::share(At(WAITED, OURS), Quantity::Cpu, At(WAITED, PEER), 20.0 / 136.0),
        Goal::share(At(CHAIN, OURS), Quantity::Cpu, At(CHAIN, PEER), 1.0),
    ],
    cases,
};

fn cases(ops: u64, cases: &mut Cases) {
    let (child, asks) = (CancellationToken::child_token, CancellationToken::is_cancelled);
    cases.group(ALONE);
    cases.ours(OURS, |meter| alone(meter, Token::new, Token::child_token, Token::cancel, Token::is_cancelled));
    cases.peer(PEER, move |meter| alone(meter, CancellationToken::new, child, cancel, asks));
    cases.limit("a flag written for each", {
        let flags: Vec<AtomicBool> = (0..ops).map(|_| AtomicBool::new(false)).collect();
        move |meter| {
            meter.time(|| black_box(&flags).iter().for_each(|flag| flag.store(true, Ordering::Release)));
        }
    });
    cases.group(WAITED);
    cases.ours(OURS, |meter| waited(meter, Token::new, Token::child_token, Token::cancel, wait_for_ours));
    cases.peer(PEER, move |meter| waited(meter, CancellationToken::new, child, cancel, wait_for_theirs));
    cases.group(CHAIN);
    cases.ours(OURS, |meter| chain(meter, Token::new(), Token::child_token, Token::cancel, Token::is_cancelled));
    cases.peer(PEER, move |meter| chain(meter, CancellationToken::new(), child, cancel, asks));
}

/// The wait of one child.
pub(crate) type Waiting = Pin<Box<dyn Future<Output = ()>>>;

pub(crate) fn wait_for_ours(token: &Token) -> Waiting {
    let cancelled = token.clone().cancelled_owned();
    Box::pin(async move {
        cancelled.await;
    })
}

pub(crate) fn wait_for_theirs(token: &CancellationToken) -> Waiting {
    Box::pin(token.clone().cancelled_owned())
}

pub(crate) fn cancel(token: &CancellationToken) -> bool {
    token.cancel();
    true
}

/// Small trees are cancelled many at a time, as no clock sees one of them.
const TOGETHER: u64 = 1_000;

/// Makes so many trees of `each` children, with what keeps them, and times the cancelling of all.
fn cancel_all<T, K>(
    meter: &mut Meter,
    root: impl Fn() -> T,
    keep: impl Fn(&T) -> K,
    cancel: impl Fn(&T) -> bool,
) -> Vec<K> {
    let each = meter.ops();
    let trees = TOGETHER.div_ceil(each);
    let roots: Vec<T> = (0..trees).map(|_| root()).collect();
    let kept: Vec<K> = roots.iter().flat_map(|root| (0..each).map(|_| keep(root)).collect::<Vec<_>>()).collect();
    meter.time_many(trees, || roots.iter().for_each(|root| assert!(cancel(root), "it was the first")));
    kept
}

/// Children that nobody waits on.
pub(crate) fn alone<T>(
    meter: &mut Meter,
    root: impl Fn() -> T,
    child: impl Fn(&T) -> T,
    cancel: impl Fn(&T) -> bool,
    is_cancelled: impl Fn(&T) -> bool,
) {
    let children = cancel_all(meter, root, child, cancel);
    assert!(children.iter().all(is_cancelled), "one was forgotten");
}

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicU64);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Children each of which is waited on.
pub(crate) fn waited<T>(
    meter: &mut Meter,
    root: impl Fn() -> T,
    child: impl Fn(&T) -> T,
    cancel: impl Fn(&T) -> bool,
    wait: impl Fn(&T) -> Waiting,
) {
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let keep = |root: &T| {
        let mut wait = wait(&child(root));
        assert_eq!(wait.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Pending, "nobody has cancelled it");
        wait
    };
    let waiting = cancel_all(meter, root, keep, cancel);
    assert_eq!(count.0.load(Ordering::Relaxed), waiting.len() as u64, "each is woken once");
}

fn chain<T>(
    meter: &mut Meter,
    root: T,
    child: impl Fn(&T) -> T,
    cancel: impl Fn(&T) -> bool,
    is_cancelled: impl Fn(&T) -> bool,
) {
    let mut tokens = Vec::with_capacity(usize::try_from(meter.ops()).unwrap_or(0) + 1);
    tokens.push(root);
    for link in 0..meter.ops() as usize {
        let next = child(&tokens[link]);
        tokens.push(next);
    }
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return };
    meter.time(|| cancel(first));
    assert!(is_cancelled(last), "it was forgotten");
}

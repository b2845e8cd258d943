//! Since when a whole subtree is cancelled, as others see it.

use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use countermand_core::{Cause, Instant, Token};

use crate::{Bench, Check, Flaw, Recorder, Touch, ensure, ensure_eq, poll};

/// A small tree: a root, children, grandchildren and a chain below the last of them; the root is the first.
fn tree() -> Vec<Token> {
    let root = Token::new();
    let mut tokens = vec![root.clone()];
    for _ in 0..4 {
        let child = root.child_token();
        for _ in 0..3 {
            tokens.push(child.child_token());
        }
        tokens.push(child);
    }
    for _ in 0..12 {
        let last = tokens[tokens.len() - 1].child_token();
        tokens.push(last);
    }
    tokens
}

pub(super) async fn r2_all_descendants_read_cancelled_afterwards(bench: &Bench) -> Check {
    struct Field {
        tokens: Vec<Token>,
        won: AtomicUsize,
        live: AtomicUsize,
    }
    let cancel = |field: &Field| {
        if field.tokens[0].cancel() {
            field.won.fetch_add(1, Ordering::SeqCst);
            let live = field.tokens.iter().filter(|token| !token.is_cancelled()).count();
            field.live.fetch_add(live, Ordering::SeqCst);
        }
    };
    // Meanwhile the tree is at work: subtrees are cancelled, waiters and children come and go.
    let work = |field: &Field| {
        for token in field.tokens.iter().skip(1).step_by(2) {
            let mut wait = Box::pin(token.cancelled());
            let _ = poll(wait.as_mut(), Waker::noop());
            let child = token.child_token();
            drop(wait);
            drop(child);
        }
        field.tokens[4].cancel();
    };
    bench.race(
        bench.rounds(1_000),
        |_| Field { tokens: tree(), won: AtomicUsize::new(0), live: AtomicUsize::new(0) },
        &[&cancel, &work, &cancel],
        |round, field| {
            ensure_eq!(field.won.into_inner(), 1, "round {round}: how many of two racing cancels of the root won");
            let live = field.live.into_inner();
            ensure_eq!(
                live,
                0,
                "round {round}: descendants that read live when the winning cancel of the root had returned"
            );
            Ok(())
        },
    )
}

pub(super) async fn r3_siblings_never_disagree(bench: &Bench) -> Check {
    // Whoever is told first may look at all: everybody below is cancelled by then.
    let rounds = bench.rounds(100);
    for round in 0..rounds {
        let tokens = Arc::new(tree());
        let live = Arc::new(Mutex::new(Vec::new()));
        let mut waits = Vec::new();
        for (place, token) in tokens.iter().enumerate() {
            let (all, live) = (Arc::clone(&tokens), Arc::clone(&live));
            let look = move || {
                let count = all.iter().filter(|token| !token.is_cancelled() || token.cause().is_none()).count();
                if count > 0 {
                    live.lock().unwrap_or_else(PoisonError::into_inner).push((place, count));
                }
            };
            let on_wake = look.clone();
            let recorder = Recorder::acting(move |touch| {
                if touch == Touch::Wake {
                    on_wake();
                }
            });
            let mut wait = Box::pin(token.clone().cancelled_owned());
            ensure!(poll(wait.as_mut(), &recorder.waker()).is_pending(), "a waiter on a live token was ready");
            waits.push((wait, recorder));
            let _ = token.on_cancel(move |_| look());
        }
        tokens[0].cancel();
        let live = live.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ensure!(
            live.is_empty(),
            "round {round}: when the token at {} was told, {} of its tree still read live; the root was cancelled",
            live[0].0,
            live[0].1
        );
        waits.iter().for_each(|(_, recorder)| recorder.calm());
    }

    struct Field {
        tokens: Vec<Token>,
        order: Vec<usize>,
        disagreed: AtomicUsize,
    }
    let cancel = |field: &Field| {
        field.tokens[0].cancel();
    };
    let look = |field: &Field| {
        for _ in 0..300 {
            if field.tokens[0].is_cancelled() {
                let live = field.order.iter().filter(|place| !field.tokens[**place].is_cancelled()).count();
                field.disagreed.fetch_add(live, Ordering::SeqCst);
                return;
            }
        }
    };
    let mut random = bench.random();
    bench
        .race(
            bench.rounds(2_000),
            |_| {
                let tokens = tree();
                let mut order: Vec<usize> = (1..tokens.len()).collect();
                random.shuffle(&mut order);
                Field { tokens, order, disagreed: AtomicUsize::new(0) }
            },
            &[&cancel, &look],
            |round, field| {
                let disagreed = field.disagreed.into_inner();
                ensure_eq!(disagreed, 0, "round {round}: descendants seen live by one who had seen the root cancelled");
                Ok(())
            },
        )
        .map(|raced| raced + rounds)
}

type Wait = Pin<Box<dyn Future<Output = Cause> + Send>>;

pub(super) async fn r4_child_of_a_cancelled_parent(bench: &Bench) -> Check {
    const CAUSE: Cause = Cause::SHUTDOWN.with_code(4);
    let parent = Token::new();
    parent.cancel_with(CAUSE);
    let later = Instant::from_nanos(u64::MAX);
    let born = [
        parent.child_token(),
        parent.child_token().child_token(),
        parent.child_with_deadline(later),
        Token::linked([&parent]),
    ];
    for (place, child) in born.iter().enumerate() {
        ensure!(child.is_cancelled(), "child {place} of a cancelled parent reads live");
        ensure_eq!(child.cause(), Some(CAUSE), "the cause of child {place} of a cancelled parent");
        ensure!(!child.cancel(), "a cancel of a child that was born cancelled was told that it was first");
        let mut wait = Box::pin(child.cancelled());
        ensure_eq!(poll(wait.as_mut(), Waker::noop()), Poll::Ready(CAUSE), "a waiter of child {place}");
    }

    // The clone of its waker is where users' code runs while a child registers: the cancel of its parent comes exactly there.
    for shape in 0..3 {
        let root = Token::new();
        let child = match shape {
            0 => root.child_token(),
            1 => root.child_token().child_token(),
            _ => Token::linked([&root.child_token(), &Token::new()]),
        };
        let recorder = Recorder::acting(move |touch| {
            if touch == Touch::Clone {
                root.cancel_with(CAUSE);
            }
        });
        let mut wait = Box::pin(child.cancelled());
        let pending = poll(wait.as_mut(), &recorder.waker()).is_pending();
        ensure!(
            !pending || recorder.wakes() > 0,
            "shape {shape}: a child whose parent was cancelled while it registered was pending and never woken"
        );
        ensure_eq!(child.cause(), Some(CAUSE), "shape {shape}: the cause of a child that registered during the cancel");
    }

    /// A child, and whether its waiter was found pending.
    struct Child {
        token: Token,
        wait: Wait,
        recorder: Recorder,
        pending: Option<bool>,
    }
    impl Child {
        fn new(token: Token) -> Self {
            let wait = Box::pin(token.clone().cancelled_owned());
            Self { token, wait, recorder: Recorder::new(), pending: None }
        }
        /// Begins to wait. Whether the cancel has yet to come.
        fn begin(&mut self) -> bool {
            let pending = poll(self.wait.as_mut(), &self.recorder.waker()).is_pending();
            self.pending = Some(pending);
            pending
        }
    }
    struct Field {
        root: Token,
        parent: Token,
        children: Mutex<Vec<Child>>,
    }
    let cancel = |field: &Field| {
        field.root.cancel_with(CAUSE);
    };
    // Children that were born before begin to wait, and more are born, so that the cancel comes in between.
    let bear = |field: &Field| {
        let mut children = field.children.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = children.iter_mut().all(Child::begin);
        for _ in 0..6 {
            let mut child = Child::new(field.parent.child_token());
            child.begin();
            children.push(child);
        }
    };
    let mut random = bench.random();
    bench.race(
        bench.rounds(3_000),
        |round| {
            let root = Token::new();
            let parent = if round % 2 == 0 { root.clone() } else { root.child_token().child_token() };
            let children = (0..random.usize(..24)).map(|_| Child::new(parent.child_token())).collect();
            Field { root, parent, children: Mutex::new(children) }
        },
        &[&cancel, &bear],
        |round, field| {
            for Child { token, wait, recorder, pending } in
                field.children.into_inner().unwrap_or_else(PoisonError::into_inner)
            {
                drop(wait);
                ensure!(token.is_cancelled(), "round {round}: a child born while its parent was cancelled stays live");
                ensure_eq!(token.cause(), Some(CAUSE), "round {round}: the cause of a child that raced with the cancel");
                ensure!(
                    recorder.wakes() == u64::from(pending == Some(true)),
                    "round {round}: the waiter of a child that raced with the cancel was pending = {pending:?} and was woken {} times",
                    recorder.wakes()
                );
            }
            Ok::<(), Flaw>(())
        },
    )
}

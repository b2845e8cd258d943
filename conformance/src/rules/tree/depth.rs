//! Deep trees: a bounded stack.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use countermand_core::{Cause, Instant, Token};

use crate::{Bench, Check, Flaw, Recorder, ensure, ensure_eq, poll};

/// Small for a thread; a function that calls itself a million times needs a hundred times as much.
const STACK: usize = 256 * 1024;

const DEPTH: usize = 1_000_000;

type Deep = (&'static str, fn(&AtomicU64) -> Result<(), Flaw>);

const DEEP: [Deep; 6] = [
    ("cancelled from the root", |reached| {
        let root = Token::new();
        let chain = chain(&root, Token::child_token);
        reached.store(DEPTH as u64, Ordering::SeqCst);
        ensure!(!chain[DEPTH - 1].is_cancelled(), "the last of a chain reads cancelled before anybody cancelled");
        root.cancel_with(Cause::SHUTDOWN);
        ensure_eq!(chain[DEPTH - 1].cause(), Some(Cause::SHUTDOWN), "the cause of the last of a million tokens");
        ensure_eq!(chain[DEPTH / 2].cause(), Some(Cause::SHUTDOWN), "the cause of the middle one of a million tokens");
        Ok(())
    }),
    ("dropped from the root on", |_| {
        let chain = chain(&Token::new(), Token::child_token);
        chain.into_iter().for_each(drop);
        Ok(())
    }),
    ("dropped from the leaf on", |_| {
        let mut chain = chain(&Token::new(), Token::child_token);
        while chain.pop().is_some() {}
        Ok(())
    }),
    ("held only by its leaf", |_| {
        let root = Token::new();
        let mut leaf = root.child_token();
        for _ in 0..DEPTH {
            leaf = leaf.child_token();
        }
        let recorder = Recorder::new();
        let mut wait = Box::pin(leaf.clone().cancelled_owned());
        ensure!(poll(wait.as_mut(), &recorder.waker()).is_pending(), "a waiter on a live token was ready");
        root.cancel();
        ensure_eq!(recorder.wakes(), 1, "wakes of a waiter a million tokens below the cancelled one");
        drop(wait);
        drop(root);
        drop(leaf);
        Ok(())
    }),
    ("held only by its leaf and not cancelled", |_| {
        let mut leaf = Token::with_deadline(Instant::from_nanos(8));
        for _ in 0..DEPTH {
            leaf = leaf.child_token();
        }
        ensure_eq!(leaf.deadline(), Some(Instant::from_nanos(8)), "the effective deadline a million tokens below");
        ensure!(leaf.expire_due(Instant::from_nanos(8)), "a deadline a million tokens above was due and not seen");
        ensure_eq!(leaf.cause(), Some(Cause::DEADLINE), "the cause a million tokens below");
        Ok(())
    }),
    ("with ten thousand linked ones", |_| {
        let root = Token::new();
        let other = Token::new();
        let mut leaf = root.child_token();
        // Linking looks at what its parents have in common, all the way up; so not a million.
        for _ in 0..10_000 {
            leaf = Token::linked([&leaf, &other]);
        }
        root.cancel();
        ensure!(leaf.is_cancelled(), "the last of a chain of linked tokens did not see the root's cancel");
        drop(leaf);
        Ok(())
    }),
];

fn chain(root: &Token, next: fn(&Token) -> Token) -> Vec<Token> {
    let mut chain = Vec::with_capacity(DEPTH);
    chain.push(next(root));
    for place in 1..DEPTH {
        chain.push(next(&chain[place - 1]));
    }
    chain
}

pub(super) async fn r8_a_million_deep_in_bounded_stack(bench: &Bench) -> Check {
    for (what, deep) in DEEP {
        let (result, arrival) = mpsc::channel();
        let reached = Arc::new(AtomicU64::new(0));
        let thread = thread::Builder::new().stack_size(STACK).spawn(move || {
            // Nobody listens any more after patience has ended.
            let _ = result.send(deep(&reached));
        });
        let thread =
            thread.map_err(|error| Flaw::Inconclusive(format!("no thread of {STACK} bytes of stack: {error}")))?;
        let waited = bench.on_thread(&format!("a chain of {DEPTH} tokens {what}"), move || arrival.recv()).await?;
        waited.map_err(|_| Flaw::Broken(format!("a chain of {DEPTH} tokens {what}: panicked")))??;
        // It has sent its result; all that is left of it is its end.
        let _ = thread.join();
    }
    Ok(DEEP.len() as u64)
}

//! Wakers and callbacks are users' code: they may do anything, and they may fail.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use countermand_core::{Cause, Instant, Registration, Token};

use crate::{Bench, Census, Check, Flaw, Recorder, Touch, ensure, poll};

thread_local! {
    /// Whether an act runs on this thread: one act does not set off the next for ever.
    static ACTING: Cell<bool> = const { Cell::new(false) };
}

/// Uses every method of a tree, as a waker or callback may while it is called, cloned or dropped.
#[derive(Clone)]
struct Meddler {
    tree: [Token; 3],
    acted: Arc<AtomicU64>,
    /// Waiters and callbacks that were there before, for the act to withdraw.
    earlier: Arc<Mutex<Vec<Earlier>>>,
}

type Earlier = (Pin<Box<dyn Future<Output = Cause> + Send>>, Registration);

impl Meddler {
    fn new(acted: Arc<AtomicU64>) -> Self {
        let root = Token::new();
        let middle = root.child_token();
        let leaf = middle.child_token();
        let tree = [root, middle, leaf];
        let mut earlier = Vec::new();
        for token in tree.iter().cycle().take(24) {
            let mut wait = Box::pin(token.clone().cancelled_owned());
            let _ = poll(wait.as_mut(), Waker::noop());
            earlier.push((wait as Pin<Box<_>>, token.on_cancel(|_| {})));
        }
        Self { tree, acted, earlier: Arc::new(Mutex::new(earlier)) }
    }

    fn act(&self) {
        if ACTING.replace(true) {
            return;
        }
        self.acted.fetch_add(1, Ordering::SeqCst);
        let earlier = std::mem::take(&mut *self.earlier.lock().unwrap_or_else(PoisonError::into_inner));
        for (wait, registration) in earlier {
            drop(wait);
            registration.unregister();
        }
        for token in &self.tree {
            let _ = (token.is_cancelled(), token.cause(), token.deadline(), token.observer().is_cancelled());
            let child = token.child_token();
            let dated = token.child_with_deadline(Instant::from_nanos(1));
            dated.expire_due(Instant::from_nanos(1));
            let linked = Token::linked([token, &child]);
            let mut wait = Box::pin(token.cancelled());
            let _ = poll(wait.as_mut(), Waker::noop());
            drop(wait);
            let mut owned = Box::pin(token.clone().cancelled_owned());
            let _ = poll(owned.as_mut(), Waker::noop());
            let kept = token.on_cancel(|_| {});
            kept.unregister();
            drop(token.on_cancel(|_| {}));
            let guard = child.clone().drop_guard();
            drop(guard.disarm());
            drop(linked.drop_guard());
            let shield = token.shield();
            let _ = shield.token().is_cancelled();
            shield.end();
            child.cancel();
        }
        // The middle of the tree; its root is what most of these are called by.
        self.tree[1].cancel_with(Cause::REQUESTED.with_text("meddled"));
        ACTING.set(false);
    }

    fn recorder(&self, on: Touch) -> Recorder {
        let meddler = self.clone();
        Recorder::acting(move |touch| {
            if touch == on {
                meddler.act();
            }
        })
    }
}

/// Each case runs on a thread of its own, so that one which deadlocks is named.
type Case = (&'static str, fn(&Meddler));

const CASES: [Case; 7] = [
    ("a waker is woken", |meddler| {
        let recorder = meddler.recorder(Touch::Wake);
        let mut waits = waits(meddler);
        waits.iter_mut().for_each(|wait| {
            let _ = poll(wait.as_mut(), &recorder.waker());
        });
        meddler.tree[0].cancel();
        recorder.calm();
    }),
    ("a waker is cloned", |meddler| {
        let recorder = meddler.recorder(Touch::Clone);
        let mut waits = waits(meddler);
        waits.iter_mut().for_each(|wait| {
            let _ = poll(wait.as_mut(), &recorder.waker());
        });
        recorder.calm();
    }),
    ("a waker is dropped with its waiter", |meddler| {
        let recorder = meddler.recorder(Touch::Drop);
        let mut waits = waits(meddler);
        waits.iter_mut().for_each(|wait| {
            let _ = poll(wait.as_mut(), &recorder.waker());
        });
        ACTING.set(false);
        drop(waits);
        recorder.calm();
    }),
    ("a waker is replaced by another", |meddler| {
        let recorder = meddler.recorder(Touch::Drop);
        for mut wait in waits(meddler) {
            let kept = recorder.waker();
            let _ = poll(wait.as_mut(), &kept);
            let _ = poll(wait.as_mut(), &Recorder::new().waker());
            std::mem::forget(kept);
        }
        recorder.calm();
    }),
    ("a callback is called", |meddler| {
        for token in &meddler.tree {
            let meddler = meddler.clone();
            let _ = token.on_cancel(move |_| meddler.act());
        }
        meddler.tree[0].cancel();
        let late = meddler.clone();
        let _ = meddler.tree[0].on_cancel(move |_| late.act());
    }),
    ("a callback is unregistered and dropped", |meddler| {
        let census = Census::new();
        for token in &meddler.tree {
            let meddler = meddler.clone();
            let probe = census.probe_with(move || meddler.act());
            let registration = token.on_cancel(move |_| drop(probe));
            registration.unregister();
        }
    }),
    ("a callback is dropped with its token", |meddler| {
        let census = Census::new();
        let inner = meddler.clone();
        let probe = census.probe_with(move || inner.act());
        let token = meddler.tree[0].child_token();
        let _ = token.on_cancel(move |_| drop(probe));
        drop(token);
        meddler.tree[0].cancel();
    }),
];

fn waits(meddler: &Meddler) -> Vec<Pin<Box<dyn Future<Output = Cause>>>> {
    meddler.tree.iter().map(|token| Box::pin(token.clone().cancelled_owned()) as Pin<Box<_>>).collect()
}

pub(super) async fn t8_wakers_and_callbacks_may_use_the_tree(bench: &Bench) -> Check {
    crate::rules::queue::items::t8_wakes_outside_of_the_lock()?;
    let mut runs = 0;
    for (what, case) in CASES {
        let acted = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&acted);
        let case = move || case(&Meddler::new(acted));
        bench.on_thread(&format!("{what} and uses the tree"), case).await?;
        let acted = count.load(Ordering::SeqCst);
        ensure!(acted > 0, "when {what}: the act that should have used the tree never ran, so nothing was shown");
        runs += acted;
    }
    Ok(runs)
}

pub(super) async fn t9_panic_of_one_stops_no_other(_bench: &Bench) -> Check {
    const LENGTH: usize = 9;
    let mut runs = 0;
    // Which of the told ones panic: each alone, the first two, and all.
    let alone = (0..LENGTH).map(|place| vec![place]);
    let some: Vec<Vec<usize>> = alone.chain([vec![0, 1], vec![3, 7], (0..LENGTH).collect()]).collect();
    for panicking in &some {
        for callbacks in [false, true] {
            let told: Arc<Mutex<Vec<usize>>> = Arc::default();
            let root = Token::new();
            let child = root.child_token();
            let linked = Token::linked([&root, &Token::new()]);
            let mut keep = Vec::new();
            for place in 0..LENGTH {
                let token = [&root, &child, &linked][place % 3];
                let (told, panics) = (Arc::clone(&told), panicking.contains(&place));
                let tell = move || {
                    told.lock().unwrap_or_else(PoisonError::into_inner).push(place);
                    if panics {
                        std::panic::panic_any(format!("planted by {place}"));
                    }
                };
                if callbacks {
                    let _ = token.on_cancel(move |_| tell());
                } else {
                    let recorder = Recorder::acting(move |touch| {
                        if touch == Touch::Wake {
                            tell();
                        }
                    });
                    let mut wait = Box::pin(token.clone().cancelled_owned());
                    let pending = poll(wait.as_mut(), &recorder.waker()).is_pending();
                    ensure!(pending, "a waiter on a live token was ready");
                    keep.push((wait, recorder));
                }
            }
            let what = if callbacks { "callbacks" } else { "wakers" };
            let result = quietly(|| root.cancel());
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner).clone();
            told.sort_unstable();
            ensure!(
                told == (0..LENGTH).collect::<Vec<_>>(),
                "of {LENGTH} {what}, with {panicking:?} panicking, these were told: {told:?}"
            );
            let payload =
                result.err().ok_or_else(|| Flaw::Broken(format!("a panic of the {what} {panicking:?} vanished")))?;
            let planted = payload.downcast_ref::<String>().is_some_and(|text| text.starts_with("planted"));
            ensure!(planted, "what came out of the cancel is not the panic that a {what} raised");
            ensure!(child.is_cancelled() && linked.is_cancelled(), "after the panic a descendant reads live");
            ensure!(!root.cancel(), "a cancel after one whose {what} panicked was told that it was first");
            runs += 1;
        }
    }
    Ok(runs)
}

/// Catches a planted panic; what the panic hook prints of it goes to the child's standard error, which nobody reads.
fn quietly<R>(act: impl FnOnce() -> R) -> std::thread::Result<R> {
    catch_unwind(AssertUnwindSafe(act))
}

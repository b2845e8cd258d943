//! Wakers and callbacks are users' code: they may do anything.

use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use countermand_core::{Cause, Instant, Registration, Token};

use crate::{Bench, Census, Check, Recorder, Touch, ensure, poll};

/// Uses every method of a tree, as a waker or callback may while it is called, cloned or dropped.
#[derive(Clone)]
struct Meddler {
    tree: [Token; 3],
    acted: Arc<AtomicU64>,
    /// Whether an act runs: one act does not set off the next for ever.
    acting: Arc<AtomicBool>,
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
        Self { tree, acted, acting: Arc::default(), earlier: Arc::new(Mutex::new(earlier)) }
    }

    fn act(&self) {
        if self.acting.swap(true, Ordering::SeqCst) {
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
        self.acting.store(false, Ordering::SeqCst);
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

/// Each case runs on a thread of its own where there are any, so that one which deadlocks is named.
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
        meddler.acting.store(false, Ordering::SeqCst);
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
        bench.aside(&format!("{what} and uses the tree"), case).await?;
        let acted = count.load(Ordering::SeqCst);
        ensure!(acted > 0, "when {what}: the act that should have used the tree never ran, so nothing was shown");
        runs += acted;
    }
    Ok(runs)
}

//! Wakers and callbacks are users' code: they may fail.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::prelude::v1::*;
use std::sync::{Arc, Mutex, PoisonError};

use countermand_core::Token;

use crate::{Bench, Check, Flaw, Recorder, Touch, ensure, poll};

pub(super) async fn t9_panic_of_one_stops_no_other(_bench: &Bench) -> Check {
    const LENGTH: usize = 9;
    let mut runs = 0;
    // Which of the told ones panic: each alone, the first two, and all; and, as the null control, none.
    let alone = (0..LENGTH).map(|place| vec![place]);
    let some: Vec<Vec<usize>> = alone.chain([vec![0, 1], vec![3, 7], (0..LENGTH).collect(), Vec::new()]).collect();
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
            if panicking.is_empty() {
                ensure!(
                    matches!(result, Ok(true)),
                    "a cancel did not return that it was first, where no {what} panics"
                );
                runs += 1;
                continue;
            }
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

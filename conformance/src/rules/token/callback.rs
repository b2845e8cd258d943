//! Guards and callbacks: what runs, when, and how often.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::prelude::v1::*;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use countermand_core::{Cause, Token};

use crate::{Bench, Census, Check, Profile, ensure, ensure_eq};

pub(super) async fn t11_only_an_armed_guard_cancels(bench: &Bench) -> Check {
    let root = Token::new();
    let child = root.child_token();
    let observer = child.observer();
    drop(root.clone());
    drop(root);
    ensure!(!child.is_cancelled(), "dropping every handle of a root cancelled its child");
    let grandchild = child.child_token();
    drop(child);
    ensure!(!grandchild.is_cancelled() && !observer.is_cancelled(), "dropping a token cancelled it or its child");
    drop(grandchild);
    ensure!(!observer.is_cancelled(), "dropping the last token of a tree cancelled it");

    let token = Token::new();
    let child = token.child_token();
    drop(token.clone().drop_guard());
    ensure_eq!(token.cause(), Some(Cause::HANDLE_DROPPED), "the cause after an armed guard was dropped");
    ensure_eq!(child.cause(), Some(Cause::HANDLE_DROPPED), "the cause of its child");

    let token = Token::new();
    let back = token.clone().drop_guard().disarm();
    drop(back);
    ensure!(!token.is_cancelled(), "a disarmed guard cancelled its token");
    let back = token.clone().drop_guard().disarm();
    ensure!(back.cancel() && token.is_cancelled(), "what a disarmed guard gave back is not its token");

    if !bench.has(Profile::NONE.unwind()) {
        return Ok(1);
    }
    let token = Token::new();
    let guarded = token.clone();
    let unwound = catch_unwind(AssertUnwindSafe(move || {
        let _guard = guarded.drop_guard();
        std::panic::panic_any("planted");
    }));
    ensure!(unwound.is_err() && token.is_cancelled(), "a guard that was dropped by a panic did not cancel");
    Ok(1)
}

pub(super) async fn t12_callback_runs_exactly_once(bench: &Bench) -> Check {
    let (token, ran) = (Token::new(), Arc::new(Mutex::new(Vec::new())));
    let note = |name: &'static str| {
        let ran = Arc::clone(&ran);
        move |cause: Cause| {
            ran.lock().unwrap_or_else(PoisonError::into_inner).push((name, cause, std::thread::current().id()))
        }
    };
    drop(token.on_cancel(note("before")));
    let child = token.child_token();
    let _ = child.on_cancel(note("on a child"));
    let cause = Cause::SHUTDOWN.with_code(12);
    let canceller = token.clone();
    let cancel = move || {
        canceller.cancel_with(cause);
        std::thread::current().id()
    };
    let thread = match bench.has(Profile::NONE.threads()) {
        true => bench.on_thread("another thread cancels", cancel).await?,
        false => cancel(),
    };
    drop(token.on_cancel(note("after")));
    token.cancel();
    child.cancel();
    let ran = ran.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let here = std::thread::current().id();
    for (name, by) in [("before", thread), ("on a child", thread), ("after", here)] {
        let times: Vec<_> = ran.iter().filter(|(ran, ..)| *ran == name).collect();
        ensure!(times.len() == 1, "the callback registered {name} ran {} times", times.len());
        ensure!(times.iter().all(|(_, seen, _)| *seen == cause), "the callback registered {name} was told {times:?}");
        ensure!(
            times.iter().all(|(.., on)| *on == by),
            "the callback registered {name} did not run on the thread expected"
        );
    }

    raced(bench)
}

/// One thread registers callback after callback until the token is cancelled, so that one of two cancels comes upon a registration and not beside it.
fn raced(bench: &Bench) -> Check {
    /// As many as this where no cancel comes: on threads that have to wait for a processor it takes its time, and on one thread it never does.
    const MOST: usize = if cfg!(feature = "std") { 16_384 } else { 4 };
    struct Field {
        parent: Token,
        token: Token,
        runs: [Arc<[AtomicU8]>; 2],
        registered: [AtomicUsize; 2],
    }
    fn register(field: &Field, which: usize) {
        for number in 0..field.runs[which].len() {
            let (runs, last) = (Arc::clone(&field.runs[which]), field.token.is_cancelled());
            drop(field.token.on_cancel(move |_| {
                runs[number].fetch_add(1, Ordering::SeqCst);
            }));
            field.registered[which].store(number + 1, Ordering::SeqCst);
            if last {
                break;
            }
        }
    }
    let register_first = |field: &Field| register(field, 0);
    let cancel = |field: &Field| {
        field.token.cancel();
    };
    let cancel_parent_and_register = |field: &Field| {
        field.parent.cancel();
        register(field, 1);
    };
    bench.race(
        bench.rounds(1_000),
        |_| {
            let parent = Token::new();
            let token = parent.child_token();
            let runs = |most| (0..most).map(|_| AtomicU8::new(0)).collect();
            Field { parent, token, runs: [runs(MOST), runs(1)], registered: Default::default() }
        },
        &[&register_first, &cancel, &cancel_parent_and_register],
        |round, field| {
            for (runs, registered) in field.runs.iter().zip(field.registered) {
                for (number, runs) in runs.iter().take(registered.into_inner()).enumerate() {
                    ensure_eq!(
                        runs.load(Ordering::SeqCst),
                        1,
                        "round {round}: runs of callback {number}, which raced with two cancels"
                    );
                }
            }
            Ok(())
        },
    )
}

pub(super) async fn t13_unregister_tells_whether_it_prevented(bench: &Bench) -> Check {
    let census = Census::new();
    let (token, runs) = (Token::new(), Arc::new(AtomicU64::new(0)));
    let count = || {
        let (runs, probe) = (Arc::clone(&runs), census.probe());
        move |_: Cause| {
            let _ = &probe;
            runs.fetch_add(1, Ordering::SeqCst);
        }
    };
    ensure!(token.on_cancel(count()).unregister(), "unregistering on a live token said that it prevented nothing");
    census.each_once("what an unregistered callback captured")?;
    let kept = token.on_cancel(count());
    token.cancel();
    ensure_eq!(runs.load(Ordering::SeqCst), 1, "runs of two callbacks, of which one had been unregistered");
    ensure!(!kept.unregister(), "unregistering a callback that had run said that it prevented the run");
    ensure!(
        !token.on_cancel(count()).unregister(),
        "unregistering a callback that ran at once said that it prevented the run"
    );
    ensure_eq!(runs.load(Ordering::SeqCst), 2, "runs after one more callback on the cancelled token");

    // From inside the callback: neither blocks nor deadlocks, and prevents nothing.
    let unregister = || {
        let token = Token::new();
        let own = Arc::new(Mutex::new(None));
        let said = Arc::new(Mutex::new(None));
        let (inner, say) = (Arc::clone(&own), Arc::clone(&said));
        let registration = token.on_cancel(move |_| {
            let registration = inner.lock().unwrap_or_else(PoisonError::into_inner).take();
            *say.lock().unwrap_or_else(PoisonError::into_inner) =
                registration.map(countermand_core::Registration::unregister);
        });
        *own.lock().unwrap_or_else(PoisonError::into_inner) = Some(registration);
        token.cancel();
        let said = said.lock().unwrap_or_else(PoisonError::into_inner);
        *said
    };
    let said = match bench.has(Profile::NONE.threads()) {
        true => bench.on_thread("a callback unregisters itself", unregister).await?,
        false => unregister(),
    };
    ensure_eq!(said, Some(false), "what unregistering from inside the callback said about having prevented it");

    struct Field {
        root: Token,
        _on: Token,
        registration: Mutex<Option<countermand_core::Registration>>,
        prevented: Mutex<Option<bool>>,
        runs: Arc<AtomicU64>,
    }
    let unregister = |field: &Field| {
        let registration = field.registration.lock().unwrap_or_else(PoisonError::into_inner).take();
        let prevented = registration.map(countermand_core::Registration::unregister);
        if prevented == Some(true) && field.runs.load(Ordering::SeqCst) > 0 {
            field.runs.fetch_add(100, Ordering::SeqCst);
        }
        *field.prevented.lock().unwrap_or_else(PoisonError::into_inner) = prevented;
    };
    let cancel = |field: &Field| {
        field.root.cancel();
    };
    bench.race(
        bench.rounds(5_000),
        |round| {
            let root = Token::new();
            let runs = Arc::new(AtomicU64::new(0));
            let count = Arc::clone(&runs);
            let on = if round % 2 == 0 { root.clone() } else { root.child_token() };
            let registration = on.on_cancel(move |_| {
                count.fetch_add(1, Ordering::SeqCst);
            });
            Field { root, _on: on, registration: Mutex::new(Some(registration)), prevented: Mutex::default(), runs }
        },
        &[&unregister, &cancel],
        |round, field| {
            let prevented = field.prevented.into_inner().unwrap_or_else(PoisonError::into_inner);
            let runs = field.runs.load(Ordering::SeqCst);
            let expected = u64::from(prevented == Some(false));
            ensure!(
                runs == expected,
                "round {round}: unregister said prevented = {prevented:?}, and the callback ran {runs} times"
            );
            Ok(())
        },
    )
}

//! The shielded section.

use std::prelude::v1::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use countermand_core::{Cause, Job, JobContext, Token, WorkerConfig};

use crate::{Bench, Census, Check, Flaw, Gate, Recorder, ensure, ensure_eq, poll};

pub(super) async fn r9_shield_hides_the_outside_while_it_lasts(bench: &Bench) -> Check {
    const CAUSE: Cause = Cause::SHUTDOWN.with_code(9);
    for drops in [false, true] {
        let how = if drops { "dropped" } else { "ended" };
        let parent = Token::new();
        let token = parent.child_token();
        let shield = token.shield();
        let inner = shield.token().clone();
        let below = inner.child_token();
        let recorder = Recorder::new();
        let mut wait = Box::pin(below.cancelled());
        ensure!(poll(wait.as_mut(), &recorder.waker()).is_pending(), "a waiter behind a shield was ready");
        parent.cancel_with(CAUSE);
        let inside = (inner.is_cancelled(), inner.cause(), below.is_cancelled(), recorder.wakes());
        ensure_eq!(inside, (false, None, false, 0), "what a section behind a shield saw of a cancel outside");
        let outside = (token.is_cancelled(), token.observer().cause());
        ensure_eq!(outside, (true, Some(CAUSE)), "what an observer outside saw of a cancel while a shield was up");
        let born_inside = inner.child_token();
        ensure!(!born_inside.is_cancelled(), "a child born behind a shield saw the cancel outside");
        if drops {
            drop(shield);
        } else {
            shield.end();
        }
        let seen = (inner.is_cancelled(), inner.cause(), below.cause(), born_inside.cause(), recorder.wakes());
        let all = (true, Some(CAUSE), Some(CAUSE), Some(CAUSE), 1);
        ensure_eq!(seen, all, "what was seen at once when the shield had {how}");
    }

    // Its own cancel, seen inside and not outside.
    let token = Token::new();
    let shield = token.shield();
    let inner = shield.token().clone();
    let below = inner.child_token();
    ensure!(inner.cancel(), "a section's own cancel was told that it was not first");
    ensure!(inner.is_cancelled() && below.is_cancelled(), "a section did not see its own cancel");
    ensure!(!token.is_cancelled(), "a section's own cancel got out");
    shield.end();
    ensure!(!token.is_cancelled(), "a section's own cancel got out at its end");

    // After a section that nobody cancelled, the inner token is an ordinary descendant.
    let token = Token::new();
    let shield = token.shield();
    let inner = shield.token().clone();
    shield.end();
    ensure!(!inner.is_cancelled(), "the end of a section cancelled it");
    token.cancel_with(CAUSE);
    ensure_eq!(inner.cause(), Some(CAUSE), "the cause of what had been shielded, cancelled after the section's end");

    // A section that begins after the cancel: cleaning up is what shields are for.
    let token = Token::new();
    token.cancel_with(CAUSE);
    let shield = token.shield();
    let inner = shield.token().clone();
    ensure!(!inner.is_cancelled(), "a section that began after the cancel saw it");
    shield.end();
    ensure_eq!(inner.cause(), Some(CAUSE), "the cause after the end of a section that began after the cancel");

    // One within another.
    let token = Token::new();
    let outer = token.shield();
    let middle = outer.token().clone();
    let shield = middle.shield();
    let inner = shield.token().clone();
    token.cancel_with(CAUSE);
    outer.end();
    let seen = (middle.is_cancelled(), inner.is_cancelled());
    ensure_eq!(
        seen,
        (true, false),
        "what was seen in the outer and the inner of two sections when the outer had ended"
    );
    shield.end();
    ensure!(inner.is_cancelled(), "the inner of two sections saw nothing at its end");

    job_is_not_dropped_inside(bench).await?;

    struct Field {
        token: Token,
        inner: Token,
        shield: Mutex<Option<countermand_core::Shield>>,
        recorder: Recorder,
        early: AtomicUsize,
    }
    let cancel = |field: &Field| {
        field.token.cancel_with(CAUSE);
    };
    let end = |field: &Field| {
        let shield = field.shield.lock().unwrap_or_else(PoisonError::into_inner).take();
        field.early.fetch_add(usize::from(field.inner.is_cancelled()), Ordering::SeqCst);
        drop(shield);
    };
    bench.race(
        bench.rounds(2_500),
        |_| {
            let token = Token::new();
            let shield = token.shield();
            let inner = shield.token().clone();
            let recorder = Recorder::new();
            let mut wait = Box::pin(inner.clone().cancelled_owned());
            let _ = poll(wait.as_mut(), &recorder.waker());
            // The waiter stays registered for the round.
            std::mem::forget(wait);
            Field { token, inner, shield: Mutex::new(Some(shield)), recorder, early: AtomicUsize::new(0) }
        },
        &[&cancel, &end],
        |round, field| {
            ensure_eq!(field.early.into_inner(), 0, "round {round}: sections that saw the outside before their end");
            ensure_eq!(
                field.inner.cause(),
                Some(CAUSE),
                "round {round}: the cause inside, when the end raced with the cancel"
            );
            ensure_eq!(field.recorder.wakes(), 1, "round {round}: wakes of a waiter inside");
            Ok(())
        },
    )
}

/// The same in a job: no request drops it while it is in a section, and one that came meanwhile holds at the section's end.
async fn job_is_not_dropped_inside(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let (gate, census) = (Gate::new(), Census::new());
    let seen = Arc::new(Mutex::new(None));
    let (wait, note, held) = (gate.clone(), Arc::clone(&seen), census.probe());
    let job = Job::task_with(move |cx: JobContext| async move {
        let _held = held;
        cx.shielded(|inner| async move {
            wait.wait().await;
            *note.lock().unwrap_or_else(PoisonError::into_inner) = Some(inner.is_cancelled());
        })
        .await;
        std::future::pending::<()>().await;
    });
    let handle = bench.submit(&worker, job).await?;
    bench.quiet(&worker).await?;
    ensure!(handle.cancel(), "cancelling a job inside of a section was told that it was not first");
    bench.quiet(&worker).await?;
    ensure_eq!(census.dropped(), 0, "drops of a job that was cancelled while it was in a section");
    gate.open();
    let outcome = bench.settled(handle).await?;
    let in_section = *seen.lock().unwrap_or_else(PoisonError::into_inner);
    ensure_eq!(in_section, Some(false), "whether the rest of the section saw the cancel outside");
    ensure!(outcome.is_cancelled(), "a job cancelled while in a section settled as {outcome:?} after it");
    census.each_once("what the job captured")
}

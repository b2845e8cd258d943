//! The links to the tokens of `tokio_util`: who is cancelled by whom, with which cause, and for how long.
#![cfg(feature = "tokio-util")]

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use countermand_core::{Cause, CauseKind, Job, Outcome, Shutdown, Token, WorkerConfig};
use countermand_tokio::Tokio;
use countermand_tokio::tokens::{LINKED, from_tokio, from_tokio_with, to_tokio};
use tokio_util::sync::CancellationToken;

#[test]
fn theirs_cancels_ours_and_not_the_other_way() {
    let theirs = CancellationToken::new();
    let (first, second) = (from_tokio(&theirs), from_tokio(&theirs.child_token()));
    first.cancel();
    assert!(!theirs.is_cancelled() && !second.is_cancelled());
    theirs.cancel();
    assert_eq!((first.cause(), second.cause()), (Some(Cause::REQUESTED), Some(LINKED)));
    assert_eq!(LINKED.to_string(), "linked token: a token of tokio_util");
}

#[test]
fn ours_cancels_theirs_and_not_the_other_way() {
    let ours = Token::new();
    let (first, second) = (to_tokio(&ours), to_tokio(&ours.child_token()));
    first.cancel();
    assert!(!ours.is_cancelled() && !second.is_cancelled() && first.cause().is_none());
    ours.cancel_with(Cause::SHUTDOWN);
    assert!(second.is_cancelled());
    assert_eq!((first.cause(), second.cause()), (Some(Cause::SHUTDOWN), Some(Cause::SHUTDOWN)));
}

#[test]
fn what_is_cancelled_already_makes_what_is_cancelled() {
    let theirs = CancellationToken::new();
    theirs.cancel();
    let cause = Cause::SHUTDOWN.with_code(7);
    assert_eq!(from_tokio_with(&theirs, cause).cause(), Some(cause));
    let ours = Token::new();
    ours.cancel();
    assert!(to_tokio(&ours).is_cancelled());
}

#[test]
fn a_dropped_link_cancels_nothing_and_a_detached_one_does() {
    let ours = Token::new();
    let link = to_tokio(&ours);
    let unlinked = link.clone();
    drop(link);
    let detached = to_tokio(&ours).detach();
    ours.cancel();
    assert!(!unlinked.is_cancelled() && detached.is_cancelled());
}

#[test]
fn callbacks_may_use_both_trees() {
    let theirs = CancellationToken::new();
    let calls = Arc::new(AtomicUsize::new(0));
    // More than a batch of wakers has, and each callback links and cancels on.
    let linked: Vec<Token> = (0..100).map(|_| from_tokio(&theirs)).collect();
    for token in &linked {
        let (theirs, calls) = (theirs.clone(), calls.clone());
        drop(token.on_cancel(move |_| {
            assert!(theirs.is_cancelled() && from_tokio(&theirs).is_cancelled());
            theirs.cancel();
            calls.fetch_add(1, Ordering::SeqCst);
        }));
    }
    theirs.cancel();
    assert_eq!(calls.load(Ordering::SeqCst), 100);
}

#[test]
fn a_link_that_races_with_the_cancel_is_cancelled() {
    for _ in 0..2_000 {
        let theirs = CancellationToken::new();
        let linked = thread::scope(|scope| {
            let link = scope.spawn(|| from_tokio(&theirs));
            theirs.cancel();
            link.join().expect("it links")
        });
        assert!(linked.is_cancelled());
    }
}

#[test]
fn a_job_ends_with_their_token() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let worker = Tokio::current().expect("inside").start(WorkerConfig::new().lanes(1)).expect("a worker");
        let theirs = CancellationToken::new();
        let job = Job::task(pending::<()>()).parent(&from_tokio(&theirs));
        let handle = worker.submit(job).await.expect("a place");
        theirs.cancel();
        let outcome = handle.await;
        assert!(
            matches!(outcome, Outcome::Cancelled { cause, .. } if cause.kind() == CauseKind::Linked),
            "{outcome:?}"
        );

        // And what a job starts with their tokens ends with the job.
        let (give, given) = std::sync::mpsc::channel();
        let job = Job::task_with(move |cx| async move {
            let theirs = to_tokio(cx.token());
            give.send(theirs.child_token()).expect("the test waits");
            pending::<()>().await;
        });
        let handle = worker.submit(job).await.expect("a place");
        let child = loop {
            match given.try_recv() {
                Ok(child) => break child,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        assert!(!child.is_cancelled());
        handle.cancel();
        child.cancelled().await;
        assert_eq!(worker.shutdown(Shutdown::Drain).await.counts.cancelled, 2);
    });
}

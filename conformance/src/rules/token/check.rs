//! The check, and the tokens that can do nothing but be checked.

use std::prelude::v1::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use countermand_core::{Cause, Instant, Token, TokenObserver};

use crate::{Bench, Check, Flaw, Profile, Recorder, ensure, ensure_eq, poll};

pub(super) async fn t4_check_takes_no_lock_and_no_memory(bench: &Bench) -> Check {
    let root = Token::new();
    let deep = (0..100).fold(root.clone(), |token, _| token.child_token());
    let dated = root.child_with_deadline(Instant::from_nanos(1));
    let linked = Token::linked([&root, &dated]);
    let shield = root.shield();
    let observer = root.observer();
    let never = Token::never();
    let recorder = Recorder::new();
    let mut wait = Box::pin(root.cancelled());
    ensure!(poll(wait.as_mut(), &recorder.waker()).is_pending(), "a waiter on a live token was ready");
    let before = (recorder.wakes(), recorder.clones(), recorder.drops());
    let check_all = |expected: bool| {
        [&root, &deep, &dated, &linked].iter().all(|token| token.is_cancelled() == expected)
            && observer.is_cancelled() == expected
            && !shield.token().is_cancelled()
            && !never.is_cancelled()
    };
    let (made, right) = bench.allocations(|| (0..1_000).all(|_| check_all(false)))?;
    ensure!(right, "a live token reads cancelled, or a never-token does");
    ensure_eq!(made, 0, "allocations of 7000 checks on live tokens");
    let touched = (recorder.wakes(), recorder.clones(), recorder.drops());
    ensure_eq!(touched, before, "wakes, clones and drops of a registered waker during the checks");
    root.cancel();
    let (made, right) = bench.allocations(|| (0..1_000).all(|_| check_all(true)))?;
    ensure!(right, "a cancelled token reads live, or one behind a shield reads cancelled");
    ensure_eq!(made, 0, "allocations of 7000 checks on cancelled tokens");

    if bench.has(Profile::NONE.threads()) { check_under_interrupts(bench).await } else { Ok(1) }
}

/// A signal interrupts a thread that is busy with the tree, again and again, and its handler checks a token of that tree: if a
/// check took a lock that the thread holds, or memory, the thread would wait for itself.
async fn check_under_interrupts(bench: &Bench) -> Check {
    const AT_MOST: u64 = 5_000_000;
    let wanted = bench.rounds(500);
    let mut patience = bench.patience().half();
    let work = move || {
        let root = Token::new();
        let busy = root.child_token();
        interrupted(&busy, |seen| {
            let mut rounds = 0_u64;
            let mut over = false;
            // Who sends the signals may get its turn late: at least one must arrive.
            while !over && (seen() == 0 || (seen() < wanted && rounds < AT_MOST)) {
                rounds += 1;
                over = rounds.is_multiple_of(1_024) && patience.is_over();
                let mut wait = Box::pin(busy.cancelled());
                let _ = poll(wait.as_mut(), Waker::noop());
                drop(wait);
                busy.on_cancel(|_| {}).unregister();
                busy.child_token().cancel();
            }
        })
    };
    match bench.on_thread("a thread works on a tree while signals check it", work).await? {
        Some(0) => Err(Flaw::Inconclusive("no signal arrived, so nothing was interrupted".to_owned())),
        Some(interrupts) => Ok(interrupts),
        // No signals on this system; the counts before this are what there is.
        None => Ok(1),
    }
}

#[cfg(all(unix, feature = "std"))]
fn interrupted(token: &Token, act: impl FnOnce(&dyn Fn() -> u64)) -> Option<u64> {
    crate::probe::under_interrupts(token, act)
}

#[cfg(not(all(unix, feature = "std")))]
fn interrupted(_: &Token, act: impl FnOnce(&dyn Fn() -> u64)) -> Option<u64> {
    act(&|| u64::MAX);
    None
}

pub(super) async fn t14_never_costs_nothing(bench: &Bench) -> Check {
    const NEVER: Token = Token::never();
    let (made, held) = bench.allocations(|| {
        let token = Token::never();
        let mut sound = !token.is_cancelled() && token.cause().is_none() && token.deadline().is_none();
        sound &= !token.clone().cancel() && !token.cancel_with(Cause::SHUTDOWN) && !token.is_cancelled();
        sound &= !token.expire_due(Instant::from_nanos(u64::MAX));
        let mut wait = std::pin::pin!(token.cancelled());
        sound &= poll(wait.as_mut(), Waker::noop()).is_pending();
        sound && !NEVER.is_cancelled()
    })?;
    ensure!(held, "a never-token was cancelled, had a cause or a deadline, or its waiter was ready");
    ensure_eq!(made, 0, "allocations by making, cloning, checking, cancelling and awaiting a never-token");

    // Its users behave as with any token that nobody cancels.
    let ran = Arc::new(AtomicBool::new(false));
    let run = Arc::clone(&ran);
    drop(NEVER.on_cancel(move |_| run.store(true, Ordering::SeqCst)));
    NEVER.cancel();
    ensure!(!ran.load(Ordering::SeqCst), "a callback of a never-token ran");
    let child = NEVER.child_token();
    ensure!(
        child.cancel() && child.is_cancelled() && !NEVER.is_cancelled(),
        "a child of a never-token cannot be cancelled"
    );
    let parent = Token::new();
    let linked = Token::linked([&parent, &NEVER]);
    parent.cancel();
    ensure!(linked.is_cancelled(), "a token linked to a never-token and another did not see the other's cancel");
    let ready = bench.within("a future under a never-token is ready", NEVER.run_until_cancelled(async { 14 })).await?;
    ensure_eq!(ready, Ok(14), "what a future under a never-token returned");
    Ok(1)
}

/// What a method that is not there returns.
#[derive(Debug, PartialEq, Eq)]
struct Absent;

/// Methods of these names on a type that has none of its own resolve to these; if it had, this file would not compile, as
/// their results are something else. (T15)
#[expect(clippy::wrong_self_convention, reason = "the names are those that are looked for")]
trait Lacks {
    fn cancel(&self) -> Absent {
        Absent
    }
    fn cancel_with(&self, _: Cause) -> Absent {
        Absent
    }
    fn expire_due(&self, _: Instant) -> Absent {
        Absent
    }
    fn drop_guard(&self) -> Absent {
        Absent
    }
    fn token(&self) -> Absent {
        Absent
    }
    fn into_token(&self) -> Absent {
        Absent
    }
    fn upgrade(&self) -> Absent {
        Absent
    }
    fn into_inner(&self) -> Absent {
        Absent
    }
}

impl Lacks for TokenObserver {}

/// Does not compile if the type is one that the trait is implemented for: there would be two ways to say `here`.
macro_rules! lacks {
    ($type:ty: $($way:tt)+) => {
        const _: fn() = || {
            trait Ambiguous<Way> {
                fn here() {}
            }
            struct Has;
            impl<T: ?Sized> Ambiguous<()> for T {}
            impl<T: ?Sized + $($way)+> Ambiguous<Has> for T {}
            let _ = <$type as Ambiguous<_>>::here;
        };
    };
}

lacks!(TokenObserver: Into<Token>);
lacks!(TokenObserver: AsRef<Token>);
lacks!(TokenObserver: std::borrow::Borrow<Token>);
lacks!(TokenObserver: std::ops::Deref<Target = Token>);

pub(super) async fn t15_observer_cannot_cancel(bench: &Bench) -> Check {
    let token = Token::with_deadline(Instant::from_nanos(7));
    let observer = token.observer();
    {
        let absent: [Absent; 8] = [
            observer.cancel(),
            observer.cancel_with(Cause::REQUESTED),
            observer.expire_due(Instant::from_nanos(9)),
            observer.drop_guard(),
            observer.token(),
            observer.into_token(),
            observer.upgrade(),
            observer.into_inner(),
        ];
        ensure!(absent.iter().all(|absent| *absent == Absent), "an observer has a way to cancel");
    }
    drop(observer.clone());
    ensure!(!token.is_cancelled(), "dropping an observer cancelled the token");
    ensure_eq!(observer.deadline(), Some(Instant::from_nanos(7)), "the deadline as an observer sees it");
    ensure_eq!((observer.is_cancelled(), observer.cause()), (false, None), "flag and cause of a live token, observed");
    let recorder = Recorder::new();
    let mut wait = Box::pin(observer.cancelled());
    ensure!(poll(wait.as_mut(), &recorder.waker()).is_pending(), "an observer of a live token was ready");
    token.cancel_with(Cause::SHUTDOWN);
    ensure_eq!(recorder.wakes(), 1, "wakes of an observer that waited");
    let cause = bench.within("the observer's wait is over", wait).await?;
    ensure_eq!(cause, Cause::SHUTDOWN, "the cause an observer was told");
    ensure_eq!((observer.is_cancelled(), observer.cause()), (true, Some(Cause::SHUTDOWN)), "flag and cause, observed");
    Ok(1)
}

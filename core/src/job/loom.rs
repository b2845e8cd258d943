//! The races over the body of a call that is lent to a thread, one to a model.
#![allow(unsafe_code, reason = "a cell that the model checker watches")]

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::loom::cell::UnsafeCell;
use ::loom::thread;

use super::head::Desk;
use super::nobody::{Nobody, cell};
use super::runner::{Lent, Loan, Runner};
use super::verdict::Verdict;
use super::{CallContext, Job};
use crate::books::Account;
use crate::handle::Handle;
use crate::host::Call;
use crate::{Cause, Class, Instant, Outcome, loom_model};

/// How often what the closure captured was touched.
#[derive(Clone)]
struct Touches(Arc<UnsafeCell<u32>>);

// SAFETY: that one at a time touches it is what is examined.
unsafe impl Send for Touches {}

impl Touches {
    /// For when nobody else is left.
    fn get(&self) -> u32 {
        // SAFETY: the checker would see it if somebody were.
        self.0.with(|touches| unsafe { *touches })
    }
}

/// What a closure captures: whoever has the body touches it, and the checker sees whether two do at once.
struct Captured(Touches);

impl Captured {
    fn touch(&self) {
        // SAFETY: what is examined is that this is the only one.
        self.0.0.with_mut(|touches| unsafe { *touches += 1 });
    }
}

impl Drop for Captured {
    fn drop(&mut self) {
        self.touch();
    }
}

/// A call that was lent to a thread, and where its outcome comes.
struct Scene {
    call: Call,
    lent: Lent,
    handle: Handle<u8>,
    touches: Touches,
    desk: Arc<Nobody>,
}

impl Scene {
    fn new() -> Self {
        let touches = Touches(Arc::new(UnsafeCell::new(0)));
        let captured = Captured(touches.clone());
        let closure = move |_: &CallContext| {
            captured.touch();
            7
        };
        let Job { work, conditions, .. } = Job::call(closure);
        let desk = Arc::new(Nobody::default());
        let (runner, job, exit) = cell(work, conditions, desk.clone());
        // SAFETY: the one reader.
        let handle = unsafe { Handle::new(job, exit) };
        let (call, lent) = runner.lend();
        Self { call, lent, handle, touches, desk }
    }
}

/// Does about a loan that is over what the lane does.
fn settle(loan: Loan) {
    match loan {
        Loan::Refused(runner) => unbegun(runner),
        Loan::Over(_) => {}
        Loan::Out(_) => panic!("a loan has no end"),
    }
}

fn unbegun(mut runner: Runner) {
    runner.discard();
    unbegun_settle(runner);
}

fn unbegun_settle(runner: Runner) {
    runner.settle(Verdict::Requested { cause: Cause::REQUESTED, started: false }, Instant::ORIGIN, Account::Common);
}

fn outcome(handle: &mut Handle<u8>) -> Class {
    match Pin::new(handle).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Outcome::Completed(value)) => {
            assert_eq!(value, 7);
            Class::Completed
        }
        Poll::Ready(outcome) => outcome.class(),
        Poll::Pending => panic!("no outcome"),
    }
}

const UNBEGUN: Class = Class::Cancelled { cause: Cause::REQUESTED, started: false };

#[test]
fn loom_b2_a_call_begins_or_is_withdrawn() {
    loom_model("b2_a_call_begins_or_is_withdrawn", || {
        let Scene { call, lent, mut handle, touches, .. } = Scene::new();
        let thread = thread::spawn(move || call.run());
        let withdrawn = match lent.withdraw() {
            Ok(runner) => {
                unbegun(runner);
                thread.join().unwrap();
                true
            }
            Err(lent) => {
                thread.join().unwrap();
                settle(lent.ask());
                false
            }
        };
        assert_eq!(outcome(&mut handle), if withdrawn { UNBEGUN } else { Class::Completed });
        // Run and dropped, or dropped only (X2).
        assert_eq!(touches.get(), if withdrawn { 1 } else { 2 });
    });
}

#[test]
fn loom_b3_an_abandoned_call_settles_once() {
    loom_model("b3_an_abandoned_call_settles_once", || {
        let Scene { call, lent, mut handle, touches, desk } = Scene::new();
        let thread = thread::spawn(move || call.run());
        let abandoned = lent.abandon(Instant::ORIGIN);
        thread.join().unwrap();
        settle(lent.ask());
        assert_eq!(outcome(&mut handle), if abandoned { Class::Abandoned } else { Class::Completed });
        let counts = desk.books().counts();
        assert_eq!((counts.settled(), counts.late_discarded), (1, u64::from(abandoned)));
        assert_eq!(touches.get(), 2);
    });
}

#[test]
fn loom_b2_a_call_that_is_never_run_is_refused_or_withdrawn() {
    loom_model("b2_a_call_that_is_never_run_is_refused_or_withdrawn", || {
        let Scene { call, lent, mut handle, touches, .. } = Scene::new();
        let thread = thread::spawn(move || drop(call));
        match lent.withdraw() {
            Ok(runner) => {
                unbegun(runner);
                thread.join().unwrap();
            }
            Err(lent) => {
                thread.join().unwrap();
                settle(lent.ask());
            }
        }
        assert_eq!(outcome(&mut handle), UNBEGUN);
        assert_eq!(touches.get(), 1);
    });
}

#[test]
fn loom_b1_what_a_call_brought_is_there_when_its_outcome_is() {
    loom_model("b1_what_a_call_brought_is_there_when_its_outcome_is", || {
        let Scene { call, lent, mut handle, touches, desk } = Scene::new();
        let thread = thread::spawn(move || call.run());
        // The lane looks at any moment, and lets go of what is over, while the thread settles it.
        let out = match lent.ask() {
            Loan::Out(lent) => Some(lent),
            over => {
                settle(over);
                None
            }
        };
        // So does the reader: who finds the outcome may touch what the thread has touched.
        let early = match Pin::new(&mut handle).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(early) => {
                assert_eq!(touches.get(), 2);
                Some(early.class())
            }
            Poll::Pending => None,
        };
        thread.join().unwrap();
        out.into_iter().for_each(|lent| settle(lent.ask()));
        assert_eq!(early.unwrap_or_else(|| outcome(&mut handle)), Class::Completed);
        assert_eq!(desk.books().counts().completed, 1);
    });
}

#[test]
fn loom_p4_a_callback_that_comes_meanwhile_is_called_once() {
    loom_model("p4_a_callback_that_comes_meanwhile_is_called_once", || {
        let Job { work, conditions, .. } = Job::task(core::future::ready(7));
        let (mut runner, job, exit) = cell(work, conditions, Arc::default());
        // SAFETY: the one reader.
        let handle: Handle<u8> = unsafe { Handle::new(job, exit) };
        let called = Arc::new(AtomicUsize::new(0));
        let thread = thread::spawn(move || {
            runner.discard();
            unbegun_settle(runner);
        });
        let captured = called.clone();
        handle.on_done(move |class| {
            assert_eq!(class, UNBEGUN);
            captured.fetch_add(1, Ordering::SeqCst);
        });
        thread.join().unwrap();
        assert_eq!(called.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn loom_p4_of_two_who_ask_meanwhile_each_is_called_once() {
    loom_model("p4_of_two_who_ask_meanwhile_each_is_called_once", || {
        let Job { work, conditions, .. } = Job::task(core::future::ready(7));
        let (mut runner, job, exit) = cell(work, conditions, Arc::default());
        runner.discard();
        // SAFETY: the one reader.
        let handle: Arc<Handle<u8>> = Arc::new(unsafe { Handle::new(job, exit) });
        let called = Arc::new([const { AtomicUsize::new(0) }; 2]);
        let asks = [0, 1].map(|which| {
            let (handle, called) = (handle.clone(), called.clone());
            move || {
                handle.on_done(move |class| {
                    assert_eq!(class, UNBEGUN);
                    called[which].fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        let threads = asks.map(thread::spawn);
        unbegun_settle(runner);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(called.each_ref().map(|called| called.load(Ordering::SeqCst)), [1, 1]);
    });
}

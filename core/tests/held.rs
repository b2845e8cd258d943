//! Tokens, a worker, a queue, a router and a guard without a heap: each rule that can be asked of them, and what only threads and unwinding can show.
#![allow(unsafe_code, reason = "wakers that count, and futures that are forgotten, are made by hand")]

#[path = "held/guard.rs"]
mod guard;
#[path = "held/queue.rs"]
mod queue;
#[path = "held/router.rs"]
mod router;
#[path = "held/rules.rs"]
mod rules;
#[path = "held/settings.rs"]
mod settings;
#[path = "held/worker/mod.rs"]
mod worker;

use std::any::Any;
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};
use std::{future::Future, thread};

use countermand_core::{HeldHandle, HeldJob, HeldToken, Instant, Outcome, Step};

#[test]
fn each_rule_holds() {
    let all = [rules::ALL, worker::ALL, queue::ALL, router::ALL, guard::ALL, settings::ALL];
    for (number, rule) in all.iter().copied().flatten() {
        println!("{number}");
        rule();
    }
    assert_eq!(all.map(<[_]>::len), [27, 54, 4, 11, 3, 1]);
}

/// A worker that no rule has used. It is there for good, as a static is, and is kept on a list, so that it counts as no leak.
fn kept<W: Default + Send + Sync>() -> &'static W {
    static KEPT: Mutex<Vec<&'static (dyn Any + Send + Sync)>> = Mutex::new(Vec::new());
    let worker: &'static W = Box::leak(Box::default());
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
    worker
}

fn fresh() -> &'static worker::Small {
    kept()
}

fn fair() -> &'static worker::Small<worker::Fair> {
    kept()
}

fn choosy() -> &'static worker::Small<worker::Choosy> {
    kept()
}

/// How deep a chain of tokens is.
const DEEPEST: usize = 1_000_000;

/// Where the tokens of a chain lie, one after the other, for the one rule that uses them.
fn chain() -> *mut HeldToken<'static> {
    struct Chain(UnsafeCell<[MaybeUninit<HeldToken<'static>>; DEEPEST]>);
    // SAFETY: one rule uses it, on one thread.
    unsafe impl Sync for Chain {}
    static CHAIN: Chain = Chain(UnsafeCell::new([const { MaybeUninit::uninit() }; DEEPEST]));
    CHAIN.0.get().cast()
}

/// Uses a chain where a function that calls itself for each of its tokens would need a hundred times as much.
fn in_bounded_stack(use_chain: fn(usize)) {
    const STACK: usize = 256 * 1024;
    let small = thread::Builder::new().stack_size(STACK).spawn(move || use_chain(DEEPEST));
    small.expect("there is a thread").join().expect("it ends well");
}

#[test]
fn t1_t3_among_threads() {
    static ROUNDS: [HeldToken<'static>; 256] = [const { HeldToken::new() }; 256];
    static BEFORE: [AtomicUsize; 256] = [const { AtomicUsize::new(0) }; 256];
    let first: usize = thread::scope(|scope| {
        let racers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut first = 0;
                    for (token, before) in ROUNDS.iter().zip(&BEFORE) {
                        before.fetch_add(1, Ordering::Relaxed);
                        first += usize::from(token.cancel());
                        assert!(token.is_cancelled() && before.load(Ordering::Relaxed) > 0);
                    }
                    first
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().expect("no racer panics")).sum()
    });
    assert_eq!(first, ROUNDS.len(), "one of the callers is told that it was first");
}

#[test]
fn t6_a_wait_on_another_thread_ends() {
    static ROUNDS: [HeldToken<'static>; 256] = [const { HeldToken::new() }; 256];
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    thread::scope(|scope| {
        scope.spawn(|| {
            let waker = Waker::from(Arc::new(Unpark(thread::current())));
            for token in &ROUNDS {
                let mut wait = pin!(token.cancelled());
                while wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                    thread::park();
                }
            }
        });
        scope.spawn(|| ROUNDS.iter().for_each(|token| assert!(token.cancel())));
    });
}

#[test]
fn t9_a_panicking_waker_stops_no_other() {
    static TOKEN: HeldToken<'static> = HeldToken::new();
    static WOKEN: AtomicUsize = AtomicUsize::new(0);
    struct Panics(bool);
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            WOKEN.fetch_add(1, Ordering::SeqCst);
            assert!(!self.0, "as planted");
        }
    }
    let wakers = [true, false, true].map(|panics| Waker::from(Arc::new(Panics(panics))));
    let (mut one, mut two, mut three) = (pin!(TOKEN.cancelled()), pin!(TOKEN.cancelled()), pin!(TOKEN.cancelled()));
    for (wait, waker) in [&mut one, &mut two, &mut three].into_iter().zip(&wakers) {
        assert!(wait.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    }
    let panic = catch_unwind(AssertUnwindSafe(|| TOKEN.cancel())).expect_err("the panic goes on");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"as planted"));
    assert_eq!(WOKEN.load(Ordering::SeqCst), 3, "all were woken before");
    assert!(TOKEN.is_cancelled() && !TOKEN.cancel());
}

#[test]
fn p1_p2_panics_of_jobs_and_destructors_are_outcomes() {
    struct Bursts;
    impl Drop for Bursts {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    let worker = fresh();
    let mut driver = worker.attend().expect("nobody else drives it");
    let mut cx = Context::from_waker(Waker::noop());
    let submit = |job: HeldJob<_>| worker.submit(job, Instant::ORIGIN).expect("there is a slot");
    let body = |how: u8| async move {
        let _bursts = (how > 0).then(|| Bursts);
        match how {
            0 => panic!("in a poll"),
            1 => std::future::pending().await,
            _ => 7,
        }
    };
    let mut jobs = [0, 1, 2].map(|how| submit(HeldJob::task(body(how))));
    while driver.step(&mut cx, Instant::ORIGIN) == Step::Again {}
    jobs[1].cancel();
    while driver.step(&mut cx, Instant::ORIGIN) == Step::Again {}
    let said = jobs.each_mut().map(|job| match std::pin::Pin::new(job).poll(&mut cx) {
        std::task::Poll::Ready(Outcome::Panicked(panic)) => panic.message().map(str::to_owned),
        other => panic!("{other:?}"),
    });
    assert_eq!(
        said.each_ref().map(Option::as_deref),
        [Some("in a poll"), Some("in a destructor"), Some("in a destructor")]
    );
    // The lanes are whole, and a panic that nobody reads is let go.
    drop(worker.submit(HeldJob::task(body(0)), Instant::ORIGIN));
    let next = worker.submit(HeldJob::task(std::future::ready(9_u32)), Instant::ORIGIN).expect("there is a slot");
    while driver.step(&mut cx, Instant::ORIGIN) == Step::Again {}
    assert!(next.is_finished());
    drop(next);
    assert_eq!((worker.counts().panicked, worker.occupied()), (4, 0));
}

#[test]
fn s1_s6_among_threads_every_accepted_job_settles() {
    for _ in 0..64 {
        let worker = fresh();
        let settled = thread::scope(|scope| {
            let submitters: Vec<_> = (0..2)
                .map(|thread| {
                    scope.spawn(move || {
                        let mut handles = Vec::new();
                        for round in 0..200 {
                            let job = HeldJob::task(async move { round });
                            if let Ok(handle) = worker.submit(job, Instant::ORIGIN) {
                                if thread == 0 && round % 3 == 0 {
                                    handle.cancel();
                                }
                                handles.push(handle);
                                // Not more than there are slots for both.
                                handles.retain_mut(|handle| !handle.is_finished());
                            }
                        }
                        handles
                    })
                })
                .collect();
            let mut driver = worker.attend().expect("nobody else drives it");
            let mut cx = Context::from_waker(Waker::noop());
            for _ in 0..200 {
                driver.step(&mut cx, Instant::ORIGIN);
            }
            drop(driver);
            let left: Vec<_> =
                submitters.into_iter().flat_map(|thread| thread.join().expect("no submitter panics")).collect();
            left.iter().all(HeldHandle::is_finished)
        });
        assert!(settled, "the driver is gone, and a job that was accepted has not settled");
        let counts = worker.counts();
        assert_eq!(counts.accepted, counts.completed + counts.cancelled, "{counts:?}");
        assert_eq!((counts.accepted + counts.rejected, worker.occupied()), (400, 0));
    }
}

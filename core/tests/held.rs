//! Tokens without a heap: each rule that can be asked of them, and what only threads and unwinding can show.
#![allow(unsafe_code, reason = "wakers that count, and futures that are forgotten, are made by hand")]

#[path = "held/rules.rs"]
mod rules;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::{future::Future, thread};

use countermand_core::HeldToken;

#[test]
fn each_rule_holds() {
    for (number, rule) in rules::ALL {
        println!("{number}");
        rule();
    }
    assert_eq!(rules::ALL.len(), 21);
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

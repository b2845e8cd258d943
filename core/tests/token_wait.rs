//! Waiting for a cancellation: T5 to T9, T14, R6, R8.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::thread;

use common::{Count, poll, waker_fn};
use countermand_core::{Cause, Token};

#[test]
fn t5_flag_and_cause_are_there_when_a_waiter_is_woken() {
    let token = Token::new();
    let child = token.child_token();
    let seen = Arc::new(AtomicBool::new(false));
    let waker = {
        let (child, seen) = (child.clone(), Arc::clone(&seen));
        waker_fn(move || {
            assert_eq!(child.cause(), Some(Cause::SHUTDOWN));
            seen.store(child.is_cancelled(), Ordering::SeqCst);
        })
    };
    let mut wait = pin!(child.cancelled());
    assert_eq!(poll(wait.as_mut(), &waker), Poll::Pending);
    token.cancel_with(Cause::SHUTDOWN);
    assert!(seen.load(Ordering::SeqCst));
    assert_eq!(poll(wait, &waker), Poll::Ready(Cause::SHUTDOWN));
}

#[test]
fn t6_a_cancel_in_the_middle_of_registering_is_not_lost() {
    // The waker's own clone is what the registration runs between its first look and taking its place.
    for through_parent in [false, true] {
        let root = Token::new();
        let token = root.child_token();
        let target = if through_parent { root.clone() } else { token.clone() };
        let waker = cancelling_on_clone(&target);
        let mut wait = pin!(token.cancelled());
        assert!(poll(wait.as_mut(), &waker).is_ready(), "through the parent: {through_parent}");
    }
}

/// A waker that cancels a token when it is cloned. It must not be used after the token has gone.
#[allow(unsafe_code, reason = "only a raw waker runs code when it is cloned")]
fn cancelling_on_clone(token: &Token) -> Waker {
    use std::task::{RawWaker, RawWakerVTable};
    unsafe fn clone(data: *const ()) -> RawWaker {
        // SAFETY: the token is there, as the caller below sees to.
        unsafe { &*data.cast::<Token>() }.cancel();
        RawWaker::new(data, &VTABLE)
    }
    unsafe fn nothing(_: *const ()) {}
    static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, nothing, nothing, nothing);
    // SAFETY: the functions above only look at the token.
    unsafe { Waker::from_raw(RawWaker::new(std::ptr::from_ref(token).cast(), &VTABLE)) }
}

#[test]
fn t6_the_last_waker_is_the_one_that_is_woken() {
    let token = Token::new();
    let (first, first_waker) = Count::new();
    let (second, second_waker) = Count::new();
    let mut wait = pin!(token.cancelled());
    assert!(poll(wait.as_mut(), &first_waker).is_pending());
    assert!(poll(wait.as_mut(), &second_waker).is_pending());
    assert!(poll(wait.as_mut(), &second_waker).is_pending());
    token.cancel();
    assert_eq!((first.get(), second.get()), (0, 1));
}

#[test]
fn t6_no_wake_up_is_lost_between_threads() {
    for round in 0..500 {
        let root = Token::new();
        let token = root.child_token().child_token();
        thread::scope(|scope| {
            scope.spawn(|| {
                let thread = thread::current();
                let waker = waker_fn(move || thread.unpark());
                let mut wait = pin!(token.cancelled());
                while poll(wait.as_mut(), &waker).is_pending() {
                    thread::park();
                }
            });
            if round % 2 == 0 {
                thread::yield_now();
            }
            root.cancel();
        });
    }
}

/// Waits come, get company, and go with their children, each of which hangs on one root, while that is cancelled: whoever stays is woken.
#[test]
fn t6_children_come_and_go_while_their_root_is_cancelled() {
    for round in 0..200 {
        let root = Token::new();
        let (count, waker) = Count::new();
        let (staying, waits) = thread::scope(|scope| {
            let threads: Vec<_> = (0..3)
                .map(|own| {
                    let (root, waker) = (&root, &waker);
                    scope.spawn(move || {
                        let mut staying = Vec::new();
                        for number in 0..40 {
                            let child = root.child_token();
                            let mut wait = Box::pin(child.clone().cancelled_owned());
                            let pending = poll(wait.as_mut(), waker).is_pending();
                            let mut company = Box::pin(child.cancelled_owned());
                            let joined = number % 3 == own && poll(company.as_mut(), waker).is_pending();
                            if number % 4 > 0 {
                                staying.extend(pending.then_some(wait));
                                staying.extend(joined.then_some(company));
                            }
                        }
                        staying
                    })
                })
                .collect();
            if round % 2 == 0 {
                thread::yield_now();
            }
            root.cancel();
            let woken = count.get();
            let waits: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
            (woken, waits)
        });
        assert!(count.get() >= staying && count.get() >= waits.len(), "{} of {} woken", count.get(), waits.len());
        for mut wait in waits {
            assert!(poll(wait.as_mut(), &waker).is_ready());
        }
        assert_eq!(Arc::strong_count(&count), 2, "a waker is kept that nobody waits with");
    }
}

#[test]
fn t7_each_waiter_is_woken_once_and_later_ones_are_ready() {
    let token = Token::new();
    let counts: Vec<_> = (0..40).map(|_| Count::new()).collect();
    let mut waits: Vec<_> = counts.iter().map(|_| Box::pin(token.cancelled())).collect();
    for (wait, (_, waker)) in waits.iter_mut().zip(&counts) {
        assert!(poll(wait.as_mut(), waker).is_pending());
    }
    token.cancel();
    token.cancel();
    assert!(counts.iter().all(|(count, _)| count.get() == 1));
    let (late, waker) = Count::new();
    assert!(poll(pin!(token.cancelled()), &waker).is_ready());
    drop(waits);
    assert_eq!(late.get(), 0);
}

#[test]
fn t7_a_dropped_waiter_is_not_woken() {
    let root = Token::new();
    let token = root.child_token();
    let counts: Vec<_> = (0..5).map(|_| Count::new()).collect();
    let mut waits: Vec<_> = counts.iter().map(|_| Some(Box::pin(token.cancelled()))).collect();
    for (wait, (_, waker)) in waits.iter_mut().flatten().zip(&counts) {
        assert!(poll(wait.as_mut(), waker).is_pending());
    }
    for middle_first in [2, 0, 4] {
        waits[middle_first] = None;
    }
    root.cancel();
    let woken: Vec<_> = counts.iter().map(|(count, _)| count.get()).collect();
    assert_eq!(woken, [0, 1, 0, 1, 0]);
}

#[test]
fn t8_a_waker_may_use_the_whole_tree() {
    let root = Token::new();
    let token = root.child_token();
    let done = Arc::new(AtomicBool::new(false));
    let waker = {
        let (root, token, done) = (root.clone(), token.clone(), Arc::clone(&done));
        waker_fn(move || {
            root.cancel();
            let child = token.child_token();
            assert!(child.is_cancelled());
            drop(token.on_cancel(|_| {}));
            let mut wait = pin!(child.cancelled());
            assert!(poll(wait.as_mut(), Waker::noop()).is_ready());
            done.store(true, Ordering::SeqCst);
        })
    };
    let mut wait = pin!(token.cancelled());
    assert!(poll(wait.as_mut(), &waker).is_pending());
    root.cancel();
    assert!(done.load(Ordering::SeqCst));
}

#[test]
fn t8_replacing_and_dropping_a_waker_may_use_the_token() {
    struct UsesTokenOnDrop(Token, Arc<AtomicUsize>);
    impl std::task::Wake for UsesTokenOnDrop {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for UsesTokenOnDrop {
        fn drop(&mut self) {
            // Takes the lock of the token.
            assert!(poll(pin!(self.0.cancelled()), Waker::noop()).is_pending());
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
    let token = Token::new();
    let drops = Arc::new(AtomicUsize::new(0));
    let mut wait = Box::pin(token.cancelled());
    for _ in 0..2 {
        let waker = Waker::from(Arc::new(UsesTokenOnDrop(token.clone(), Arc::clone(&drops))));
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    drop(wait);
    assert_eq!(drops.load(Ordering::SeqCst), 2);
}

#[test]
fn t9_a_panicking_waker_stops_no_other() {
    let token = Token::new();
    let children: Vec<_> = (0..20).map(|_| token.child_token()).collect();
    let counts: Vec<_> = (0..20).map(|_| Count::new()).collect();
    let bad = waker_fn(|| panic!("bad waker"));
    let mut waits: Vec<_> = children.iter().map(|child| Box::pin(child.cancelled())).collect();
    let mut bad_waits: Vec<_> = children.iter().map(|child| Box::pin(child.cancelled())).collect();
    for ((wait, bad_wait), (_, waker)) in waits.iter_mut().zip(&mut bad_waits).zip(&counts) {
        assert!(poll(wait.as_mut(), waker).is_pending());
        assert!(poll(bad_wait.as_mut(), &bad).is_pending());
    }
    let panic = catch_unwind(AssertUnwindSafe(|| token.cancel())).expect_err("the panic goes on");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"bad waker"));
    assert!(counts.iter().all(|(count, _)| count.get() == 1));
}

#[test]
fn t14_waiting_for_the_never_token_is_pending() {
    let (count, waker) = Count::new();
    let never = Token::never();
    let mut wait = pin!(never.cancelled());
    assert!(poll(wait.as_mut(), &waker).is_pending());
    assert_eq!(Arc::strong_count(&count), 2, "nothing was registered");
}

#[test]
fn r6_nothing_is_left_behind_by_a_dropped_waiter() {
    let root = Token::new();
    let (count, waker) = Count::new();
    for _ in 0..100 {
        let child = root.child_token().child_token();
        let mut wait = Box::pin(child.clone().cancelled_owned());
        assert!(poll(wait.as_mut(), &waker).is_pending());
        assert_eq!(Arc::strong_count(&count), 3);
        drop(wait);
        assert_eq!(Arc::strong_count(&count), 2);
    }
    root.cancel();
    assert_eq!(count.get(), 0);
}

#[test]
fn r8_a_waiter_at_the_end_of_a_million_is_woken() {
    let root = Token::new();
    let mut leaf = root.child_token();
    for _ in 0..1_000_000 {
        leaf = leaf.child_token();
    }
    let (count, waker) = Count::new();
    let mut wait = Box::pin(leaf.clone().cancelled_owned());
    assert!(poll(wait.as_mut(), &waker).is_pending());
    drop(wait);
    let mut wait = Box::pin(leaf.cancelled_owned());
    assert!(poll(wait.as_mut(), &waker).is_pending());
    root.cancel();
    assert_eq!(count.get(), 1);
    assert!(poll(wait.as_mut(), &waker).is_ready());
    drop(root);
    drop(wait);
}

#[test]
fn j10_a_wait_may_be_polled_after_it_was_ready() {
    let token = Token::new();
    token.cancel();
    let mut wait = pin!(token.cancelled());
    assert!(poll(wait.as_mut(), Waker::noop()).is_ready());
    assert!(poll(wait.as_mut(), Waker::noop()).is_ready());
}

#[test]
fn x5_a_forgotten_wait_is_harmless() {
    let token = Token::new();
    let (count, waker) = Count::new();
    let mut wait = Box::pin(token.cancelled());
    assert!(poll(wait.as_mut(), &waker).is_pending());
    std::mem::forget(wait);
    token.cancel();
    assert_eq!(count.get(), 1);

    let token = Token::new();
    let mut wait = Box::pin(token.cancelled());
    assert!(poll(wait.as_mut(), &waker).is_pending());
    std::mem::forget(wait);
    drop(token);
    assert_eq!(Arc::strong_count(&count), 2, "the forgotten waker was dropped with the token");
}

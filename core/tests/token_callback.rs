//! Callbacks: T8, T9, T12, T13, R6.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use countermand_core::{Cause, Registration, Token};

fn counter() -> (Arc<AtomicUsize>, impl FnOnce(Cause) + Send + 'static) {
    let count = Arc::new(AtomicUsize::new(0));
    let inside = Arc::clone(&count);
    (count, move |_| {
        inside.fetch_add(1, Ordering::SeqCst);
    })
}

#[test]
fn t12_runs_once_by_the_canceller() {
    let root = Token::new();
    let token = root.child_token();
    let causes = Arc::new(Mutex::new(Vec::new()));
    let inside = Arc::clone(&causes);
    drop(token.on_cancel(move |cause| inside.lock().unwrap().push(cause)));
    assert!(causes.lock().unwrap().is_empty());
    root.cancel_with(Cause::SHUTDOWN);
    token.cancel();
    root.cancel();
    assert_eq!(*causes.lock().unwrap(), [Cause::SHUTDOWN]);
}

#[test]
fn t12_runs_at_once_if_cancelled_already() {
    let token = Token::new();
    token.cancel();
    let (count, f) = counter();
    let registration = token.child_token().on_cancel(f);
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert!(!registration.unregister());
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[test]
fn t12_runs_once_when_registering_races_with_cancelling() {
    for _ in 0..300 {
        let root = Token::new();
        let token = root.child_token();
        let (count, f) = counter();
        let start = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                root.cancel();
            });
            start.wait();
            drop(token.on_cancel(f));
        });
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn t13_unregistered_it_never_runs() {
    let token = Token::new();
    let (count, f) = counter();
    let registration = token.on_cancel(f);
    assert!(registration.unregister());
    assert_eq!(Arc::strong_count(&count), 1, "the callback was dropped");
    token.cancel();
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[test]
fn t13_too_late_to_unregister() {
    let token = Token::new();
    let (count, f) = counter();
    let registration = token.on_cancel(f);
    token.cancel();
    assert!(!registration.unregister());
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[test]
fn t13_prevented_means_never_whoever_races() {
    for _ in 0..300 {
        let token = Token::new();
        let (count, f) = counter();
        let registration = token.on_cancel(f);
        let start = Barrier::new(2);
        let prevented = thread::scope(|scope| {
            let canceller = scope.spawn(|| {
                start.wait();
                token.cancel();
            });
            start.wait();
            let prevented = registration.unregister();
            canceller.join().unwrap();
            prevented
        });
        assert_eq!(count.load(Ordering::SeqCst), usize::from(!prevented));
    }
}

#[test]
fn t13_unregistering_from_inside_neither_blocks_nor_prevents() {
    let token = Token::new();
    let own: Arc<Mutex<Option<Registration>>> = Arc::default();
    let answers = Arc::new(Mutex::new(Vec::new()));
    let (other_count, other) = counter();
    let other = Mutex::new(Some(token.on_cancel(other)));
    let (inside, said) = (Arc::clone(&own), Arc::clone(&answers));
    let registration = token.on_cancel(move |_| {
        let own = inside.lock().unwrap().take().expect("put there below");
        said.lock().unwrap().push(own.unregister());
        if let Some(other) = other.lock().unwrap().take() {
            said.lock().unwrap().push(other.unregister());
        }
    });
    *own.lock().unwrap() = Some(registration);
    token.cancel();
    let answers = answers.lock().unwrap();
    assert!(!answers[0], "it was running");
    assert_eq!(usize::from(!answers[1]), other_count.load(Ordering::SeqCst));
}

#[test]
fn t8_a_callback_may_use_the_whole_tree() {
    let root = Token::new();
    let token = root.child_token();
    let (count, f) = counter();
    let (root_inside, inside) = (root.clone(), token.clone());
    drop(token.on_cancel(move |_| {
        assert!(!root_inside.cancel());
        drop(inside.child_token().on_cancel(f));
        drop(inside);
    }));
    root.cancel();
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[test]
fn t9_a_panicking_callback_stops_no_other() {
    let token = Token::new();
    let mut counts = Vec::new();
    for index in 0..30 {
        let (count, f) = counter();
        drop(token.on_cancel(move |cause| {
            f(cause);
            assert!(index % 3 != 0, "bad callback");
        }));
        counts.push(count);
    }
    catch_unwind(AssertUnwindSafe(|| token.cancel())).expect_err("the panic goes on");
    assert!(counts.iter().all(|count| count.load(Ordering::SeqCst) == 1));
    assert!(token.is_cancelled());
}

/// Its destructor panics.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a destructor");
    }
}

#[test]
fn t9_not_even_what_a_callback_panics_with_stops_another() {
    let token = Token::new();
    let (count, last) = counter();
    drop(token.on_cancel(|_| std::panic::panic_any("the first")));
    // Nobody hears of this one: what it panicked with is dropped, and panics.
    (0..2).for_each(|_| drop(token.on_cancel(|_| std::panic::panic_any(Bomb))));
    drop(token.on_cancel(last));
    let payload = catch_unwind(AssertUnwindSafe(|| token.cancel())).expect_err("the first one's goes on");
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"the first"));
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[test]
fn t9_what_callbacks_have_captured_is_dropped_to_the_last_whatever_panics() {
    let token = Token::new();
    let (captured, weak) = {
        let captured = Arc::new(());
        let weak = Arc::downgrade(&captured);
        (captured, weak)
    };
    for _ in 0..2 {
        let bomb = Bomb;
        drop(token.on_cancel(move |_| drop(bomb)));
    }
    drop(token.on_cancel(move |_| drop(captured)));
    let bomb = Bomb;
    drop(token.on_cancel(move |_| drop(bomb)));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(token))).is_err(), "the first panic goes on");
    assert!(weak.upgrade().is_none(), "what comes after it is dropped");
}

#[test]
fn t9_a_guard_dropped_while_panicking_does_not_abort() {
    let token = Token::new();
    drop(token.on_cancel(|_| panic!("bad callback")));
    let guard = token.clone().drop_guard();
    catch_unwind(AssertUnwindSafe(move || {
        let _guard = guard;
        panic!("first");
    }))
    .expect_err("the first panic");
    assert!(token.is_cancelled());
}

#[test]
fn r6_a_callback_goes_with_its_token() {
    let root = Token::new();
    let (count, f) = counter();
    let child = root.child_token();
    let registration = child.on_cancel(f);
    drop(child);
    assert_eq!(Arc::strong_count(&count), 2, "the registration holds the place");
    drop(registration);
    assert_eq!(Arc::strong_count(&count), 1);
    root.cancel();
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[test]
fn t12_a_registration_keeps_the_place_in_the_tree() {
    let root = Token::new();
    let (count, f) = counter();
    let registration = root.child_token().on_cancel(f);
    root.cancel();
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert!(!registration.unregister());
}

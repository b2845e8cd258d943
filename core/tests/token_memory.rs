//! What tokens allocate: T4, T14, R6, and no allocation for waiting.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::pin::pin;
use std::task::Waker;

use common::poll;
use countermand_core::{Cause, Token};

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static LIVE: Cell<usize> = const { Cell::new(0) };
}

/// Counts for each thread, so that the test harness does not disturb.
struct Counting;

#[allow(unsafe_code, reason = "a global allocator that counts")]
// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        LIVE.set(LIVE.get().wrapping_add(layout.size()));
        // SAFETY: promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get().wrapping_sub(layout.size()));
        // SAFETY: promised by the caller.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations<R>(f: impl FnOnce() -> R) -> usize {
    let before = CALLS.get();
    black_box(f());
    CALLS.get() - before
}

#[test]
fn what_tokens_allocate() {
    // T14
    let never = Token::never();
    assert_eq!(allocations(|| (never.clone().is_cancelled(), never.cancel(), never.cause(), Token::never())), 0);

    // T4: a check, on whatever shape of tree.
    let (root, other) = (Token::new(), Token::new());
    let middle = root.child_token();
    let linked = Token::linked([&middle, &other]);
    let leaf = linked.child_token();
    let observer = leaf.observer();
    assert_eq!(allocations(|| (root.is_cancelled(), leaf.is_cancelled(), observer.is_cancelled(), leaf.cause())), 0);

    // Waiting on plain tokens allocates nothing; neither does cancelling with a cause that has no text.
    let root = Token::new();
    let middle = root.child_token();
    let leaf = middle.child_token();
    let wait_and_drop = || poll(pin!(middle.cancelled()), Waker::noop()).is_pending();
    assert_eq!(allocations(wait_and_drop), 0);
    let mut wait = pin!(middle.cancelled());
    let cancel_and_wake = || {
        assert!(poll(wait.as_mut(), Waker::noop()).is_pending());
        root.cancel_with(Cause::SHUTDOWN.with_code(3));
        assert!(poll(wait.as_mut(), Waker::noop()).is_ready());
    };
    assert_eq!(allocations(cancel_and_wake), 0);
    assert_eq!(allocations(|| leaf.cause()), 0);

    // One allocation a token.
    assert_eq!(allocations(Token::new), 1);
    assert_eq!(allocations(|| root.child_token()), 1);

    // R6: memory is flat over any number of children, of every kind.
    let (root, other) = (Token::new(), Token::new());
    let one_of_each = || {
        let child = root.child_token();
        let _ = poll(pin!(child.cancelled()), Waker::noop());
        drop(child.on_cancel(|_| {}));
        drop(Token::linked([&child, &other]).child_token());
        let shield = child.shield();
        let _ = poll(pin!(shield.token().cancelled()), Waker::noop());
        drop(child.child_token().drop_guard());
        root.child_token().cancel_with(Cause::EVICTED.with_text("a text is allocated"));
    };
    one_of_each();
    let before = LIVE.get();
    for _ in 0..1000 {
        one_of_each();
    }
    assert_eq!(LIVE.get(), before);
    drop((root, other));
}

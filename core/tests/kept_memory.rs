//! What threads keep of jobs that are gone is told, block by block. Alone in its file: it asks about all threads of its process.
#![cfg(feature = "std")]
#![allow(unsafe_code, reason = "an allocator that counts")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::mpsc;
use std::thread;

use common::bench::{Bench, take};
use countermand_core::{Job, WorkerConfig, kept_memory};

thread_local! {
    static BYTES: Cell<i64> = const { Cell::new(0) };
}

/// Counts the bytes that each thread holds.
struct Counting;

// SAFETY: passes every call on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Nothing is counted while a thread ends.
        let _ = BYTES.try_with(|bytes| bytes.set(bytes.get() + layout.size() as i64));
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let _ = BYTES.try_with(|bytes| bytes.set(bytes.get() - layout.size() as i64));
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Has so many jobs at a time come and go on this thread, which then keeps the memory of all.
fn keep(jobs: usize) {
    let mut bench = Bench::new(WorkerConfig::new());
    let handles: Vec<_> = (0..jobs).map(|_| bench.worker.try_submit(Job::task(async {})).expect("a place")).collect();
    bench.run();
    for mut handle in handles {
        assert!(take(&mut handle).completed().is_some());
    }
}

#[test]
fn what_is_kept_is_told_and_goes_with_its_thread() {
    assert_eq!((kept_memory().blocks, kept_memory().bytes), (0, 0));
    keep(3);
    let here = kept_memory();
    assert_eq!(here.blocks, 3);
    let each = here.bytes / 3;
    assert!(each > 0 && each.is_multiple_of(16), "{each} bytes");
    keep(2);
    assert_eq!(kept_memory(), here, "what was kept is used again");

    // One after the other, so that they come onto the list in this order; they leave it from its middle, its end and its head.
    let mut others: Vec<_> = [5, 7, 11]
        .into_iter()
        .map(|jobs| {
            let ((kept, told), (end, ended)) = (mpsc::channel(), mpsc::channel::<()>());
            let thread = thread::spawn(move || {
                keep(jobs);
                kept.send(()).expect("the test waits");
                // Until the other end is dropped.
                ended.recv().expect_err("nothing is sent");
            });
            told.recv().expect("it does not panic");
            Some((thread, end))
        })
        .collect();
    assert_eq!((kept_memory().blocks, kept_memory().bytes), (26, 26 * each));
    for (which, left) in [(1, 19), (0, 14), (2, 3)] {
        let (thread, end) = others[which].take().expect("it lives");
        drop(end);
        thread.join().expect("it does not panic");
        assert_eq!(kept_memory().blocks, left);
    }

    // A thread that comes after one that has ended may lie where that lay.
    for _ in 0..3 {
        let thread = thread::spawn(|| {
            keep(4);
            kept_memory().blocks
        });
        assert_eq!(thread.join().expect("it does not panic"), 7);
        assert_eq!(kept_memory().blocks, 3);
    }

    // More than is kept, of three sizes: what is freed is freed as what it was, and what is held is what is told.
    let others = kept_memory().bytes as i64;
    let held = thread::spawn(|| {
        let before = BYTES.get();
        for size in 0..3 {
            let mut bench = Bench::new(WorkerConfig::new().capacity(300));
            let (small, middle, large) = ([0_u8; 1], [1_u8; 200], [2_u8; 500]);
            let handles: Vec<_> = (0..200)
                .map(|_| match size {
                    0 => bench.worker.try_submit(Job::task(async move { std::hint::black_box(large)[0] })).ok(),
                    1 => bench.worker.try_submit(Job::task(async move { std::hint::black_box(small)[0] })).ok(),
                    _ => bench.worker.try_submit(Job::task(async move { std::hint::black_box(middle)[0] })).ok(),
                })
                .collect();
            bench.run();
            for handle in handles {
                assert!(take(&mut handle.expect("a place")).completed().is_some());
            }
        }
        (BYTES.get() - before, kept_memory().bytes as i64)
    });
    let (held, told) = held.join().expect("it does not panic");
    assert_eq!(held, told - others);
}

//! What threads keep of jobs that are gone is told, block by block. Alone in its file: it asks about all threads of its process.
#![cfg(feature = "std")]

mod common;

use std::sync::mpsc;
use std::thread;

use common::bench::{Bench, take};
use countermand_core::{Job, WorkerConfig, kept_memory};

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
}

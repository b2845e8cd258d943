//! Any bytes as a script of the queue between tasks, on the heap and in place: it does what a plain model says. The core's test `priority_queue_model` draws
//! such scripts at random. The worker's queue is in the scripts of jobs.
//!
//! In `core`: `cargo +nightly fuzz run -s none queue -- -runs=1000000 -max_len=400 -timeout=5`.
#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "../../tests/scripts/priority_queue.rs"]
mod script;

use countermand_core::priority_queue::PriorityQueue;
use countermand_core::{Fixed, Heap, Priority};
use libfuzzer_sys::fuzz_target;
use script::{CAPACITY, RESERVED, play};

fuzz_target!(|bytes: &[u8]| {
    let steps = bytes.as_chunks().0;
    play::<Heap>(&PriorityQueue::bounded(CAPACITY).reserve(Priority::Critical, RESERVED), steps);
    play::<Fixed<CAPACITY>>(&PriorityQueue::new().reserve(Priority::Critical, RESERVED), steps);
});

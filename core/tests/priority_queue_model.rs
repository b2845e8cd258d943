//! The queue between tasks does what a plain model of it says, step by step.
#![cfg(feature = "std")]

mod common;
#[path = "scripts/priority_queue.rs"]
mod script;

use countermand_core::priority_queue::PriorityQueue;
use countermand_core::{Fixed, Heap, Priority};
use proptest::prelude::*;

use script::{CAPACITY, RESERVED, play};

proptest! {
    #[test]
    fn it_follows_the_model(steps in prop::collection::vec(any::<[u8; 2]>(), 1..200)) {
        play::<Heap>(&PriorityQueue::bounded(CAPACITY).reserve(Priority::Critical, RESERVED), &steps);
    }

    #[test]
    fn in_place_too(steps in prop::collection::vec(any::<[u8; 2]>(), 1..200)) {
        play::<Fixed<CAPACITY>>(&PriorityQueue::new().reserve(Priority::Critical, RESERVED), &steps);
    }
}

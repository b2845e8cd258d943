//! A worker does with its jobs what a plain model of it says, step by step.
#![cfg(feature = "std")]

mod common;
#[path = "scripts/jobs/mod.rs"]
mod jobs;

use proptest::prelude::*;

proptest! {
    #[test]
    fn it_follows_the_model(steps in prop::collection::vec(any::<jobs::Step>(), 1..80)) {
        jobs::play(&steps);
    }
}

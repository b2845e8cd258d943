//! A forest of tokens does what a plain model of it says, step by step.
#![cfg(feature = "std")]

mod common;
#[path = "scripts/tokens/mod.rs"]
mod tokens;

use proptest::prelude::*;

proptest! {
    #[test]
    fn it_follows_the_model(steps in prop::collection::vec(any::<tokens::Step>(), 1..200)) {
        tokens::play(&steps);
    }
}

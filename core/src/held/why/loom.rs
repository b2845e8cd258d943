//! The race over why a held token is cancelled: one writes it, two read it without the lock.
#![allow(unsafe_code, reason = "one thread alone sets it")]

use std::sync::Arc;

use ::loom::thread;

use super::Why;
use crate::{Cause, loom_model};

#[test]
fn loom_t5_whoever_sees_a_held_token_cancelled_sees_its_whole_cause() {
    loom_model("t5_whoever_sees_a_held_token_cancelled_sees_its_whole_cause", || {
        let (why, cause) = (Arc::new(Why::new()), Cause::SHUTDOWN.with_code(7));
        let threads = [(); 2].map(|()| {
            let why = why.clone();
            thread::spawn(move || {
                let (before, seen) = (why.is_there(), why.get());
                assert!(seen.is_none_or(|seen| seen == cause));
                assert!(!before || seen.is_some(), "it was cancelled, and is not any more (T2)");
            })
        });
        // SAFETY: nobody else sets it.
        unsafe { why.set(cause) };
        assert_eq!(why.get(), Some(cause));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

//! The race between a driver that lets go of a job and somebody who asks for it.
#![allow(unsafe_code, reason = "a job is made by hand")]

use std::sync::Arc;

use ::loom::thread;

use super::Places;
use crate::job::nobody::job;
use crate::loom_model;

#[test]
fn loom_l3_a_job_is_found_whole_or_not_at_all() {
    loom_model("l3_a_job_is_found_whole_or_not_at_all", || {
        let places = Arc::new(Places::new(1));
        let driver = places.clone();
        let thread = thread::spawn(move || {
            let job = job();
            driver.enter(0, &job);
            driver.leave(0);
            // The last who holds it, unless somebody has found it.
            drop(job);
        });
        if let Some(found) = places.get(0) {
            assert_eq!(found.polls(), 0);
        }
        thread.join().unwrap();
        assert!(places.all().is_empty());
    });
}

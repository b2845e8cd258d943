//! A number goes from one thread to the next.

use std::sync::Arc;

use ::loom::thread;

use super::{AtomicU64, Ordering, Roster};
use crate::loom_model;

#[test]
fn loom_s7_a_number_that_goes_to_the_next_thread_loses_no_count() {
    loom_model("s7_a_number_that_goes_to_the_next_thread_loses_no_count", || {
        // One number is left.
        let shared = Arc::new((Roster(AtomicU64::new(!1)), [AtomicU64::new(0), AtomicU64::new(0)]));
        let count = |shared: &(Roster, [AtomicU64; 2])| {
            let (roster, [own, common]) = shared;
            match roster.enter() {
                Some(number) => {
                    assert_eq!(number, 0);
                    own.store(own.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                    roster.leave(number);
                }
                None => {
                    common.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        let threads = [(); 2].map(|()| {
            let shared = shared.clone();
            thread::spawn(move || count(&shared))
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let [own, common] = &shared.1;
        assert_eq!(own.load(Ordering::Relaxed) + common.load(Ordering::Relaxed), 2);
    });
}

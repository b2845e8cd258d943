//! Who is told of an outcome, while others ask to be and one settles the job.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use countermand_core::{Class, Job, WorkerConfig};

use crate::common::gate::Gate;
use crate::crew::{Crew, block_on};

const ROUNDS: usize = 200;
const ASKERS: usize = 3;
/// How often each of them asks.
const ASKS: usize = 8;

/// What whoever was told of a cancelled job adds; of a completed one, one.
const CANCELLED: usize = 1_000;

#[test]
fn p4_whoever_asks_meanwhile_is_told_once() {
    let crew = Crew::new(WorkerConfig::new().lanes(4).drivers(2));
    let mut told = Vec::new();
    let mut cancelled = 0;
    for round in 0..ROUNDS {
        let gate = Gate::default();
        let handle = crew.worker.try_submit(Job::task(gate.clone().pass())).expect("a place");
        let each: Arc<[AtomicUsize]> = (0..ASKERS * ASKS).map(|_| AtomicUsize::new(0)).collect();
        let start = Barrier::new(ASKERS + 1);
        thread::scope(|scope| {
            for asker in 0..ASKERS {
                let (each, start, handle) = (&each, &start, &handle);
                scope.spawn(move || {
                    start.wait();
                    for ask in 0..ASKS {
                        let each = each.clone();
                        handle.on_done(move |class| {
                            let adds = if class == Class::Completed { 1 } else { CANCELLED };
                            each[asker * ASKS + ask].fetch_add(adds, Ordering::Relaxed);
                        });
                    }
                });
            }
            start.wait();
            if round % 3 == 0 {
                handle.cancel();
            } else {
                gate.open();
            }
        });
        let was_cancelled = block_on(handle).is_cancelled();
        cancelled += usize::from(was_cancelled);
        told.push((each, if was_cancelled { CANCELLED } else { 1 }));
    }
    // Now whoever calls is through.
    let counts = crew.end();
    assert_eq!((counts.completed + counts.cancelled, counts.cancelled), (ROUNDS as u64, cancelled as u64));
    for (round, (each, once)) in told.iter().enumerate() {
        let each: Vec<_> = each.iter().map(|told| told.load(Ordering::Relaxed)).collect();
        assert!(each.iter().all(|told| told == once), "round {round}: {each:?}, and not {once} each");
    }
    assert!(told.iter().all(|(each, _)| Arc::strong_count(each) == 1), "what was to be called is kept");
}

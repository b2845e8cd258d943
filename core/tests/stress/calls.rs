//! Calls whose bodies are lent to threads, while they are cancelled, run out of time, are given up, and are thrown away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use countermand_core::{Job, Outcome, Shutdown, WorkerConfig};

use crate::crew::{Crew, Dice, Until, block_on};

const EACH: usize = 400;
const UNIT: Duration = Duration::from_millis(1);

#[test]
fn b2_a_call_is_run_or_withdrawn_and_leaves_nothing() {
    let crew = Crew::new(WorkerConfig::new().lanes(6).drivers(2).capacity(16));
    let (kept, done) = (Arc::new(()), AtomicBool::new(false));
    let (ran, settled) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        let is_done = &done;
        // Two threads that run calls; one lets time pass, and drops what nobody has begun now and then.
        for own in 0..3 {
            let host = &crew.host;
            scope.spawn(move || {
                let mut dice = Dice::new(own);
                while !is_done.load(Ordering::SeqCst) {
                    match own {
                        0 if dice.roll(50) == 0 => host.throw_calls_away(),
                        0 => {
                            host.pass(UNIT);
                            host.ring();
                        }
                        _ => host.run_calls(),
                    }
                    thread::yield_now();
                }
            });
        }
        let until = Until(&done);
        thread::scope(|scope| {
            for own in 0..2 {
                let (worker, kept, ran, settled) = (&crew.worker, &kept, &ran, &settled);
                scope.spawn(move || {
                    let mut dice = Dice::new(7 + own);
                    for number in 0..EACH {
                        let (value, kept) = (Box::new(number), kept.clone());
                        let (begun, looks) = (Arc::new(AtomicUsize::new(0)), dice.roll(20));
                        let begins = begun.clone();
                        let job = Job::call(move |cx| {
                            begins.fetch_add(1, Ordering::SeqCst);
                            (0..looks).take_while(|_| !cx.is_cancelled()).for_each(|_| thread::yield_now());
                            (value, kept)
                        });
                        let job = if dice.roll(2) == 0 { job.abandonable() } else { job };
                        let job = if dice.roll(2) == 0 { job.run_timeout(3 * UNIT) } else { job };
                        let handle = block_on(worker.submit(job)).expect("it is open");
                        if dice.roll(3) == 0 {
                            handle.cancel();
                        }
                        if dice.roll(4) == 0 {
                            drop(handle);
                            continue;
                        }
                        match block_on(handle) {
                            Outcome::Completed((value, _)) => {
                                assert_eq!((*value, begun.load(Ordering::SeqCst)), (number, 1))
                            }
                            Outcome::Cancelled { started: false, .. } => {
                                assert_eq!(begun.load(Ordering::SeqCst), 0, "it was run (B2)")
                            }
                            Outcome::Failed(never) => match never {},
                            _ => assert!(begun.load(Ordering::SeqCst) <= 1, "it was run twice"),
                        }
                        ran.fetch_add(begun.load(Ordering::SeqCst), Ordering::Relaxed);
                        settled.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        // What is left needs them still.
        block_on(crew.worker.shutdown(Shutdown::Drain));
        drop(until);
    });
    // What was withdrawn lies with the host, and has nothing to do.
    crew.host.run_calls();
    let counts = crew.end();
    assert_eq!(counts.accepted, 2 * EACH as u64);
    assert!(settled.into_inner() > 0 && ran.into_inner() > 0, "no call was run, or none awaited");
    assert_eq!(Arc::strong_count(&kept), 1, "what a call captured or gave is kept");
}

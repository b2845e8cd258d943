//! A runtime that goes away: everything is dropped once, in an order of the seed, whatever destructors do.

use std::collections::HashSet;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countermand_sim::Sim;

type Log = Arc<Mutex<Vec<u32>>>;

/// Notes its drop, then does what it was given to do.
struct Noted(u32, Log, Option<Box<dyn FnOnce() + Send>>);

impl Drop for Noted {
    fn drop(&mut self) {
        self.1.lock().expect("no test panics while it holds the log").push(self.0);
        if let Some(last_words) = self.2.take() {
            last_words();
        }
    }
}

fn spawn(sim: &Sim, log: &Log, number: u32, last_words: Option<Box<dyn FnOnce() + Send>>) {
    let noted = Noted(number, Arc::clone(log), last_words);
    let own = sim.clone();
    drop(sim.spawn(async move {
        let _noted = noted;
        own.sleep(Duration::from_secs(100)).await;
    }));
}

#[test]
fn all_are_dropped_once_in_an_order_of_the_seed() {
    let order = |seed| {
        let (sim, log) = (Sim::new(seed), Log::default());
        (0..5).for_each(|number| spawn(&sim, &log, number, None));
        sim.run_until_idle();
        sim.stop();
        sim.stop();
        drop(sim);
        let log = log.lock().unwrap().clone();
        assert_eq!(log.iter().collect::<HashSet<_>>().len(), 5);
        assert_eq!(log.len(), 5);
        log
    };
    assert_eq!(order(3), order(3));
    assert!((0..30).map(order).collect::<HashSet<_>>().len() > 10);
}

#[test]
fn the_future_of_block_on_goes_on_with_clock_and_all() {
    let (sim, log) = (Sim::new(1), Log::default());
    spawn(&sim, &log, 0, None);
    let end = sim.block_on(async {
        sim.yield_now().await;
        sim.stop();
        assert_eq!(log.lock().unwrap().len(), 1);
        sim.sleep(Duration::from_secs(2)).await;
        sim.now().as_nanos()
    });
    assert_eq!(end, 2_000_000_000);
}

#[test]
fn a_task_may_stop_the_run_it_is_in() {
    let (sim, log) = (Sim::new(1), Log::default());
    let (own, noted) = (sim.clone(), Noted(0, Arc::clone(&log), None));
    drop(sim.spawn(async move {
        let noted = noted;
        own.stop();
        assert!(noted.1.lock().unwrap().iter().all(|&number| number == 1));
        std::future::pending::<()>().await;
    }));
    spawn(&sim, &log, 1, None);
    sim.run_until_idle();
    let mut log = log.lock().unwrap().clone();
    log.sort_unstable();
    assert_eq!(log, [0, 1]);
}

/// What comes out of a stop with destructors that use the sim, the first of which panics if that is planted.
fn stopped(planted: bool) -> Result<(), String> {
    let (sim, log) = (Sim::new(1), Log::default());
    for number in 0..4 {
        let own = sim.clone();
        let last_words: Box<dyn FnOnce() + Send> = match number {
            0 => Box::new(move || assert!(!planted, "a destructor")),
            1 => Box::new(move || assert!(own.spawn(async {}).is_finished())),
            2 => Box::new(move || own.advance(Duration::from_secs(1))),
            _ => Box::new(move || own.stop()),
        };
        spawn(&sim, &log, number, Some(last_words));
    }
    sim.run_until_idle();
    let caught = panic::catch_unwind(AssertUnwindSafe(|| sim.stop()));
    assert_eq!(log.lock().expect("no test panics while it holds the log").len(), 4);
    caught.map_err(|payload| (*payload.downcast_ref::<&str>().expect("a text")).to_owned())
}

#[test]
fn destructors_may_use_the_sim_and_one_that_panics_stops_no_other() {
    assert_eq!(stopped(true), Err("a destructor".to_owned()));
    // Null control.
    assert_eq!(stopped(false), Ok(()));
}

//! Runs a scenario under many schedules, and says what was seen.

use std::collections::BTreeMap;
use std::env;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};

/// Schedules of each scenario where nobody asks for another number; this is what was made when the scenarios were last recorded.
const RECORDED: usize = 2_000;

/// Schedules of PCT pre-empt this often at the most.
const PREEMPTIONS: usize = 3;

/// Where the schedules come from.
const SEED: u64 = 7;

/// What a scenario may come to; each that was named must be seen in some schedule, or the race was none.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<BTreeMap<&'static str, usize>>>);

impl Seen {
    pub(crate) fn note(&self, what: &'static str) {
        // Outside of what is modelled.
        *self.0.lock().expect("nobody panics here").entry(what).or_default() += 1;
    }
}

/// Explores `scenario`, half of the schedules at random and half by PCT. Each of `ways` must be seen.
pub(crate) fn explore(name: &str, ways: &[&str], scenario: impl Fn(&Seen) + Send + Sync + 'static) {
    let asked = env::var("COUNTERMAND_SCHEDULES").ok().map(|text| text.parse().expect("a number of schedules"));
    let half = asked.unwrap_or(RECORDED).div_ceil(2);
    let (executions, seen, scenario) = (Arc::new(AtomicUsize::new(0)), Seen::default(), Arc::new(scenario));
    let run = |scheduler: Box<dyn Scheduler + Send>| {
        let (counted, seen, scenario) = (executions.clone(), seen.clone(), scenario.clone());
        let mut config = Config::default();
        config.silence_warnings = true;
        Runner::new(scheduler, config).run(move || {
            scenario(&seen);
            counted.fetch_add(1, Ordering::Relaxed);
        });
    };
    run(Box::new(RandomScheduler::new_from_seed(SEED, half)));
    run(Box::new(PctScheduler::new_from_seed(SEED, PREEMPTIONS, half)));
    let executions = executions.load(Ordering::Relaxed);
    let seen = seen.0.lock().expect("nobody panics here").clone();
    println!("shuttle {name}: {executions} executions, {seen:?}");
    assert!(
        executions * 10 >= RECORDED,
        "{name}: {executions} executions are ten times below the {RECORDED} that are recorded"
    );
    for way in ways {
        assert!(seen.contains_key(way), "{name}: no schedule came to {way:?}");
    }
}

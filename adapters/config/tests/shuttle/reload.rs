//! Jobs that read while others load again: the old or the new, never a mix, and never an older one after a newer (G7).

use std::panic::resume_unwind;
use std::sync::Arc;

use countermand_config::{Format, Live, Loader, Reader, Reload};
use countermand_core::config::ExecutionConfig;
use countermand_core::{FullPolicy, Job, Outcome, WorkerConfig};
use shuttle::future::block_on;
use shuttle::sync::Mutex;
use shuttle::thread;

use crate::explore::{Seen, explore};
use crate::world::World;

const LAST: u32 = 4;

const MIXED: &str = "half of one, and half of another";

/// Settings of two sections, and one of a subsystem's own, that all say the same number.
fn version(number: u32) -> Loader {
    let text = format!(
        "worker.lanes = {number}\nworker.capacity = {number}\ntelemetry.retention_hours = {number}\n[subsystem.tamiyo]\nworker.lanes = {number}\n"
    );
    Loader::new().text("service.toml", Format::Toml, text)
}

/// The number of what is read; another thread may have its turn between the first setting and the last.
fn number(config: &ExecutionConfig) -> u32 {
    let (lanes, tamiyo) = (config.worker.lanes, config.for_subsystem("tamiyo"));
    thread::yield_now();
    let others = [config.worker.capacity, config.telemetry.retention_hours, tamiyo.worker.lanes];
    assert_eq!(others, [lanes; 3], "{MIXED}");
    lanes
}

/// What a job does: it reads by a reader of its own and from the place itself, and the numbers only grow.
fn read(live: &Live, mut reader: Reader, seen: &Seen) -> u32 {
    let mut last = number(reader.read());
    let first = last;
    for _ in 0..2 {
        thread::yield_now();
        for now in [number(live.loaded().config()), number(reader.read())] {
            assert!(now >= last, "{now} is older than {last}");
            last = now;
        }
    }
    seen.note(match (first, last) {
        (1, 1) => "only the first",
        (first, last) if first < last => "another one within a job",
        _ => "a later one throughout",
    });
    last
}

#[test]
fn config_reload_under_load() {
    reload_under_load();
}

fn reload_under_load() {
    let ways = ["only the first", "another one within a job", "a later one throughout", "two at once"];
    explore("config reload under load", &ways, |seen| {
        let config = WorkerConfig::new().lanes(2).drivers(2).capacity(2).full(FullPolicy::Wait);
        let (world, attendants) = World::new(config);
        let told = Arc::new(Mutex::new(Vec::new()));
        let events = told.clone();
        let live = Live::new(version(1), move |reload| events.lock().unwrap().push(reload.clone()));
        let live = Arc::new(live.expect("a good one"));

        let submitters: Vec<_> = (0..2)
            .map(|_| {
                let (world, live, seen) = (world.clone(), live.clone(), seen.clone());
                thread::spawn(move || {
                    let handles: Vec<_> = (0..2)
                        .map(|_| {
                            let (alive, live, seen) = (world.alive.clone(), live.clone(), seen.clone());
                            let job = Job::task(async move {
                                let number = read(&live, live.reader(), &seen);
                                drop(alive);
                                number
                            });
                            world.accepted(block_on(world.worker.submit(job))).expect("nobody closes it")
                        })
                        .collect();
                    for handle in handles {
                        match world.outcome(handle) {
                            Outcome::Completed(number) => assert!((1..=LAST).contains(&number)),
                            Outcome::Panicked(panic) => resume_unwind(panic.into_payload()),
                            other => panic!("{other:?}"),
                        }
                    }
                })
            })
            .collect();
        let (again, noted) = (live.clone(), seen.clone());
        let again = thread::spawn(move || {
            // From where it was loaded last, whichever that is by now: it changes nothing, and covers nothing that came meanwhile.
            again.reload().expect("what could be loaded can be");
            if number(again.loaded().config()) > 1 {
                noted.note("two at once");
            }
        });
        for number in 2..=LAST {
            // Loading takes no turns, and jobs take many.
            (0..8).for_each(|_| thread::yield_now());
            live.reload_from(version(number)).expect("a good one");
            live.reload_from(version(0)).expect_err("a worker without lanes");
        }
        again.join().unwrap();
        submitters.into_iter().for_each(|submitter| submitter.join().unwrap());

        assert_eq!(number(live.loaded().config()), LAST, "what is in force is what was begun last");
        let told = told.lock().unwrap();
        let count = |wanted: fn(&Reload) -> bool| told.iter().filter(|reload| wanted(reload)).count();
        // Each tells once: three that change something, one that changes nothing, three that are refused.
        let changing = count(|reload| matches!(reload, Reload::Applied { changed, .. } if !changed.is_empty()));
        let same = count(|reload| matches!(reload, Reload::Applied { changed, .. } if changed.is_empty()));
        let refused = count(|reload| matches!(reload, Reload::Refused(_)));
        assert_eq!((changing, same, refused), (3, 1, 3), "{told:?}");
        world.end(attendants);
    });
}

/// The scenario sees settings that are swapped one by one: else it would show nothing.
#[cfg(feature = "mutants")]
#[test]
fn settings_that_are_swapped_one_by_one_are_seen() {
    use countermand_core::Panic;
    use countermand_core::mutant::{Mutant, activate};

    activate(Some(Mutant::FieldsSwappedOneByOne));
    let explored = std::panic::catch_unwind(reload_under_load);
    activate(None);
    let seen = Panic::new(explored.expect_err("no schedule saw it"));
    assert!(seen.message().is_some_and(|message| message.contains(MIXED)), "{:?}", seen.message());
}

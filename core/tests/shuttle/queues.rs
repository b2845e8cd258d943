//! Scenarios of the queue: storms of submits, cancels, evictions, the end.

use countermand_core::{Cause, FullPolicy, Job, Outcome, Priority, Shutdown, Token, WorkerConfig};
use shuttle::future::block_on;
use shuttle::thread;

use crate::explore::explore;
use crate::world::{Gate, World};

fn config() -> WorkerConfig {
    WorkerConfig::new().lanes(2).drivers(2).capacity(2)
}

#[test]
fn submit_storm() {
    explore("submit storm", &["a submit that waited"], |seen| {
        let (world, attendants) = World::new(config().full(FullPolicy::Wait));
        let submitters: Vec<_> = (0..3)
            .map(|own: usize| {
                let (world, seen) = (world.clone(), seen.clone());
                thread::spawn(move || {
                    let mut handles = Vec::new();
                    for number in 0..3 {
                        let alive = world.alive.clone();
                        let job = Job::task(async move {
                            drop(alive);
                            own * 10 + number
                        });
                        let before = world.worker.queued();
                        if before == 2 {
                            seen.note("a submit that waited");
                        }
                        let submitted = block_on(world.worker.submit(job.priority(Priority::ALL[number])));
                        handles.push((own * 10 + number, world.accepted(submitted).expect("nobody closes it")));
                    }
                    for (number, handle) in handles {
                        assert!(matches!(world.outcome(handle), Outcome::Completed(value) if value == number));
                    }
                })
            })
            .collect();
        submitters.into_iter().for_each(|submitter| submitter.join().unwrap());
        assert_eq!((world.worker.queued(), world.worker.promised()), (0, 0));
        world.end(attendants);
    });
}

#[test]
fn cancel_queued_and_running() {
    let ways = ["cancelled in the queue", "cancelled in its lane", "completed"];
    explore("cancel queued and running", &ways, |seen| {
        let (world, attendants) = World::new(config().lanes(1).drivers(1).capacity(3));
        let (gate, parent) = (Gate::default(), Token::new());
        let jobs: Vec<_> = (0..3)
            .map(|number| {
                let (alive, pass) = (world.alive.clone(), gate.pass());
                let mut job = Job::task(async move {
                    pass.await;
                    drop(alive);
                });
                if number == 2 {
                    job = job.parent(&parent);
                }
                world.accepted(world.worker.try_submit(job)).expect("there are three places")
            })
            .collect();
        let opens = thread::spawn(move || gate.open());
        jobs[0].cancel();
        jobs[1].cancel();
        parent.cancel();
        for handle in jobs {
            seen.note(match world.outcome(handle) {
                Outcome::Completed(()) => "completed",
                Outcome::Cancelled { cause: Cause::REQUESTED, started: false } => "cancelled in the queue",
                Outcome::Cancelled { cause: Cause::REQUESTED, started: true } => "cancelled in its lane",
                other => panic!("{other:?}"),
            });
        }
        opens.join().unwrap();
        world.end(attendants);
    });
}

#[test]
fn full_queue_with_eviction() {
    explore("full queue with eviction", &["evicted", "came back", "completed"], |seen| {
        let (world, attendants) = World::new(config().lanes(1).drivers(1).capacity(1).full(FullPolicy::EvictLowest));
        let submitters: Vec<_> = [Priority::Low, Priority::Normal, Priority::Critical]
            .into_iter()
            .map(|priority| {
                let (world, seen) = (world.clone(), seen.clone());
                thread::spawn(move || {
                    for _ in 0..2 {
                        let alive = world.alive.clone();
                        let job = Job::task(async move { drop(alive) }).priority(priority);
                        let Some(handle) = world.accepted(world.worker.try_submit(job)) else {
                            seen.note("came back");
                            continue;
                        };
                        seen.note(match world.outcome(handle) {
                            Outcome::Completed(()) => "completed",
                            Outcome::Cancelled { cause: Cause::EVICTED, started: false }
                                if priority < Priority::Critical =>
                            {
                                "evicted"
                            }
                            other => panic!("{priority}: {other:?}"),
                        });
                    }
                })
            })
            .collect();
        submitters.into_iter().for_each(|submitter| submitter.join().unwrap());
        world.end(attendants);
    });
}

#[test]
fn shutdown_against_submit() {
    explore("shutdown against submit", &["came back", "completed", "cut off"], |seen| {
        let (world, attendants) = World::new(config().capacity(1).full(FullPolicy::Wait));
        let submitters: Vec<_> = (0..2)
            .map(|_| {
                let (world, seen) = (world.clone(), seen.clone());
                thread::spawn(move || {
                    for _ in 0..2 {
                        let alive = world.alive.clone();
                        let job = Job::task(async move { drop(alive) });
                        let Some(handle) = world.accepted(block_on(world.worker.submit(job))) else {
                            seen.note("came back");
                            continue;
                        };
                        seen.note(match world.outcome(handle) {
                            Outcome::Completed(()) => "completed",
                            Outcome::Cancelled { cause: Cause::SHUTDOWN, .. } => "cut off",
                            other => panic!("{other:?}"),
                        });
                    }
                })
            })
            .collect();
        let ends = {
            let worker = world.worker.clone();
            thread::spawn(move || {
                worker.close();
                let report = block_on(worker.shutdown(Shutdown::Abort));
                assert!(report.counts.balances() && report.counts.unsettled == 0, "{report:?}");
            })
        };
        submitters.into_iter().for_each(|submitter| submitter.join().unwrap());
        ends.join().unwrap();
        world.end(attendants);
    });
}

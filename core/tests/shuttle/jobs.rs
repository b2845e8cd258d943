//! Scenarios of jobs: deadlines, panics, scopes, handles that go, and all of it mixed.

use std::sync::Arc;

use countermand_core::{Cause, FullPolicy, Instant, Job, Outcome, Phase, Priority, Token, WorkerConfig};
use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

use crate::explore::explore;
use crate::world::{Gate, Mine, UNIT, World, planned};

fn config() -> WorkerConfig {
    WorkerConfig::new().lanes(2).drivers(2).capacity(4)
}

#[test]
fn deadline_against_completion() {
    let ways = ["completed", "timed out in its lane", "timed out in the queue"];
    explore("deadline against completion", &ways, |seen| {
        let (world, attendants) = World::new(config().lanes(1).drivers(1));
        let gate = Gate::default();
        let jobs: Vec<_> = (0..2)
            .map(|_| {
                let (alive, pass) = (world.alive.clone(), gate.pass());
                let job = Job::task(async move {
                    pass.await;
                    drop(alive);
                });
                let deadline = Instant::ORIGIN.checked_add(UNIT).expect("soon");
                world.accepted(world.worker.try_submit(job.deadline(deadline))).expect("a place")
            })
            .collect();
        let clock = world.clock.clone();
        let time = thread::spawn(move || clock.advance(UNIT));
        let opens = thread::spawn(move || gate.open());
        for handle in jobs {
            seen.note(match world.outcome(handle) {
                Outcome::Completed(()) => "completed",
                Outcome::TimedOut { phase: Phase::Running, late: None } => "timed out in its lane",
                Outcome::TimedOut { phase: Phase::Queued, late: None } => "timed out in the queue",
                other => panic!("{other:?}"),
            });
        }
        time.join().unwrap();
        opens.join().unwrap();
        world.end(attendants);
    });
}

#[test]
fn lane_panic() {
    explore("lane panic", &["a panic in a poll", "a panic of a destructor", "completed"], |seen| {
        let (world, attendants) = World::new(config().full(FullPolicy::Wait));
        let submitters: Vec<_> = (0..2)
            .map(|_| {
                let (world, seen) = (world.clone(), seen.clone());
                thread::spawn(move || {
                    for kind in 0..3 {
                        let alive = world.alive.clone();
                        let job = Job::task(async move {
                            let _alive = alive;
                            match kind {
                                0 => planned(),
                                1 => {
                                    let _mine = Mine;
                                    std::future::pending().await
                                }
                                _ => {}
                            }
                        });
                        let handle = world.accepted(block_on(world.worker.submit(job))).expect("nobody closes it");
                        if kind == 1 {
                            handle.cancel();
                        }
                        seen.note(match (kind, world.outcome(handle)) {
                            (0, Outcome::Panicked(_)) => "a panic in a poll",
                            (1, Outcome::Panicked(_)) => "a panic of a destructor",
                            (1, Outcome::Cancelled { started: false, .. }) => "never begun",
                            (2, Outcome::Completed(())) => "completed",
                            (kind, other) => panic!("{kind}: {other:?}"),
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
fn nested_scopes() {
    explore("nested scopes", &["all through", "cancelled"], |seen| {
        let (world, attendants) = World::new(config().full(FullPolicy::Wait));
        let outer = Token::new();
        let cancels = {
            let outer = outer.clone();
            thread::spawn(move || outer.cancel())
        };
        let (here, through) = (world.clone(), seen.clone());
        let inner_jobs = block_on(world.worker.scope(|scope| async move {
            let first = here.accepted(scope.submit(job(&here).parent(&outer)).await).expect("nobody closes it");
            let inside = here.worker.scope(|inner| {
                let (here, outer) = (here.clone(), outer.clone());
                async move {
                    let second =
                        here.accepted(inner.submit(job(&here).parent(&outer)).await).expect("nobody closes it");
                    let third = here.accepted(inner.submit(job(&here)).await).expect("nobody closes it");
                    [second, third]
                }
            });
            let [second, third] = inside.await;
            assert!(second.is_finished() && third.is_finished(), "a scope ended before its jobs");
            through.note("all through");
            [first, second, third]
        }));
        assert!(inner_jobs.iter().all(countermand_core::Handle::is_finished), "a scope ended before its jobs");
        for (number, handle) in inner_jobs.into_iter().enumerate() {
            match world.outcome(handle) {
                Outcome::Completed(()) => {}
                Outcome::Cancelled { cause: Cause::REQUESTED, .. } if number < 2 => seen.note("cancelled"),
                other => panic!("{number}: {other:?}"),
            }
        }
        cancels.join().unwrap();
        world.end(attendants);
    });
}

fn job(world: &World) -> Job<impl countermand_core::Work<Value = (), Error = std::convert::Infallible> + use<>> {
    let alive = world.alive.clone();
    Job::task(async move { drop(alive) })
}

#[test]
fn handle_drops() {
    explore("handle drops", &["it went on alone", "it was cancelled"], |seen| {
        let (world, attendants) = World::new(config());
        let gate = Gate::default();
        let ran = Arc::new(shuttle::sync::atomic::AtomicUsize::new(0));
        let handles: Vec<_> = [false, true]
            .into_iter()
            .map(|cancels| {
                let (alive, pass, ran) = (world.alive.clone(), gate.pass(), ran.clone());
                let job = Job::task(async move {
                    pass.await;
                    ran.fetch_add(if cancels { 10 } else { 1 }, shuttle::sync::atomic::Ordering::SeqCst);
                    drop(alive);
                });
                let job = if cancels { job.cancel_on_drop() } else { job };
                world.accepted(world.worker.try_submit(job)).expect("a place")
            })
            .collect();
        let opens = thread::spawn(move || gate.open());
        handles.into_iter().for_each(|handle| world.let_go(handle));
        opens.join().unwrap();
        world.end(attendants);
        let ran = ran.load(shuttle::sync::atomic::Ordering::SeqCst);
        assert_eq!(ran % 10, 1, "a job whose handle was dropped did not go on (X1)");
        seen.note(if ran > 10 { "it went on alone" } else { "it was cancelled" });
    });
}

#[test]
fn mixed() {
    explore("mixed", &["completed", "cancelled", "timed out", "panicked", "came back"], |seen| {
        let (world, attendants) = World::new(config().capacity(2).full(FullPolicy::EvictLowest));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (world, seen) = (world.clone(), seen.clone());
                thread::spawn(move || {
                    for _ in 0..3 {
                        one_of_many(&world, &seen);
                    }
                })
            })
            .collect();
        for _ in 0..3 {
            world.clock.advance(UNIT);
            thread::yield_now();
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        // Whoever waits for a time gets it.
        world.end(attendants);
    });
}

fn one_of_many(world: &World, seen: &crate::explore::Seen) {
    let (alive, kind) = (world.alive.clone(), thread_rng().gen_range(0..6));
    let job = Job::task_with(move |cx| async move {
        let _alive = alive;
        match kind {
            0 => cx.yield_now().await,
            1 => {
                // Before it unwinds: while one thread does, shuttle takes all of them to panic.
                drop(cx);
                planned()
            }
            2 => {
                cx.token().cancel();
                std::future::pending::<()>().await;
            }
            _ => {}
        }
    });
    let priority = Priority::ALL[thread_rng().gen_range(0..Priority::COUNT)];
    let job = if kind == 3 { job.run_timeout(std::time::Duration::ZERO) } else { job };
    let Some(handle) = world.accepted(world.worker.try_submit(job.priority(priority))) else {
        return seen.note("came back");
    };
    match kind {
        4 => {
            handle.cancel();
        }
        5 => return world.let_go(handle),
        _ => {}
    }
    seen.note(match (kind, world.outcome(handle)) {
        (0 | 4, Outcome::Completed(())) => "completed",
        (1, Outcome::Panicked(_)) => "panicked",
        (3, Outcome::TimedOut { phase: Phase::Queued, .. }) => "timed out",
        (2 | 4, Outcome::Cancelled { cause: Cause::REQUESTED, .. }) => "cancelled",
        (_, Outcome::Cancelled { cause: Cause::EVICTED, started: false }) => "evicted",
        (kind, other) => panic!("{kind}: {other:?}"),
    });
}

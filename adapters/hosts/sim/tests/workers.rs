//! Real workers in virtual time.

use std::collections::HashSet;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use countermand_core::{
    Cause, CauseKind, Class, Host, Instant, Job, Outcome, Phase, Priority, Shutdown, Worker, WorkerConfig,
};
use countermand_sim::{Gate, Sim};

const DAY: Duration = Duration::from_secs(86_400);

fn worker(sim: &Sim, lanes: usize) -> Worker {
    sim.start(WorkerConfig::new().lanes(lanes)).expect("a valid configuration")
}

#[test]
fn a_time_out_of_four_hundred_days_settles_at_once() {
    let sim = Sim::new(1);
    let worker = worker(&sim, 2);
    let outcome = sim.block_on(async {
        let job = Job::task(std::future::pending::<()>()).run_timeout(400 * DAY);
        worker.submit(job).await.unwrap().await
    });
    assert!(matches!(outcome, Outcome::TimedOut { phase: Phase::Running, .. }), "{outcome:?}");
    assert_eq!(sim.now(), Instant::ORIGIN.checked_add(400 * DAY).unwrap());
    assert!(sim.trace().turns() < 1_000, "{}", sim.trace());
}

/// Jobs that sleep, yield, time out, panic, are cancelled and block; the classes in the order of submission, and the books.
fn mixed_bag(sim: &Sim) -> Vec<String> {
    let worker = worker(sim, 3);
    let mut random = sim.rng();
    sim.block_on(async {
        let mut handles = Vec::new();
        for number in 0..24_u64 {
            let nap = Duration::from_millis(random.below(20));
            let job = Job::task_with(move |cx| async move {
                cx.yield_now().await;
                cx.sleep(nap).await;
                assert!(number % 7 != 3, "a job's own panic");
                number
            });
            let job = job.run_timeout(Duration::from_millis(12)).queue_timeout(Duration::from_millis(60));
            let job = job.priority(if number % 3 == 0 { Priority::High } else { Priority::Normal });
            handles.push(worker.submit(job).await.expect("the queue waits"));
            if number % 5 == 0 {
                sim.yield_now().await;
                handles[usize::try_from(random.below(handles.len() as u64)).unwrap_or(0)].cancel();
            }
        }
        let own = sim.clone();
        let call = worker
            .submit(Job::call(move |_| own.block_on(own.sleep(Duration::from_millis(7)))))
            .await
            .expect("the queue waits");
        let mut classes = Vec::new();
        for handle in handles {
            classes.push(format!("{:?}", handle.await.class()));
        }
        assert_eq!(call.await.class(), Class::Completed);
        let report = worker.shutdown(Shutdown::Drain).await;
        let counts = report.counts;
        classes.push(format!("{counts:?}"));
        classes.iter().for_each(|line| sim.note(line));
        classes
    })
}

#[test]
fn equal_seeds_are_equal_runs_of_a_worker() {
    let mut kinds = HashSet::new();
    for seed in 0..20 {
        let mut seen = Vec::new();
        let _ = Sim::assert_replays(seed, |sim| seen.push(mixed_bag(sim)));
        assert_eq!(seen[0], seen[1], "seed {seed}");
        kinds.extend(seen.remove(0));
    }
    let explored = Sim::explore(0..20, |sim| drop(mixed_bag(sim)));
    assert_eq!(explored.schedules, 20, "{explored:?}");
    for class in ["Completed", "TimedOut(Running)", "Panicked", "Cancelled"] {
        assert!(kinds.iter().any(|kind| kind.starts_with(class)), "no {class} in {kinds:?}");
    }
}

#[test]
fn a_race_of_two_jobs_is_found() {
    let lost = |sim: &Sim| {
        let worker = worker(sim, 2);
        let total = Arc::new(AtomicU64::new(0));
        let job = |total: &Arc<AtomicU64>| {
            let total = Arc::clone(total);
            Job::task_with(move |cx| async move {
                let seen = total.load(Ordering::SeqCst);
                cx.yield_now().await;
                total.store(seen + 1, Ordering::SeqCst);
            })
        };
        sim.block_on(async {
            let first = worker.submit(job(&total)).await.unwrap();
            let second = worker.submit(job(&total)).await.unwrap();
            (first.await, second.await)
        });
        total.load(Ordering::SeqCst) != 2
    };
    let found: Vec<u64> = (0..50).filter(|&seed| lost(&Sim::new(seed))).collect();
    assert!((1..50).contains(&found.len()), "{found:?}");
    assert!(found.iter().all(|&seed| lost(&Sim::new(seed))));
}

/// How many of six jobs a runtime that stops settles, or one that does not.
fn settled_by_a_stop(seeds: Range<u64>, fault: bool) -> usize {
    let mut settled = 0;
    Sim::explore(seeds, |sim| {
        let worker = worker(sim, 2);
        let dropped = Arc::new(AtomicUsize::new(0));
        struct Counted(Arc<AtomicUsize>);
        impl Drop for Counted {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let classes = sim.block_on(async {
            let mut handles = Vec::new();
            for _ in 0..6 {
                let held = Counted(Arc::clone(&dropped));
                let job = Job::task(async move {
                    let _held = held;
                    std::future::pending::<()>().await;
                });
                handles.push(worker.submit(job).await.expect("the queue waits"));
            }
            for _ in 0..sim.random(12) {
                sim.yield_now().await;
            }
            if fault {
                sim.stop();
            }
            let ended = handles.iter().filter(|handle| handle.is_finished()).count();
            settled += ended;
            let mut classes = Vec::new();
            for handle in handles.into_iter().take(ended) {
                classes.push(handle.await.class());
            }
            classes
        });
        assert_eq!(dropped.load(Ordering::SeqCst), classes.len());
        for class in classes {
            assert!(
                matches!(class, Class::Cancelled { cause, .. } if cause.kind() == CauseKind::Shutdown),
                "{class:?}"
            );
        }
        assert_eq!(sim.block_on(worker.submit(Job::task(async {}))).is_err(), fault);
    });
    settled
}

#[test]
fn a_runtime_that_stops_settles_every_job() {
    assert_eq!(settled_by_a_stop(0..30, true), 30 * 6);
    // Null control.
    assert_eq!(settled_by_a_stop(0..30, false), 0, "without the fault something ended them");
}

#[test]
fn calls_take_turns_and_see_their_cancellation() {
    Sim::explore(0..30, |sim| {
        let worker = worker(sim, 2);
        let begun = Gate::new();
        let (own, seen) = (sim.clone(), begun.clone());
        let cause = sim.block_on(async {
            let call = Job::call(move |cx| {
                seen.open();
                own.block_on(cx.token().cancelled())
            });
            let handle = worker.submit(call).await.unwrap();
            begun.wait().await;
            sim.sleep(DAY).await;
            assert!(handle.cancel_with(Cause::REQUESTED.with_code(7)));
            handle.await
        });
        // B1: what it returns is delivered.
        assert!(matches!(cause, Outcome::Completed(cause) if cause == Cause::REQUESTED.with_code(7)), "{cause:?}");
    });
}

#[test]
fn a_call_whose_thread_has_not_begun_never_begins_after_a_cancel() {
    let mut begun_first = 0;
    let explored = Sim::explore(0..60, |sim| {
        let worker = worker(sim, 1);
        let begun = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&begun);
        sim.block_on(async {
            let handle = worker.submit(Job::call(move |_| seen.store(true, Ordering::SeqCst))).await.unwrap();
            for _ in 0..sim.random(6) {
                sim.yield_now().await;
            }
            let before = begun.load(Ordering::SeqCst);
            handle.cancel();
            let class = handle.await.class();
            // B2
            assert_eq!(begun.load(Ordering::SeqCst), before, "it began after the cancel");
            assert_eq!(class == Class::Completed, before, "{class:?}");
            begun_first += u64::from(before);
        });
        // It settled at once: nothing had to wait for the thread, which finds nothing to run.
        sim.run_until_idle();
    });
    assert!((1..explored.runs).contains(&begun_first), "{begun_first} of {}", explored.runs);
}

#[test]
fn a_call_past_all_its_times_costs_no_turns() {
    let sim = Sim::new(3);
    let worker = worker(&sim, 1);
    let gate = Gate::new();
    let held = gate.clone();
    let call = Job::call(move |_| held.wait_blocking()).abandonable().run_timeout(Duration::from_secs(1));
    let outcome = sim.block_on(async { worker.submit(call).await.unwrap().await });
    assert_eq!(outcome.class(), Class::Abandoned);
    let before = sim.trace().turns();
    sim.run_for(Duration::from_secs(60));
    // L4
    assert!(sim.trace().turns() - before <= 120, "{}", sim.trace().turns() - before);
    // B3: the lane is free only after the closure has really ended.
    let next = sim.block_on(async {
        let next = worker.try_submit(Job::task(async { 1 })).unwrap();
        sim.sleep(Duration::from_secs(1)).await;
        assert!(!next.is_finished());
        gate.open();
        next.await
    });
    assert!(matches!(next, Outcome::Completed(1)), "{next:?}");
}

#[test]
fn grace_is_for_what_has_begun() {
    let sim = Sim::new(1);
    let worker = worker(&sim, 1);
    let polled = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&polled);
    let job = Job::task(async move { seen.store(true, Ordering::SeqCst) });
    let job = job.run_timeout(Duration::ZERO).grace(Duration::from_secs(1));
    let outcome = sim.block_on(async { worker.submit(job).await.unwrap().await });
    assert!(outcome.is_timed_out(), "{outcome:?}");
    // J2, D4
    assert!(!polled.load(Ordering::SeqCst));
}

#[test]
fn a_thread_without_a_runtime_may_wait_and_the_driving_one_is_refused() {
    let sim = Sim::new(1);
    let worker = worker(&sim, 1);
    let gate = Gate::new();
    let (refused, waiting) = sim.block_on(async {
        let refused = worker.submit(Job::task(async { 1 })).await.unwrap().wait();
        let handle = worker
            .submit(Job::task({
                let gate = gate.clone();
                async move {
                    gate.wait().await;
                    2
                }
            }))
            .await
            .unwrap();
        let outsider = sim.outsider();
        (
            refused,
            thread::spawn(move || {
                let outcome = handle.wait();
                drop(outsider);
                outcome
            }),
        )
    });
    assert!(refused.is_err(), "{refused:?}");
    gate.open();
    sim.run_until_idle();
    assert!(matches!(waiting.join().unwrap(), Ok(Outcome::Completed(2))));
}

/// How late a time-out is at the most where alarms are so late.
fn latest(lateness: Duration) -> Duration {
    let mut latest = Duration::ZERO;
    Sim::explore(0..30, |sim| {
        sim.set_lateness(lateness);
        let worker = worker(sim, 1);
        let settled = Arc::new(Mutex::new(None));
        let outcome = sim.block_on(async {
            let job = Job::task(std::future::pending::<()>()).run_timeout(Duration::from_secs(1));
            let handle = worker.submit(job).await.expect("the queue waits");
            let (own, put) = (sim.clone(), Arc::clone(&settled));
            handle.on_done(move |_| *put.lock().expect("no panic under it") = Some(Host::now(&own)));
            handle.await
        });
        assert!(outcome.is_timed_out(), "{outcome:?}");
        let settled = settled.lock().expect("no panic under it").expect("it has settled");
        let late = settled.saturating_since(Instant::from_nanos(1_000_000_000));
        assert!(late <= lateness);
        latest = latest.max(late);
    });
    latest
}

#[test]
fn late_alarms_cost_time_and_no_outcome() {
    assert!(latest(Duration::from_secs(5)) > Duration::from_secs(1), "the fault did not happen");
    // Null control.
    assert_eq!(latest(Duration::ZERO), Duration::ZERO, "late without the fault");
}

#[test]
fn an_idle_worker_takes_no_turns() {
    let sim = Sim::new(5);
    let _worker = worker(&sim, 4);
    sim.run_until_idle();
    let before = sim.trace().turns();
    sim.run_for(Duration::from_secs(60));
    // L4: at most two wake-ups a second.
    assert!(sim.trace().turns() - before <= 120, "{}", sim.trace().turns() - before);
}

#[test]
fn a_bad_configuration_is_refused_whole() {
    let sim = Sim::new(1);
    let refused = sim.start(WorkerConfig::new().lanes(0).capacity(0)).unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("lanes = 0") && text.contains("capacity = 0"), "{text}");
}

#[test]
fn a_job_that_waits_for_ever_is_a_stall_that_names_the_driver() {
    let sim = Sim::new(1);
    let worker = sim.start(WorkerConfig::new().lanes(1).name("ingest")).unwrap();
    let polled = Arc::new(AtomicBool::new(false));
    let caught = panic::catch_unwind(AssertUnwindSafe(|| {
        sim.block_on(async {
            let polled = Arc::clone(&polled);
            let job = Job::task(async move {
                polled.store(true, Ordering::SeqCst);
                std::future::pending::<()>().await;
            });
            worker.submit(job).await.unwrap().await
        })
    }));
    let text = caught.unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains("`driver 0 of ingest` from ") && text.contains("`keeper of ingest`"), "{text}");
    assert!(polled.load(Ordering::SeqCst));
}

//! Threads of the pool that give drivers their turns: nothing is lost between them and the drivers' own threads.

use std::future::pending;
use std::num::NonZero;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use countermand_blocking::Blocking;
use countermand_core::{Job, Outcome, Phase, Shutdown, WorkerConfig};

const HANGS: Duration = Duration::from_secs(60);

#[test]
fn calls_and_tasks_of_many_submitters_all_settle() {
    let host = Blocking::builder().max_threads(NonZero::new(3).expect("not zero")).build();
    let workers = [1, 2].map(|drivers| {
        let config = WorkerConfig::new().lanes(4).drivers(drivers).run_timeout(HANGS);
        host.start(config).expect("a worker")
    });
    let submit = |seed: u64| {
        let mut sum = 0;
        for n in 0..1_500 {
            let worker = &workers[(n % 2) as usize];
            let value = match (n + seed) % 3 {
                0 => worker.submit_blocking(Job::task(async move { n })).expect("a place").wait_timeout(HANGS),
                1 => worker.submit_blocking(Job::call(move |_| n)).expect("a place").wait_timeout(HANGS),
                // Two at once: one of them goes to the other threads.
                _ => {
                    let first = worker.submit_blocking(Job::call(|_| 0)).expect("a place");
                    let second = worker.submit_blocking(Job::call(move |_| n)).expect("a place");
                    assert_eq!(first.wait_timeout(HANGS).expect("it settles").completed(), Some(0));
                    second.wait_timeout(HANGS)
                }
            };
            sum += value.expect("it settles").completed().expect("nobody cancels it");
            if n % 64 == 0 {
                // So that the guests leave, and the threads of the drivers have to be woken.
                (0..200).for_each(|_| thread::yield_now());
            }
        }
        sum
    };
    let sums: Vec<u64> = thread::scope(|scope| {
        let submit = &submit;
        let threads = [0, 1, 2].map(|seed| scope.spawn(move || submit(seed)));
        threads.into_iter().map(|thread| thread.join().expect("all settle")).collect()
    });
    assert_eq!(sums, [1_500 * 1_499 / 2; 3]);
    for worker in &workers {
        let report = worker.shutdown_blocking(Shutdown::Drain).expect("a free thread");
        assert_eq!((report.counts.completed, report.counts.unsettled), (report.counts.accepted, 0));
    }
}

#[test]
fn a_time_that_was_set_in_a_guests_turn_is_kept() {
    let worker = Blocking::new().start(WorkerConfig::new().lanes(2).drivers(1)).expect("a worker");
    for _ in 0..100 {
        let call = worker.submit_blocking(Job::call(|_| 7)).expect("a place");
        assert_eq!(call.wait_timeout(HANGS).expect("it settles").completed(), Some(7));
        // The guest is still there, or has just left.
        let late = Job::task(pending::<()>()).run_timeout(Duration::from_millis(1));
        let late = worker.submit_blocking(late).expect("a place").wait_timeout(HANGS).expect("it settles");
        assert!(matches!(late, Outcome::TimedOut { phase: Phase::Running, .. }), "{late:?}");
    }
}

#[test]
fn a_guest_that_runs_a_call_leaves_the_driver_to_others() {
    let worker = Blocking::new().start(WorkerConfig::new().lanes(3).drivers(1)).expect("a worker");
    for _ in 0..100 {
        // Its thread is the guest of what comes next.
        let first = worker.submit_blocking(Job::call(|_| ())).expect("a place");
        assert!(matches!(first.wait_timeout(HANGS), Ok(Outcome::Completed(()))));
        let (open, opened) = channel::<()>();
        let held = worker.submit_blocking(Job::call(move |_| opened.recv().is_err())).expect("a place");
        // While that is held up, tasks and calls go on (L3).
        let task = worker.submit_blocking(Job::task(async { 1 })).expect("a place");
        let call = worker.submit_blocking(Job::call(|_| 2)).expect("a place");
        assert_eq!(task.wait_timeout(HANGS).expect("it settles").completed(), Some(1));
        assert_eq!(call.wait_timeout(HANGS).expect("it settles").completed(), Some(2));
        drop(open);
        assert_eq!(held.wait_timeout(HANGS).expect("it settles").completed(), Some(true));
    }
}

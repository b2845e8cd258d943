//! No thread is left behind. Alone in its file: it counts the threads of its process.
#![cfg(target_os = "linux")]

use std::fs;
use std::future::pending;
use std::thread;
use std::time::{Duration, Instant};

use countermand_blocking::Blocking;
use countermand_core::{Job, Outcome, Shutdown, WorkerConfig};

const HANGS: Duration = Duration::from_secs(60);

/// The kernel's own count. A walk through `/proc/self/task` may end early at a thread that ends while it is listed.
fn threads() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("the state of this process");
    let line = status.lines().find_map(|line| line.strip_prefix("Threads:")).expect("a count of threads");
    line.trim().parse().expect("a number")
}

fn until_there_are(expected: usize) {
    let begun = Instant::now();
    while threads() != expected {
        assert!(begun.elapsed() < HANGS, "{} threads instead of {expected}", threads());
        thread::yield_now();
    }
}

#[test]
fn every_thread_ends_with_its_worker() {
    let before = threads();
    let host = Blocking::new();
    for round in 0..20 {
        let worker = host.start(WorkerConfig::new().lanes(4).drivers(2)).expect("a worker");
        let stuck = worker.try_submit(Job::task(pending::<()>())).expect("a place");
        let call = worker.try_submit(Job::call(|_| threads())).expect("a place");
        // Two drivers, the keeper, and whoever runs the call.
        let outcome = call.wait().expect("a free thread");
        let Outcome::Completed(during) = outcome else { panic!("{outcome:?}") };
        assert!(during >= before + 4, "{during} threads in round {round}, {before} before the first");
        if round % 2 == 0 {
            worker.shutdown_blocking(Shutdown::Abort).expect("a free thread");
        }
        drop((worker, stuck));
    }
    drop(host);
    until_there_are(before);

    // A worker that cannot be started takes the threads with it that it was given already; one that was never used as well.
    drop(Blocking::builder().stack_size(usize::MAX / 4).build().start(WorkerConfig::new()));
    drop(Blocking::new().start(WorkerConfig::new()));
    until_there_are(before);
}

//! Futures spawned as jobs: that they run, are bounded, and end with their parent and their worker.

use std::future::pending;

use countermand_core::{FullPolicy, Shutdown, Token, Worker, WorkerConfig};
use countermand_futures::WorkerSpawner;
use countermand_sim::Sim;
use futures::task::{Spawn as _, SpawnExt as _};

fn worker(sim: &Sim) -> Worker {
    let config = WorkerConfig::new().lanes(1).drivers(1).capacity(1).full(FullPolicy::Wait);
    sim.start(config).expect("valid settings")
}

#[test]
fn a_handle_has_the_value() {
    Sim::explore(0..50, |sim| {
        let spawner = WorkerSpawner::new(worker(sim)).name("library");
        let handle = spawner.spawn_with_handle(async { "done" }).expect("a place");
        assert_eq!(sim.block_on(handle), "done");
    });
}

#[test]
fn what_has_no_place_is_refused_at_once() {
    let sim = Sim::new(3);
    let worker = worker(&sim);
    let spawner = WorkerSpawner::new(worker.clone());
    spawner.spawn(pending()).expect("a lane will have it");
    assert!(spawner.spawn(pending()).expect_err("no place").is_shutdown());
    assert!(spawner.status().is_ok());
    assert_eq!(worker.counts().accepted, 1);
}

#[test]
fn a_parent_ends_them_and_a_closed_worker_takes_none() {
    Sim::explore(0..50, |sim| {
        let (worker, parent) = (worker(sim), Token::new());
        let spawner = WorkerSpawner::new(worker.clone()).parent(&parent);
        spawner.spawn(pending()).expect("a place");
        parent.cancel();
        let report = sim.block_on(worker.shutdown(Shutdown::Drain));
        assert_eq!(report.counts.cancelled, 1);
        assert!(spawner.status().is_err() && spawner.spawn(pending()).is_err());
    });
}

//! A worker on embassy, on this machine.

use std::sync::atomic::{AtomicBool, Ordering};

use countermand::{Job, Shutdown, WorkerConfig};
use embassy_executor::{Executor, Spawner};
use embassy_time as _; // its time driver

use crate::Tried;

countermand::hosts::embassy::tasks! {
    fn start_worker = 2; // a driver, and the keeper
}

static DONE: AtomicBool = AtomicBool::new(false);

#[embassy_executor::task]
async fn service(spawner: Spawner) {
    let worker = start_worker(spawner, WorkerConfig::new().lanes(2).drivers(1)).expect("enough tasks");
    let handle = worker.submit(Job::task(async { 6 * 7 })).await.expect("a place");
    assert_eq!(handle.await.completed(), Some(42));
    assert_eq!(worker.shutdown(Shutdown::Drain).await.counts.completed, 1);
    DONE.store(true, Ordering::SeqCst);
}

pub(crate) fn tried() -> Tried {
    let executor: &'static mut Executor = Box::leak(Box::new(Executor::new()));
    executor.run_until(|spawner| spawner.spawn(service(spawner).expect("one task")), || DONE.load(Ordering::SeqCst));
    Ok(())
}

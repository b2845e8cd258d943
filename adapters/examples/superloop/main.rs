//! A service without an executor or an operating system: a plain loop over the steps of a worker, and a tick counter.
//!
//! ```sh
//! cargo run -p countermand --example superloop
//! ```
//!
//! All that a host has to be is in `host.rs`, for a board with a heap; the images of `conformance/firmware` run that very file on a Cortex-M3. Here
//! the board is a counter that goes on by a tick each time that there is nothing else to do, so that it prints the same every time. Without
//! a heap the loop is shorter still: see the README on `HeldWorker`.

#[expect(unreachable_pub, reason = "the images have the same file in their library, which hands it out")]
mod host;

use std::error::Error;
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use countermand::{Instant, Job, Outcome, Phase, Priority, Shutdown, Worker, WorkerConfig};

/// Milliseconds since it was switched on. In sixty-four bits, which do not wrap.
static TICKS: AtomicU64 = AtomicU64::new(0);
static RUNG: AtomicBool = AtomicBool::new(false);

fn millis() -> u64 {
    TICKS.load(Ordering::SeqCst)
}

/// On a board: the count of the tick's interrupts, `wfe` and `sev`.
struct Counter;

impl host::Board for Counter {
    fn now() -> Instant {
        Instant::from_nanos(millis() * 1_000_000)
    }

    fn sleep() {
        if !RUNG.swap(false, Ordering::SeqCst) {
            TICKS.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn ring() {
        RUNG.store(true, Ordering::SeqCst);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let config = WorkerConfig::new().name("board").lanes(3).drivers(1).capacity(8);
    let settled = host::run::<Counter, _>(config, |worker| async move { day(&worker).await })??;
    println!("{:>3} ms  {settled} jobs settled", millis());
    Ok(())
}

/// What the device has to do today.
async fn day(worker: &Worker) -> Result<u64, Box<dyn Error>> {
    let blink = Job::task_with(|context| async move {
        for state in ["on", "off", "on", "off"] {
            println!("{:>3} ms  the lamp is {state}", millis());
            context.sleep(Duration::from_millis(25)).await;
        }
    });
    let blink = worker.submit(blink).await?;
    let sensor = worker.submit(Job::task(pending::<u32>()).run_timeout(Duration::from_millis(40))).await?;
    let pump = worker.submit(Job::task(pending::<()>()).priority(Priority::High)).await?;

    if let Outcome::TimedOut { phase: Phase::Running, .. } = sensor.await {
        println!("{:>3} ms  the sensor does not answer: the pump stops", millis());
        pump.cancel();
    }
    if let Outcome::Cancelled { started: true, .. } = pump.await {
        println!("{:>3} ms  it has stopped", millis());
    }
    blink.await;
    Ok(worker.shutdown(Shutdown::Drain).await.counts.accepted)
}

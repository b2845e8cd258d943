//! Runs countermand's workers on plain threads, with no runtime at all: each driver has a thread, calls have a pool.
//!
//! ```
//! use std::time::Duration;
//!
//! use countermand_blocking::Blocking;
//! use countermand_core::{Job, Outcome, Shutdown, WorkerConfig};
//!
//! let worker = Blocking::new().start(WorkerConfig::new().lanes(8))?;
//! let answer = worker.submit_blocking(Job::task(async { 42 }))?;
//! let stuck = worker.submit_blocking(Job::task(std::future::pending::<()>()).run_timeout(Duration::from_millis(5)))?;
//! let call = worker.submit_blocking(Job::call(|_| std::fs::metadata("/").is_ok()))?;
//! assert_eq!(answer.wait()?.completed(), Some(42));
//! assert!(matches!(stuck.wait()?, Outcome::TimedOut { .. }));
//! assert_eq!(call.wait()?.completed(), Some(true));
//! let report = worker.shutdown_blocking(Shutdown::Drain)?;
//! assert_eq!(report.counts.accepted, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds on this host
//!
//! - **Threads**: a worker has one for each driver, named `worker-0` and so on after it, and one for its keeper. They end with the worker.
//!   Calls run on a pool that all workers of one [`Blocking`] share; its threads are started when they are needed and end when
//!   they were not for [a while](Builder::keep_alive), or when the last worker and the last [`Blocking`] are gone.
//! - **The way of a call** is from its submitter to the thread that runs it, and back, as long as one call comes after the other: a thread of the pool that has run a call gives the call's
//!   driver its next turn, and so the next call to itself. (So a task may be polled on a thread of the pool, and counts there as a call does.) Before a
//!   thread sleeps it looks for some twenty microseconds whether there is more to do, where there are two processors or more, and one thread of a host at a time.
//! - **Time** is the system's monotonic clock. All hosts on `std` share one origin, so a deadline made by a worker here means the same to
//!   a worker on another host.
//! - **Blocking waits** (`Handle::wait` and its like) work on every thread, in calls too, but on those of drivers and keepers, where jobs'
//!   destructors, observers and callbacks run; there they are refused with [`WouldDeadlock`](countermand_core::WouldDeadlock).
#![forbid(unsafe_code)]

mod alarm;
mod error;
mod host;
mod pool;
mod role;
mod seat;

pub use alarm::BlockingAlarm;
pub use error::StartError;
pub use host::{Blocking, Builder};

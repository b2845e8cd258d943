//! Runs countermand's workers on tokio: each driver is a task, calls run on the runtime's blocking threads.
//!
//! ```
//! use std::time::Duration;
//!
//! use countermand_core::{Job, Outcome, Shutdown, WorkerConfig};
//! use countermand_tokio::Tokio;
//!
//! # let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build()?;
//! # runtime.block_on(async {
//! let worker = Tokio::current()?.start(WorkerConfig::new().lanes(8))?;
//! let answer = worker.submit(Job::task(async { 42 })).await?;
//! let stuck = worker.submit(Job::task(std::future::pending::<()>()).run_timeout(Duration::from_millis(5))).await?;
//! let call = worker.submit(Job::call(|_| std::fs::metadata("/").is_ok())).await?;
//! assert_eq!(answer.await.completed(), Some(42));
//! assert!(matches!(stuck.await, Outcome::TimedOut { .. }));
//! assert_eq!(call.await.completed(), Some(true));
//! let report = worker.shutdown(Shutdown::Drain).await;
//! assert_eq!(report.counts.accepted, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds on this host
//!
//! - **Time** is tokio's. Under `tokio::time::pause` the worker's deadlines move with the paused clock. All hosts on `std` share one
//!   origin, so a deadline made by a worker here means the same to a worker on another host. Tokio's timer counts in
//!   milliseconds: a deadline takes effect up to one late, never early.
//! - **Blocking waits** (`Handle::wait` and its like) work outside of any runtime, in calls, and on the threads of a multi-thread runtime,
//!   where `block_in_place` hands the thread's other tasks on. Where tokio itself cannot let a thread block (on a current-thread
//!   runtime, in a `LocalSet`) they are refused with [`WouldDeadlock`](countermand_core::WouldDeadlock).
//! - **The runtime may go away** at any time: its drivers are dropped with it, and every job settles.
//!
//! # Features
//!
//! - `tokio-util`: the module `tokens`, which links cancellation tokens of `tokio_util` to countermand's, and the other way.
//! - `console`: `tokio-console` shows drivers and keepers under the names of their workers (`ingest/driver-0`, `ingest/keeper`), in a
//!   build with `--cfg tokio_unstable`.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod alarm;
mod attendant;
mod error;
mod host;
mod spawn;
#[cfg(feature = "tokio-util")]
pub mod tokens;

pub use alarm::TokioAlarm;
pub use error::{NoRuntime, StartError};
pub use host::Tokio;

//! Runs countermand's workers on smol: each driver is a task of an executor, calls run on the `blocking` pool.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use async_executor::Executor;
//! use countermand_core::{Job, Outcome, Shutdown, WorkerConfig};
//! use countermand_smol::Smol;
//!
//! # fn main() -> Result<(), String> {
//! let executor = Arc::new(Executor::new());
//! async_io::block_on(executor.run(async {
//!     let worker = Smol::on(&executor).start(WorkerConfig::new().lanes(8))?;
//!     let answer = worker.submit(Job::task(async { 42 })).await?;
//!     let stuck = worker.submit(Job::task(std::future::pending::<()>()).run_timeout(Duration::from_millis(5))).await?;
//!     let call = worker.submit(Job::call(|_| std::fs::metadata("/").is_ok())).await?;
//!     assert_eq!(answer.await.completed(), Some(42));
//!     assert!(matches!(stuck.await, Outcome::TimedOut { .. }));
//!     assert_eq!(call.await.completed(), Some(true));
//!     let report = worker.shutdown(Shutdown::Drain).await;
//!     assert_eq!(report.counts.accepted, 3);
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! }))
//! # .map_err(|error| error.to_string())
//! # }
//! ```
//!
//! # Which executor
//!
//! | | the drivers run on |
//! | --- | --- |
//! | [`Smol::on`], [`Smol::on_static`] | an executor of yours, on the threads on which you run it |
//! | [`Smol::with_threads`] | an executor and threads of their own, which end with the last worker |
//! | `Smol::global`, with the feature `global` | the executor of `smol::spawn` |
//!
//! # What holds on this host
//!
//! - **Time** is the system's monotonic clock, the timers are `async-io`'s. All hosts on `std` share one origin, so a deadline made by a
//!   worker here means the same to a worker on another host.
//! - **Blocking waits** (`Handle::wait` and its like) work on every thread. Where the executor may need the thread that waits, another one
//!   runs it in the meantime. Only on the threads of smol's global executor they are refused, with
//!   [`WouldDeadlock`](countermand_core::WouldDeadlock).
//! - **The executor may be dropped** at any time: the drivers are dropped with it, and every job settles. One that is kept and never
//!   run again only stands still. While somebody waits blockingly, it may take half a second until a drop is noticed.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod alarm;
mod error;
mod home;
mod host;
mod lease;
mod stand_in;
mod threads;

pub use alarm::SmolAlarm;
pub use error::StartError;
pub use host::Smol;

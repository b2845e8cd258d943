//! Runs countermand's workers on embassy: each driver is a task of an executor, on a microcontroller or on the development machine.
//!
//! Embassy's tasks are static, and cannot be generic. So [`tasks!`] declares them, as many as there may be drivers and keepers at a time, and with them
//! the function that starts a worker on them:
//!
//! ```
//! use core::time::Duration;
//! use std::sync::atomic::{AtomicBool, Ordering};
//!
//! use countermand_core::{Job, Outcome, Shutdown, WorkerConfig};
//! use embassy_executor::{Executor, Spawner};
//! use {critical_section as _, embassy_time as _}; // those of the development machine
//!
//! countermand_embassy::tasks! {
//!     /// Starts a worker of two drivers.
//!     fn start_worker = 3; // two drivers, and the keeper
//! }
//!
//! static DONE: AtomicBool = AtomicBool::new(false);
//!
//! #[embassy_executor::task]
//! async fn service(spawner: Spawner) {
//!     let worker = start_worker(spawner, WorkerConfig::new().lanes(4).drivers(2)).unwrap();
//!     let answer = worker.submit(Job::task(async { 42 })).await.unwrap();
//!     let stuck = Job::task(core::future::pending::<()>()).run_timeout(Duration::from_millis(5));
//!     let stuck = worker.submit(stuck).await.unwrap();
//!     assert_eq!(answer.await.completed(), Some(42));
//!     assert!(matches!(stuck.await, Outcome::TimedOut { .. }));
//!     let report = worker.shutdown(Shutdown::Drain).await;
//!     assert_eq!(report.counts.accepted, 2);
//!     DONE.store(true, Ordering::SeqCst);
//! }
//!
//! // On a microcontroller: `Executor::run`, in a `StaticCell`.
//! let executor: &'static mut Executor = Box::leak(Box::new(Executor::new()));
//! executor.run_until(|spawner| spawner.spawn(service(spawner).unwrap()), || DONE.load(Ordering::SeqCst));
//! ```
//!
//! Without a heap (`default-features = false`, which also does without compare-and-swap) a worker is a static of the core's, and its one driver a task like any other:
//!
//! ```
//! use core::time::Duration;
//! # use std::sync::atomic::{AtomicBool, Ordering};
//!
//! use countermand_core::{HeldJob, HeldWorker, Host, Outcome};
//! use countermand_embassy::Embassy;
//! use embassy_executor::{Executor, Spawner};
//! # use {critical_section as _, embassy_time as _};
//!
//! static WORKER: HeldWorker<2, 8, 64> = HeldWorker::new();
//! # static DONE: AtomicBool = AtomicBool::new(false);
//!
//! #[embassy_executor::task]
//! async fn driver() {
//!     if let Some(driver) = WORKER.attend() {
//!         driver.run(&Embassy::new()).await;
//!     }
//! }
//!
//! #[embassy_executor::task]
//! async fn service(spawner: Spawner) {
//!     spawner.spawn(driver().unwrap());
//!     let nap = HeldJob::task(WORKER.sleep(Duration::from_millis(5)));
//!     let nap = WORKER.submit(nap, Embassy::new().now()).expect("there is a slot");
//!     assert!(matches!(nap.await, Outcome::Completed(())));
//! #   DONE.store(true, Ordering::SeqCst);
//! }
//! # let executor: &'static mut Executor = Box::leak(Box::new(Executor::new()));
//! # executor.run_until(|spawner| spawner.spawn(service(spawner).unwrap()), || DONE.load(Ordering::SeqCst));
//! ```
//!
//! # What holds on this host
//!
//! - **A heap** is needed for workers that [`tasks!`] starts, and no `std`; compare-and-swap is, too, which thumbv6m lacks.
//! - **Time** is that of the time driver of `embassy-time`, and begins where that begins; a deadline takes effect up to one tick late, never early. Deadlines are
//!   not to be carried to workers on other hosts, whose clocks begin elsewhere.
//! - **Timers** of the time driver are set with the waker of the driver's own task, never with one of a job's, so embassy's default timer queue
//!   serves. It panics at wakers that are not embassy's: an attendant has to be polled by a task of embassy's, not through a combinator
//!   that wakes with wakers of its own. (With `generic-queue-N` of `embassy-time` that does not matter.) Jobs sleep on the clock of their own context.
//! - **Calls** (blocking closures) are refused: the host has no threads for them.
//! - **Blocking waits** (`Handle::wait` and its like) need `std`. They are refused, with [`WouldDeadlock`](countermand_core::WouldDeadlock), on the executor's
//!   thread, and on every one without this crate's feature `std`, which is on by default.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

// The tests' own time driver and critical sections.
#[cfg(test)]
use {critical_section as _, embassy_time as _};

mod alarm;
#[cfg(feature = "alloc")]
mod attendant;
#[cfg(feature = "alloc")]
mod error;
mod host;
#[cfg(feature = "alloc")]
mod tasks;
mod ticks;

// The macro names it.
#[doc(hidden)]
pub use embassy_executor;

pub use alarm::EmbassyAlarm;
#[cfg(feature = "alloc")]
pub use attendant::Attendant;
#[cfg(feature = "alloc")]
pub use error::StartError;
pub use host::Embassy;

/// What the macro names besides.
#[cfg(feature = "alloc")]
#[doc(hidden)]
pub mod __private {
    pub use countermand_core::{Worker, WorkerConfig};
}

//! Workers and queues by the traits of the crate `futures`.
//!
//! Libraries that ask for a [`Spawn`](futures_task::Spawn) have their tasks run as jobs:
//!
//! ```
//! use countermand_core::{Priority, WorkerConfig};
//! use countermand_futures::WorkerSpawner;
//! use countermand_sim::Sim;
//! use futures::task::SpawnExt as _;
//!
//! let sim = Sim::new(1);
//! let worker = sim.start(WorkerConfig::new().lanes(2))?;
//! let spawner = WorkerSpawner::new(worker.clone()).name("library").priority(Priority::Low);
//! let answer = spawner.spawn_with_handle(async { 6 * 7 })?;
//! assert_eq!(sim.block_on(answer), 42);
//! assert_eq!(worker.counts().accepted, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The queue between tasks is a pipe for streams: its [`Receiver`](countermand_core::priority_queue::Receiver) is a `Stream` already, a [`SenderSink`]
//! makes a `Sink` of its [`Sender`](countermand_core::priority_queue::Sender):
//!
//! ```
//! use countermand_core::Priority;
//! use countermand_core::priority_queue::bounded;
//! use countermand_futures::SenderSink;
//! use futures::{StreamExt as _, executor::block_on, join, stream};
//!
//! let (sender, receiver) = bounded(4);
//! let letters = SenderSink::new(sender.clone(), Priority::Low);
//! let calls = SenderSink::by(sender, |call: &&str| if *call == "fire" { Priority::Critical } else { Priority::Normal });
//! block_on(async {
//!     let letters = stream::iter(["a letter", "a parcel"]).map(Ok).forward(letters);
//!     let calls = stream::iter(["hello", "fire"]).map(Ok).forward(calls);
//!     let (letters, calls, served) = join!(letters, calls, receiver.collect::<Vec<_>>());
//!     assert!(letters.is_ok() && calls.is_ok());
//!     assert_eq!(served, ["fire", "hello", "a letter", "a parcel"]);
//! });
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod sink;
mod spawner;

pub use sink::SenderSink;
pub use spawner::WorkerSpawner;

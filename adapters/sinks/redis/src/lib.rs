//! Telemetry through Redis Streams: [`RedisSink`] brings packets into two streams, [`RedisConsumer`] takes them out, and neither loses one.
//!
//! ```no_run
//! use countermand_redis::{ConsumerConfig, RedisConfig, RedisConsumer, RedisSink};
//!
//! # async fn both() -> Result<(), countermand_redis::Fault> {
//! let config = RedisConfig::new("redis://127.0.0.1:6379").signing_key("correct-horse");
//! let sink = RedisSink::new(config.clone())?; // give it to an outlet of a router
//!
//! let mut consumer = RedisConsumer::new(ConsumerConfig::new(config, "archive", "archive-1"))?;
//! loop {
//!     let turn = consumer.turn(|entry| async move {
//!         println!("{} {:?}", entry.label.source, entry.payload);
//!         Ok(()) // only when it is as safe as it ever will be
//!     });
//!     if let Err(fault) = turn.await {
//!         eprintln!("{fault}"); // wait a little; then go on
//!     }
//! }
//! # }
//! ```
//!
//! # What holds
//!
//! - **At least once.** A packet is acknowledged when the server has answered with the entry that it made of it, and never else. One whose fate
//!   is unknown is sent again; the field `id` of both entries is the same, so whoever reads them can drop the second (E10).
//! - **In order** within a source and a priority, once repeated ids are dropped (E3). What an abandoned connection may still have had on its way
//!   is fenced off before anything is sent over its successor.
//! - **As durable as the server.** With `appendonly yes` and `appendfsync always` what was acknowledged survives the server's end; with the
//!   server's defaults it may lose its last second (E6).
//! - **Bounded.** Each delivery makes at most one attempt to connect. That takes [`RedisConfig::connect_timeout`] at the most, and each exchange
//!   after it [`RedisConfig::response_timeout`]: one when the connection is new, and one for each 512 packets or 8 MiB. With what is set by
//!   itself that is 25 s for a batch of an outlet, within the 30 s that a router gives it.
//!
//! # The entries
//!
//! | field | what it is |
//! | --- | --- |
//! | `id` | the packet's id, 32 hexadecimal digits; the same however often it is sent |
//! | `priority` | `LOW`, `NORMAL`, `HIGH` or `CRITICAL` |
//! | `level` | `INFO`, `WARNING`, `ERROR` or `CRITICAL` |
//! | `source` | who sent it |
//! | `subject` | what it is about; may be empty |
//! | `format` | `protobuf` or `json` |
//! | `body` | the packet, byte for byte as it came in |
//! | `attempts` | how often it was tried before |
//! | `repeats_count`, `repeats_first`, `repeats_last`, `repeats_highest` | only if it stands for several: how many, when the first and the last came (nanoseconds on the router's clock; since 1970 where `weatherlight` brings them), the highest level |
//! | `signature` | only if a key is set: see [`Signer`] |
//!
//! Packets of priority CRITICAL are in the emergency stream, all others in the normal one. Beside each there can be one more, whose name ends with
//! `.dead`, for what nobody could take; there each entry begins with `dead_reason` and other fields that begin with `dead_`.
//!
//! # Runtimes
//!
//! The features `tokio` and `smol` can both be on. A connection lives on the tokio runtime within which it is made, and elsewhere, if `smol` is
//! on, on smol's global executor. Without either there are only the words: configuration, entries, signatures.
//!
//! # What is not supported
//!
//! TLS (`rediss://`) and Redis Cluster, whose transactions cannot span two streams. Servers before 6.2 lack `XAUTOCLAIM`; before 7.0 they do not
//! say how far a group is behind, which then is counted.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(any(feature = "tokio", feature = "smol")),
    allow(dead_code, reason = "without a runtime there are no connections, and nobody who uses the words of one")
)]

#[cfg(any(feature = "tokio", feature = "smol"))]
mod backlog;
mod config;
#[cfg(any(feature = "tokio", feature = "smol"))]
mod consumer;
mod consumer_config;
#[cfg(any(feature = "tokio", feature = "smol"))]
mod desk;
mod entry;
mod entry_id;
mod fault;
mod fields;
#[cfg(any(feature = "tokio", feature = "smol"))]
mod group;
#[cfg(any(feature = "tokio", feature = "smol"))]
mod link;
#[cfg(any(feature = "tokio", feature = "smol"))]
mod reply;
mod signature;
#[cfg(any(feature = "tokio", feature = "smol"))]
mod sink;
#[cfg(any(feature = "tokio", feature = "smol"))]
mod trim;
#[cfg(any(feature = "tokio", feature = "smol"))]
mod turn;

#[cfg(any(feature = "tokio", feature = "smol"))]
pub use backlog::Backlog;
pub use config::RedisConfig;
#[cfg(any(feature = "tokio", feature = "smol"))]
pub use consumer::RedisConsumer;
pub use consumer_config::ConsumerConfig;
pub use entry::{Entry, Malformed};
pub use entry_id::{EntryId, NotAnEntryId};
pub use fault::Fault;
pub use signature::Signer;
#[cfg(any(feature = "tokio", feature = "smol"))]
pub use sink::RedisSink;
#[cfg(any(feature = "tokio", feature = "smol"))]
pub use turn::Turn;

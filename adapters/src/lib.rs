//! Bounded, prioritised, cancellable jobs that keep the same promises on every host.
//!
//! New here? The [book](docs) has short chapters on what cancelling means, on time-outs, priorities, shutdown, tests, and on moving from elsewhere.
//!
//! This crate is the core, [`countermand_core`], and the hosts under their features:
//!
//! | feature | host | where its jobs run |
//! | --- | --- | --- |
//! | `runtime-tokio` | `Tokio` | tasks and the blocking pool of a tokio runtime, multi-thread or current-thread |
//! | `runtime-smol` | `Smol` | smol's executor and timers |
//! | `runtime-blocking` | `Blocking` | threads, with no runtime at all |
//! | `runtime-embassy` | `Embassy` | tasks of an executor of embassy's, on a microcontroller with a heap or on the development machine |
//! | `sim` | `Sim` | virtual time and a seeded schedule, for tests |
//!
//! The feature `config` adds the loader of the configuration to [`config`], where its types are. Telemetry is routed by [`Router`]; where it goes is behind features
//! of its own, in [`sinks`]:
//!
//! | feature | sink | where telemetry goes |
//! | --- | --- | --- |
//! | `sink-journal` | `sinks::journal` | a durable file of its own |
//! | `sink-redis` | `sinks::redis` | Redis Streams, on tokio or smol, whichever feature is on |
//! | `sink-tracing` | `sinks::tracing` | the `tracing` subscriber of the process, with the jobs of workers as spans; and the other way |
//! | `sink-metrics` | `sinks::metrics` | Prometheus and OTLP: the figures of workers and routers |
//!
//! The feature `wire` adds `wire`, which reads and writes packets as they are on the wire.
//!
//! Those who come from elsewhere find a bridge in [`bridges`]:
//!
//! | feature | bridge | between |
//! | --- | --- | --- |
//! | `bridge-tokio-util` | `bridges::tokio_util` | tokens and `tokio_util::sync::CancellationToken`, both ways |
//! | `bridge-tower` | `bridges::tower` | a `tower` service and a worker: each request is a job |
//! | `bridge-futures` | `bridges::futures` | `futures::task::Spawn` and a worker, `Sink` and a queue |
//!
//! Beneath all of them are those of the core: `std` (default: contained panics, waiting without a runtime), `alloc` (tokens, jobs, queue and worker without `std`),
//! `critical-section` (targets without compare-and-swap), `serde` and `defmt` (values read, written and printed).
//!
//! No feature excludes another. A host whose feature is off cannot be named:
#![cfg_attr(feature = "runtime-tokio", doc = "```\n# #[expect(unused_imports)]\nuse countermand::Tokio;\n```")]
#![cfg_attr(not(feature = "runtime-tokio"), doc = "```compile_fail,E0432\nuse countermand::Tokio;\n```")]
#![cfg_attr(feature = "runtime-smol", doc = "```\n# #[expect(unused_imports)]\nuse countermand::Smol;\n```")]
#![cfg_attr(not(feature = "runtime-smol"), doc = "```compile_fail,E0432\nuse countermand::Smol;\n```")]
#![cfg_attr(feature = "runtime-blocking", doc = "```\n# #[expect(unused_imports)]\nuse countermand::Blocking;\n```")]
#![cfg_attr(not(feature = "runtime-blocking"), doc = "```compile_fail,E0432\nuse countermand::Blocking;\n```")]
#![cfg_attr(feature = "runtime-embassy", doc = "```\n# #[expect(unused_imports)]\nuse countermand::Embassy;\n```")]
#![cfg_attr(not(feature = "runtime-embassy"), doc = "```compile_fail,E0432\nuse countermand::Embassy;\n```")]
#![cfg_attr(feature = "sim", doc = "```\n# #[expect(unused_imports)]\nuse countermand::Sim;\n```")]
#![cfg_attr(not(feature = "sim"), doc = "```compile_fail,E0432\nuse countermand::Sim;\n```")]
#![no_std]
#![forbid(unsafe_code)]
// What is shown compiles without a warning, as whoever copies it expects.
#![doc(test(attr(deny(warnings))))]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod docs;

pub use countermand_core::*;

/// The configuration: its types and, with the feature `config`, what loads them.
#[cfg_attr(
    feature = "config",
    doc = r#"```
use countermand::WorkerConfig;
use countermand::config::{Environment, Format, Loader};
let loaded = Loader::new().text("service.toml", Format::Toml, "worker.lanes = 8").environment(Environment::empty()).load()?;
assert!(WorkerConfig::from(&loaded.config().for_subsystem("tolaria").worker).check().is_ok());
# Ok::<(), countermand::config::LoadError>(())
```"#
)]
pub mod config {
    #[cfg(feature = "config")]
    #[doc(no_inline)]
    pub use countermand_config::*;
    #[doc(no_inline)]
    pub use countermand_core::config::*;
}

/// Each host's package whole, under its short name: what else it offers besides the host itself.
pub mod hosts {
    #[cfg(feature = "runtime-blocking")]
    pub use countermand_blocking as blocking;
    #[cfg(feature = "runtime-embassy")]
    pub use countermand_embassy as embassy;
    #[cfg(feature = "sim")]
    pub use countermand_sim as sim;
    #[cfg(feature = "runtime-smol")]
    pub use countermand_smol as smol;
    #[cfg(feature = "runtime-tokio")]
    pub use countermand_tokio as tokio;
}

/// Where telemetry goes: each sink's package whole, under its short name.
pub mod sinks {
    #[cfg(feature = "sink-journal")]
    pub use countermand_journal as journal;
    #[cfg(feature = "sink-metrics")]
    pub use countermand_metrics as metrics;
    #[cfg(feature = "sink-redis")]
    pub use countermand_redis as redis;
    #[cfg(feature = "sink-tracing")]
    pub use countermand_tracing as tracing;
}

/// What other libraries have of the same kind, linked to what is here.
pub mod bridges {
    #[cfg(feature = "bridge-futures")]
    pub use countermand_futures as futures;
    #[cfg(feature = "bridge-tokio-util")]
    pub use countermand_tokio::tokens as tokio_util;
    #[cfg(feature = "bridge-tower")]
    pub use countermand_tower as tower;
}

#[cfg(feature = "wire")]
pub use countermand_wire as wire;

#[cfg(feature = "runtime-blocking")]
#[doc(no_inline)]
pub use countermand_blocking::Blocking;
#[cfg(feature = "runtime-embassy")]
#[doc(no_inline)]
pub use countermand_embassy::Embassy;
#[cfg(feature = "sim")]
#[doc(no_inline)]
pub use countermand_sim::Sim;
#[cfg(feature = "runtime-smol")]
#[doc(no_inline)]
pub use countermand_smol::Smol;
#[cfg(feature = "runtime-tokio")]
#[doc(no_inline)]
pub use countermand_tokio::Tokio;

/// The README's programs, compiled and run with the documentation's tests.
#[cfg(all(
    doctest,
    feature = "runtime-tokio",
    feature = "runtime-smol",
    feature = "runtime-blocking",
    feature = "runtime-embassy",
    feature = "sim",
    feature = "sink-journal"
))]
#[doc = include_str!("../../README.md")]
struct Readme;

//! The figures of workers and telemetry routers, for those who watch: as Prometheus text, and through OTLP with the feature `otlp`.
//!
//! ```
//! use std::sync::Arc;
//!
//! use countermand_core::Metrics;
//! use countermand_metrics::{Board, CONTENT_TYPE};
//!
//! let jobs = Arc::new(Metrics::new()); // `WorkerConfig::observer` takes it too
//! let board = Board::new().with(jobs);
//! let text = board.read().prometheus();
//! assert!(text.contains("countermand_jobs_submitted_total{priority=\"HIGH\"} 0\n"));
//! assert!(CONTENT_TYPE.starts_with("application/openmetrics-text"));
//! ```
//!
//! All series are in one table: [`series`]. Names are `countermand.…`, units are UCUM's, durations are in seconds, and the reasons for
//! which something is dropped are OpenTelemetry's words. In Prometheus text the dots are `_`, `s` is `_seconds` at the end of the name, and
//! counters end with `_total`.
//!
//! Whoever has [`Figures`] can be on a [`Board`]: the worker's [`Metrics`](countermand_core::Metrics) and its
//! [`Counts`](countermand_core::Counts), a [`Router`](countermand_core::Router) or its bare [`Ledger`](countermand_core::Ledger), and
//! every closure that fills a [`Reading`].
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod board;
mod buckets;
mod figures;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg(feature = "otlp")]
mod otlp_message;
mod prometheus;
mod reading;
mod router;
pub mod series;
mod worker;

pub use board::Board;
pub use figures::Figures;
#[cfg(feature = "otlp")]
pub use otlp::{Otlp, OtlpError};
pub use prometheus::CONTENT_TYPE;
pub use reading::Reading;
pub use series::{Kind, Series};

//! Telemetry of countermand out of `tracing` and into it.
//!
//! [`TelemetryLayer`] turns the events and spans of a program into packets and offers them to whoever routes them. [`TracingSink`] is
//! the other way: it shows packets as events, for those who read a log.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use countermand_core::{Label, Payload, Priority, SubsystemId};
//! use countermand_tracing::TelemetryLayer;
//! use tracing_subscriber::layer::SubscriberExt as _;
//!
//! let sent = Arc::new(Mutex::new(Vec::new()));
//! let outgoing = { let sent = sent.clone(); move |label: Label, _: Payload| { sent.lock().unwrap().push(label); true } };
//! let layer = TelemetryLayer::new("mill".parse::<SubsystemId>()?, outgoing);
//! tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
//!     tracing::warn!(turns = 7, "slow");
//!     tracing::error!(priority = "critical", "on fire");
//! });
//! let sent = sent.lock().unwrap();
//! assert_eq!((sent[0].subject.as_str(), sent[0].priority), ("slow", Priority::High));
//! assert_eq!((sent[1].subject.as_str(), sent[1].priority), ("on fire", Priority::Critical));
//! # Ok::<(), countermand_core::IdError>(())
//! ```
//!
//! [`JobSpans`] shows the jobs of a worker as spans, with outcome and cause.
//!
//! With a router, the closure is `move |label, payload| router.post(clock.now(), label, payload).is_ok()`.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod fields;
mod jobs;
mod layer;
mod open;
mod outgoing;
mod quiet;
mod sink;
mod tally;

pub use jobs::{JOBS, JobSpans};
pub use layer::TelemetryLayer;
pub use outgoing::Outgoing;
pub use quiet::quiet;
pub use sink::{TARGET, TracingSink};
pub use tally::{Figures, Tally};

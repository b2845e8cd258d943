//! The supervisor `weatherlight`: takes telemetry packets in, routes them by priority, keeps them durably.
//!
//! It is a program; this library is what the program consists of. [`run`] is all of it, for whoever has it as a part of another
//! program. How to talk to one that runs, from whatever can write a line of JSON, stands in [`protocol`].
//!
//! ```text
//!  standard input ─┐                 ┌─ CRITICAL ─► journal, emergency stream ─┐
//!  Unix socket ────┼─► reception ─► router ─ the rest ─► journal, normal stream ─┼─► sinks, each where it was
//!  TCP, secret ────┘       ▲         └─ no packets ─► journal, dead letters      │
//!                          └──── an answer for each packet, once it is durable ──┘
//! ```
#![forbid(unsafe_code)]

mod alarms;
mod args;
mod ask;
mod body;
mod commands;
mod ended;
mod feed;
mod figures;
mod house;
mod intake;
mod preflight;
mod program;
pub mod protocol;
mod recording;
mod reports;
mod routing;
mod scribe;
mod service;
mod setup;
mod sift;
mod stop;
mod store;
mod supervise;
mod tally;
mod tuned;
mod voice;
mod web;

pub use program::run;

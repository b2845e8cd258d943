//! The supervisor `weatherlight`: takes telemetry packets in, routes them by priority, keeps them durably.
//!
//! It is a program; this library is what the program consists of. [`run`] is all of it, for whoever has it as a part of another
//! program. How to talk to one that runs, from whatever can write a line of JSON, stands in [`protocol`].
//!
//! ```text
//!  standard input ─┐                 ┌─ CRITICAL ─► journal, emergency stream ─┐
//!  Unix socket ────┼─► reception ─► router ─ the rest ─► journal, normal stream ─┼─► feeds: a router for each sink, which is where it was
//!  TCP, secret ────┘       ▲         └─ no packets ─► journal, dead letters      │
//!                          └──── an answer for each packet, once it is durable ──┘
//! ```
//!
//! SIGTERM and SIGINT end it. SIGHUP has it load its configuration again: rates, limits of senders and the level of the log change at once;
//! what cannot change before the next start is named in an event, and what cannot be at all leaves everything as it was.
#![forbid(unsafe_code)]

mod alarms;
mod apart;
mod args;
mod ask;
mod body;
mod commands;
mod configured;
mod ended;
mod feed;
mod figures;
mod house;
mod intake;
mod lines;
mod preflight;
mod program;
mod progress;
pub mod protocol;
mod recording;
mod reload;
mod reports;
mod routing;
mod scribe;
mod service;
mod setup;
mod sift;
mod signals;
mod standing;
mod status;
mod stop;
mod store;
mod subscriber;
mod supervise;
mod tally;
mod tuned;
mod voice;
mod web;

pub use program::run;

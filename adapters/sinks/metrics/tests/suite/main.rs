//! The figures of a worker and of a router that have done something, as text and through OTLP, each held against what the core says itself.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod collector;
mod otlp;
mod scene;
mod text;

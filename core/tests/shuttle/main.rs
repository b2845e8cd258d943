//! Scenarios of a whole worker under random schedules and under PCT's, which has few pre-emptions in the worst places:
//!
//! ```text
//! RUSTFLAGS="--cfg countermand_shuttle" cargo test -p countermand-core --release --test shuttle -- --nocapture --test-threads 1
//! ```
//!
//! Each ends in the same order: everything finishes by itself (L6), the worker's books are compared with what was seen outside, then it is shut down,
//! and at the end nothing of it is there any more. Memory is sequentially consistent here: the orderings are loom's to try.
//!
//! `COUNTERMAND_SCHEDULES` is how many schedules each scenario is given, of both kinds together.
#![cfg(countermand_shuttle)]

mod explore;
mod jobs;
mod queues;
mod telemetry;
mod world;

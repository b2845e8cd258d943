//! A configuration is loaded again while jobs of a worker read it, under random schedules and under PCT's:
//!
//! ```text
//! RUSTFLAGS="--cfg countermand_shuttle" cargo test -p countermand-config --release --test shuttle -- --nocapture --test-threads 1
//! ```
//!
//! What runs a scenario, and the worker among scheduled threads, are those of the core's scenarios. `arc-swap` is not scheduled: each of its accesses is one step.
#![cfg(countermand_shuttle)]
#![allow(dead_code, reason = "the core's scenarios use the rest")]

#[path = "../../../../core/tests/shuttle/explore.rs"]
mod explore;
mod reload;
#[path = "../../../../core/tests/shuttle/world.rs"]
mod world;

//! What passes memory from one thread to another without a lock, or lies where its type does not say, under many threads at once: so many rounds, however fast the machine
//! is. Here each round must come out right; under AddressSanitizer, LeakSanitizer and ThreadSanitizer (`.ci/explore.sh addresses`, `threads`) it must do so with nothing touched that has gone.
//!
//! `tests/unsafe_files.rs` says which of these tests, and which model, each file with unsafe code has.
#![cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle))))]

#[path = "../common/mod.rs"]
mod common;

mod calls;
mod crew;
mod held;
mod jobs;
mod tokens;
mod told;

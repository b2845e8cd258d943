//! Any bytes as a script of a worker, its queue and its jobs: it does what a plain model says. The core's test `job_script` draws such scripts at random.
//!
//! In `core`: `cargo +nightly fuzz run -s none jobs -- -runs=1000000 -max_len=400 -timeout=5`; without `-s none` under AddressSanitizer too, as there is unsafe code here.
#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "../../tests/scripts/jobs/mod.rs"]
mod script;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| script::play(bytes.as_chunks().0));

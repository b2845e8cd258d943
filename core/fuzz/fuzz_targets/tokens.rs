//! Any bytes as a script of tokens: a forest of them does what a plain model says. The core's test `token_script` draws such scripts at random.
//!
//! In `core`: `cargo +nightly fuzz run -s none tokens -- -runs=1000000 -max_len=800 -timeout=5`; without `-s none` under AddressSanitizer too, as there is unsafe code here.
#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "../../tests/scripts/tokens/mod.rs"]
mod script;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| script::play(bytes.as_chunks().0));

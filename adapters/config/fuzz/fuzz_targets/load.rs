//! Any bytes as TOML, as JSON, as variables and as a flag: an answer, and in it no secret.
//!
//! In `adapters/config`: `cargo +nightly fuzz run -s none load -- -runs=1000000 -max_len=2048 -timeout=5`; with `-s none` it
//! is several times as fast, and there is no unsafe code here for a sanitizer to look at.
#![no_main]

use countermand_config::{Environment, Format, Limits, Listing, Loader};
use libfuzzer_sys::fuzz_target;

/// A secret that comes with every input, in a layer of its own.
const SECRET: &str = "zq7-xk3-9vw";

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, rest)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let loader = match choice % 4 {
        0 => Loader::new().text("input.toml", Format::Toml, text.as_ref()),
        1 => Loader::new().text("input.json", Format::Json, text.as_ref()),
        2 => Loader::new().environment(Environment::from_text("input.env", &text)),
        _ => {
            let (key, value) = text.split_once('=').unwrap_or((&text, ""));
            Loader::new().flag(key, value)
        }
    };
    // Drawing and listing take many times as long as loading: one input in eight is looked at so closely.
    let closely = choice & 0b1_1100 == 0;
    let mut limits = Limits::default();
    limits.problems = 3;
    let shown = match loader.limits(limits).flag("telemetry.signing_key", SECRET).load() {
        Ok(loaded) => {
            loaded.config().check().expect("what is loaded is valid");
            if !closely {
                return;
            }
            // What is shown of it, with its secrets, can be loaded again.
            let mut listing = Listing::new();
            let shown = listing.text(&loaded, Format::Toml);
            listing.reveal_secrets = true;
            let all = listing.text(&loaded, Format::Toml);
            let again = Loader::new().text("again.toml", Format::Toml, all).load().expect("a listing can be loaded");
            assert_eq!(again.values().len(), loaded.values().len());
            format!("{shown}{loaded:?}")
        }
        Err(error) => {
            assert!(!error.problems().is_empty());
            if closely { format!("{error}{error:?}") } else { format!("{error:?}") }
        }
    };
    assert!(!shown.contains(SECRET) || text.contains(SECRET), "a secret is shown");
});

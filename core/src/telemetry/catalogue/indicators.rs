//! The indicators of health that this house writes.

use super::Indicator;
use crate::Priority;

macro_rules! indicators {
    ($($(#[doc = $doc:literal])+ $constant:ident = $name:expr;)+) => {
        /// Every indicator of the catalogue.
        pub const INDICATORS: &[Indicator] = &[$(
            Indicator { name: $constant, doc: concat!($($doc),+).trim_ascii() },
        )+];

        $($(#[doc = $doc])+ pub const $constant: &str = $name;)+
    };
}

indicators! {
    /// How urgent the packet is: a priority's name behind `MESSAGE_PRIORITY_`.
    PRIORITY = super::super::Urgency::INDICATOR;
    /// The fraction of the least covered item of a coverage map, from 0 to 1.
    COVERAGE_LEAST = "coverage.least";
    /// The types of a coverage map, each once, with commas between them.
    COVERAGE_TYPES = "coverage.types";
    /// The dependencies that run on a fallback, as `dependency=fallback`, with commas between them.
    FALLBACKS = "fallbacks";
    /// The outcome of the last command that was verified: `accepted`, or the reason of its rejection.
    LAST_COMMAND = "command_verifier.last";
}

/// How the indicator [`PRIORITY`] spells this priority.
#[must_use]
pub const fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "MESSAGE_PRIORITY_LOW",
        Priority::Normal => "MESSAGE_PRIORITY_NORMAL",
        Priority::High => "MESSAGE_PRIORITY_HIGH",
        Priority::Critical => "MESSAGE_PRIORITY_CRITICAL",
    }
}

//! The metrics of the catalogue.

use super::rejection::Rejection;
use super::table::figures;
use crate::Priority;

figures! {
    /// Commands that a verifier let through.
    CommandsAccepted = "command_verifier.accepted_total", Counter, "{command}" {}
    /// Commands that a verifier did not let through.
    CommandsRejected = "command_verifier.rejections_total", Counter, "{command}" {
        /// Why.
        reason: (one of Rejection);
    }
    /// How long it took to verify a command.
    CommandValidation = "command_verifier.validation_latency", Measurement, "s" {}
    /// How many prefetches have been asked for and not answered.
    PrefetchInFlight = "prefetch.in_flight", Gauge, "{request}" {}
    /// How long it took until a prefetch was ready or had failed.
    PrefetchLatency = "prefetch.latency", Measurement, "s" {}
    /// How many nonces a ledger remembers.
    NonceLedgerSize = "nonce_ledger.size", Gauge, "{nonce}" {}
    /// Nonces that a ledger forgot before their time.
    NonceLedgerEvictions = "nonce_ledger.evictions_total", Counter, "{nonce}" {}
    /// How long a ledger remembers a nonce.
    NonceLedgerTtl = "nonce_ledger.ttl", Gauge, "s" {}
    /// The share of the new in a blend, from 0 to 1.
    BlendAlpha = "blend.alpha", Gauge, "1" {
        /// How it is blended.
        mode: (text);
    }
    /// How far the confidence gate of a blend is open, from 0 to 1.
    BlendConfidenceGate = "blend.confidence_gate", Gauge, "1" {
        /// How it is blended.
        mode: (text);
    }
    /// How much of an item is covered, from 0 to 1.
    CoverageFraction = "coverage.fraction", Gauge, "1" {
        /// What is covered.
        item: (text);
        /// By what type.
        by: (text);
    }
    /// How many parts of an item are covered.
    CoverageCovered = "coverage.covered", Gauge, "{part}" {
        /// What is covered.
        item: (text);
        /// By what type.
        by: (text);
    }
    /// How many parts an item has.
    CoverageExpected = "coverage.expected", Gauge, "{part}" {
        /// What is covered.
        item: (text);
        /// By what type.
        by: (text);
    }
    /// 1 for each dependency that runs on a fallback.
    FallbackActive = "fallback.active", Gauge, "1" {
        /// Which dependency.
        dependency: (text);
        /// What it fell back to.
        fallback: (text);
    }
    /// Packets that a router shed.
    TelemetryShedTotal = "telemetry.shed_total", Counter, "{packet}" {
        /// How urgent they were.
        priority: (one of Priority);
        /// Who had sent them.
        source: (text);
    }
}

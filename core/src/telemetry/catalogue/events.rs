//! The events of the catalogue.

use super::rejection::Rejection;
use super::table::events;
use crate::Priority;

events! {
    /// A job ended with its value (E7).
    JobCompleted = "job.completed", Info {
        /// What the job is called; may be empty.
        job: (text);
        /// Its number within its worker.
        id: (count);
        /// How urgent it was.
        priority: (one of Priority);
        /// How long it was in the queue.
        queued: (seconds), "s";
        /// How long it ran.
        running: (seconds), "s";
        /// How often it was polled.
        polls: (count), "{poll}";
        /// Whether its time was out when it ended (J9).
        late: (flag);
    }
    /// A job ended with an error of its own (E7).
    JobFailed = "job.failed", Error {
        /// What the job is called; may be empty.
        job: (text);
        /// Its number within its worker.
        id: (count);
        /// How urgent it was.
        priority: (one of Priority);
        /// How long it was in the queue.
        queued: (seconds), "s";
        /// How long it ran.
        running: (seconds), "s";
        /// How often it was polled.
        polls: (count), "{poll}";
        /// Whether its time was out when it ended (J9).
        late: (flag);
    }
    /// A job was cancelled (E7).
    JobCancelled = "job.cancelled", Warning {
        /// What the job is called; may be empty.
        job: (text);
        /// Its number within its worker.
        id: (count);
        /// How urgent it was.
        priority: (one of Priority);
        /// Why it was cancelled.
        cause: (text);
        /// Whether it had been started.
        started: (flag);
        /// How long it was in the queue.
        queued: (seconds), "s";
        /// How long it ran.
        running: (seconds), "s";
    }
    /// A job's time was out (E7).
    JobTimedOut = "job.timed_out", Error {
        /// What the job is called; may be empty.
        job: (text);
        /// Its number within its worker.
        id: (count);
        /// How urgent it was.
        priority: (one of Priority);
        /// Whether it had been started.
        started: (flag);
        /// Whether it returned a value all the same, too late (J9).
        late: (flag);
        /// How long it was in the queue.
        queued: (seconds), "s";
        /// How long it ran.
        running: (seconds), "s";
    }
    /// A job, or a destructor of what it captured, panicked (E7).
    JobPanicked = "job.panicked", Critical {
        /// What the job is called; may be empty.
        job: (text);
        /// Its number within its worker.
        id: (count);
        /// How urgent it was.
        priority: (one of Priority);
        /// How long it was in the queue.
        queued: (seconds), "s";
        /// How long it ran.
        running: (seconds), "s";
        /// How often it was polled.
        polls: (count), "{poll}";
    }
    /// A blocking call went on past its limits, and was left to itself: it still holds a thread (E7).
    JobAbandoned = "job.abandoned", Critical {
        /// What the job is called; may be empty.
        job: (text);
        /// Its number within its worker.
        id: (count);
        /// How urgent it was.
        priority: (one of Priority);
        /// How long it was in the queue.
        queued: (seconds), "s";
        /// How long it ran until it was left.
        running: (seconds), "s";
    }
    /// A gate did not let something pass.
    GateFailure = "gate_failure", Error {
        /// Which gate.
        gate: (text);
        /// What did not pass.
        subject: (text);
        /// Why.
        reason: (text);
    }
    /// How something new is blended in now.
    BlendState = "blend.state", Info {
        /// What is blended in.
        subject: (text);
        /// How it is blended.
        mode: (text);
        /// The share of the new, from 0 to 1.
        alpha: (number), "1";
        /// How far the confidence gate is open, from 0 to 1.
        confidence_gate: (number), "1";
    }
    /// A blend by confidence had no logits to tell confidence from, so its gate is not used.
    ConfidenceGateMissingLogits = "confidence_gate_missing_logits", Error {
        /// What is blended in.
        subject: (text);
        /// What is missing.
        reason: (text);
    }
    /// A verifier let a command through.
    CommandAccepted = "command_accepted", Info {
        /// Which command.
        command: (text);
        /// Its nonce.
        nonce: (text);
        /// How long it took to verify it.
        latency: (seconds), "s";
    }
    /// A verifier did not let a command through.
    CommandRejected = "command_rejected", Error or Critical by reason {
        /// Which command.
        command: (text);
        /// Why.
        reason: (one of Rejection);
        /// Its nonce; may be empty.
        nonce: (text);
        /// How long it took to verify it.
        latency: (seconds), "s";
    }
    /// A prefetch was asked for.
    PrefetchRequested = "prefetch_requested", Info {
        /// Which request.
        request: (text);
        /// How many are on their way, with this one.
        in_flight: (count), "{request}";
    }
    /// What a prefetch asked for is there.
    PrefetchReady = "prefetch_ready", Info {
        /// Which request.
        request: (text);
        /// How many are still on their way.
        in_flight: (count), "{request}";
        /// How long it took.
        latency: (seconds), "s";
    }
    /// What a prefetch asked for cannot be had.
    PrefetchError = "prefetch_error", Error {
        /// Which request.
        request: (text);
        /// Why.
        reason: (text);
        /// How many are still on their way.
        in_flight: (count), "{request}";
        /// How long it took.
        latency: (seconds), "s";
    }
    /// A prefetch was cancelled.
    PrefetchCanceled = "prefetch_canceled", Warning {
        /// Which request.
        request: (text);
        /// Why.
        reason: (text);
        /// How many are still on their way.
        in_flight: (count), "{request}";
        /// How long it was on its way.
        latency: (seconds), "s";
    }
    /// A prefetch was not answered in time.
    PrefetchTimeout = "prefetch_timeout", Critical {
        /// Which request.
        request: (text);
        /// How many are still on their way.
        in_flight: (count), "{request}";
        /// How long it was on its way.
        latency: (seconds), "s";
    }
    /// A ledger of nonces was full and forgot some before their time: a command with one of these can be replayed.
    NonceLedgerTruncated = "nonce_ledger_truncated", Warning {
        /// How many nonces it remembers now.
        size: (count), "{nonce}";
        /// How many it has forgotten before their time.
        evictions: (count), "{nonce}";
        /// How long it remembers a nonce otherwise.
        ttl: (seconds), "s";
    }
    /// A dependency is not met (G2).
    DependencyViolation = "dependency_guard.violation", Critical {
        /// The kind of the dependency.
        dependency: (text);
        /// Which thing of its kind; may be empty.
        identifier: (text);
        /// Why it is not met.
        reason: (text);
        /// More about it; may be empty.
        details: (text);
    }
    /// An allowed fallback was used instead of a dependency (G3).
    DependencyFallback = "dependency_guard.fallback", Warning {
        /// The kind of the dependency.
        dependency: (text);
        /// Which fallback.
        identifier: (text);
        /// Why it is allowed.
        reason: (text);
        /// What it is used for.
        details: (text);
        /// How often it was used, with this time.
        uses: (count), "{use}";
    }
    /// A router shed packets (E5).
    TelemetryShed = "telemetry.shed", Warning {
        /// Who had sent them; `(others)` is all beyond the number of sources that are told one by one.
        source: (text);
        /// How many of priority LOW, since the router was made.
        low: (count), "{packet}";
        /// How many of priority NORMAL.
        normal: (count), "{packet}";
        /// How many of priority HIGH.
        high: (count), "{packet}";
    }
    /// A packet came in a form that is still understood and will not always be.
    TelemetrySchemaLegacyUsed = "telemetry.schema.legacy_used", Warning {
        /// Who sent it.
        source: (text);
        /// What in it is of the old form.
        feature: (text);
    }
    /// A packet's indicator names no priority; its level has decided (E1).
    TelemetryPriorityUnknown = "telemetry.priority_unknown", Warning {
        /// Who sent it.
        source: (text);
        /// How many such packets of this source there were, since the router was made.
        count: (count), "{packet}";
    }
    /// A sink refused everything so often in a row that it is let alone for a while (E9, E10).
    TelemetrySinkFailed = "telemetry.sink_failed", Error {
        /// The outlet that serves it.
        sink: (text);
        /// How often that has happened, with this time.
        count: (count), "{failure}";
    }
    /// A sink broke its contract: it panicked, took too long, lost its batch, or answered what was not asked (E9).
    TelemetrySinkMisbehaved = "telemetry.sink_misbehaved", Error {
        /// The outlet that serves it.
        sink: (text);
        /// How often that has happened, with this time.
        count: (count), "{fault}";
    }
}

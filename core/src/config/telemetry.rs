//! Where telemetry goes, how much of it, and for how long.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Display;

use crate::config::Secret;
use crate::config::section::section;
use crate::config::words::words;

/// From which level on the service writes its own log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the levels of Python's logging, which the settings are shared with")]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What happens.
    #[default]
    Info,
    /// What may become a fault.
    Warning,
    /// What failed.
    Error,
    /// What needs somebody now.
    Critical,
}

words!(LogLevel { Debug = "debug", Info = "info", Warning = "warning", Error = "error", Critical = "critical" });

/// A kind of place where telemetry goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SinkName {
    /// The embedded durable journal.
    Journal,
    /// Redis Streams.
    Redis,
    /// The `tracing` subscriber of the process.
    Tracing,
    /// Figures: for scraping, and for a collector.
    Metrics,
}

words!(SinkName { Journal = "journal", Redis = "redis", Tracing = "tracing", Metrics = "metrics" });

section! {
    /// Where telemetry goes: section `telemetry`.
    TelemetrySettings / TelemetryOverrides {
        /// The stream of ordinary packets and of those of priority HIGH.
        normal_stream: String = String::from("oona.normal"), (text STREAM);
        /// The stream of packets of priority CRITICAL.
        emergency_stream: String = String::from("oona.emergency"), (text STREAM);
        /// The stream in which the telemetry system reports on itself.
        telemetry_stream: String = String::from("oona.telemetry"), (text STREAM);
        /// At how many packets that wait in the normal stream the emergency stream takes over what is HIGH. 0: never.
        emergency_threshold: u64 = 0, (0..=1_000_000_000), "packets";
        /// How many packets a minute the emergency stream carries one by one; above that repeats are told together, and none is lost.
        /// 0: without limit.
        emergency_max_per_minute: u32 = 600, (0..=1_000_000), "packets a minute";
        /// Where packets go, each to all of these.
        sinks: Vec<SinkName> = alloc::vec![SinkName::Journal], (list of SinkName);
        /// Where Redis is, if `sinks` has "redis". It may hold a password, so it is a secret.
        redis_url: Secret = Secret::default(), (secret REDIS_URL);
        /// Where the OpenTelemetry collector is that gets the figures, if `sinks` has "metrics". Empty: nobody gets them, they are for scraping.
        otlp_url: String = String::new(), (text OTLP_URL);
        /// How often the collector gets the figures.
        otlp_interval_ms: u64 = 60_000, (100..=86_400_000), "ms";
        /// How long delivered packets are kept in the journal.
        retention_hours: u32 = 168, (1..=87_600), "h";
        /// How much room delivered packets take in the journal at the most.
        retention_mebibytes: u32 = 1_024, (1..=1_048_576), "MiB";
        /// How long an undelivered packet that is not CRITICAL is worth delivering.
        message_ttl_ms: u64 = 900_000, (1_000..=2_592_000_000), "ms";
        /// The key that packets are signed with, HMAC-SHA-256. Empty: they are not signed.
        signing_key: Secret = Secret::default(), (secret KEY);
        /// From which level on the service writes its own log.
        log_level: LogLevel = LogLevel::Info, (one of LogLevel);
    }
}

impl TelemetrySettings {
    fn check_relations(&self, report: &mut dyn FnMut(&'static str, &dyn Display, &dyn Display)) {
        if self.emergency_stream == self.normal_stream {
            // The one that was changed is to blame.
            let changed = self.emergency_stream != Self::default().emergency_stream;
            let key = if changed { "emergency_stream" } else { "normal_stream" };
            report(key, &self.normal_stream, &"the two streams are one: alarms would wait behind the rest");
        }
        if self.sinks.contains(&SinkName::Redis) && self.redis_url.is_empty() {
            report("sinks", &"\"redis\"", &"that sink needs redis_url, which is not set");
        }
        if !self.otlp_url.is_empty() && !self.sinks.contains(&SinkName::Metrics) {
            report("otlp_url", &self.otlp_url, &"nobody brings figures there: sinks lacks \"metrics\"");
        }
        if self.sinks.is_empty() {
            report("sinks", &"[]", &"without a sink every packet is lost");
        }
    }
}

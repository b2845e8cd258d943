//! The variables of the time before there was one configuration, which go on working until every module has switched.

use crate::environment::variable_of;

/// A variable under its old name.
pub(crate) struct Legacy {
    pub(crate) variable: &'static str,
    /// The dotted key of the setting that it is now.
    pub(crate) key: &'static str,
    pub(crate) reading: Reading,
}

/// How the text of a variable becomes that of the setting.
#[derive(Clone, Copy)]
pub(crate) enum Reading {
    Same,
    /// The old one counts seconds, also parts of them; the setting milliseconds.
    Seconds,
    /// The old one is a word in capitals or not.
    AnyCase,
}

/// All of them.
pub(crate) const LEGACY: [Legacy; 13] = [
    of("ASYNC_WORKER_MAX_CONCURRENCY", "worker.lanes", Reading::Same),
    of("ASYNC_WORKER_SHUTDOWN_TIMEOUT_S", "worker.shutdown_limit_ms", Reading::Seconds),
    of("TOLARIA_ASYNC_WORKER_MAX_CONCURRENCY", "subsystem.tolaria.worker.lanes", Reading::Same),
    of("TOLARIA_ASYNC_WORKER_SHUTDOWN_TIMEOUT_S", "subsystem.tolaria.worker.shutdown_limit_ms", Reading::Seconds),
    of("REDIS_URL", "telemetry.redis_url", Reading::Same),
    of("OONA_NORMAL_STREAM", "telemetry.normal_stream", Reading::Same),
    of("OONA_EMERGENCY_STREAM", "telemetry.emergency_stream", Reading::Same),
    of("OONA_TELEMETRY_STREAM", "telemetry.telemetry_stream", Reading::Same),
    of("OONA_EMERGENCY_MAX_PER_MIN", "telemetry.emergency_max_per_minute", Reading::Same),
    of("OONA_EMERGENCY_THRESHOLD", "telemetry.emergency_threshold", Reading::Same),
    of("OONA_MESSAGE_TTL_MS", "telemetry.message_ttl_ms", Reading::Same),
    of("ESPER_LEYLINE_SECRET", "telemetry.signing_key", Reading::Same),
    of("ESP_LOG_LEVEL", "telemetry.log_level", Reading::AnyCase),
];

const fn of(variable: &'static str, key: &'static str, reading: Reading) -> Legacy {
    Legacy { variable, key, reading }
}

/// The old variable of this name.
pub(crate) fn legacy(name: &str) -> Option<&'static Legacy> {
    LEGACY.iter().find(|legacy| legacy.variable == name)
}

impl Reading {
    /// The text as the setting has it; nothing, if it is not what the old variable was.
    pub(crate) fn read(self, text: &str) -> Option<String> {
        match self {
            Self::Same => Some(text.to_owned()),
            Self::AnyCase => Some(text.to_ascii_lowercase()),
            Self::Seconds => {
                let seconds: f64 = text.parse().ok()?;
                let millis = seconds * 1_000.0;
                // Beyond this a number is no longer exact, and far beyond what the setting may be.
                (millis.is_finite() && millis.abs() < 1e15).then(|| format!("{millis:.0}"))
            }
        }
    }
}

/// The use of a variable under its old name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Deprecation {
    /// The old name.
    pub variable: String,
    /// The dotted key of the setting that it is now.
    pub key: String,
    /// The name of the variable that takes its place.
    pub instead: String,
    /// Whether it had no effect, since the setting was given by its new name as well.
    pub overruled: bool,
}

impl Deprecation {
    pub(crate) fn new(legacy: &Legacy, overruled: bool) -> Self {
        Self {
            variable: legacy.variable.to_owned(),
            key: legacy.key.to_owned(),
            instead: variable_of(legacy.key),
            overruled,
        }
    }
}

impl std::fmt::Display for Deprecation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { variable, key, instead, overruled } = self;
        write!(f, "{variable} is deprecated: set {instead}, or {key} in a file")?;
        f.write_str(if *overruled { " (it had no effect: the new name is set as well)" } else { "" })
    }
}

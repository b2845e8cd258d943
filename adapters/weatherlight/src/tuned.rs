//! What of the configuration may be changed while the program runs, as it is now.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countermand::config::{ExecutionConfig, LogLevel};
use event_listener::{Event, EventListener};

use crate::intake::{PaceLimit, SenderLimits};

/// The settings that may be changed. Whoever goes by one asks for it each time; all else of the configuration is as it was at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dials {
    pub(crate) log_level: LogLevel,
    pub(crate) emergency_max_per_minute: u32,
    /// What senders may do: connections and pace.
    pub(crate) senders: SenderLimits,
    /// How many packets of a connection are waited for at a time.
    pub(crate) unanswered: usize,
    /// After how long without a sign of the other end a connection is closed.
    pub(crate) idle: Duration,
    /// How long the end waits for what was taken in.
    pub(crate) drain: Duration,
}

impl Dials {
    /// The dotted keys of these settings.
    pub(crate) const KEYS: [&str; 9] = [
        "telemetry.log_level",
        "telemetry.emergency_max_per_minute",
        "weatherlight.packets_per_second",
        "weatherlight.kibibytes_per_second",
        "weatherlight.connections",
        "weatherlight.connections_per_sender",
        "weatherlight.unanswered",
        "weatherlight.idle_ms",
        "weatherlight.drain_ms",
    ];
}

impl From<&ExecutionConfig> for Dials {
    fn from(config: &ExecutionConfig) -> Self {
        let (own, telemetry) = (&config.weatherlight, &config.telemetry);
        let limit = |count: u32| (count > 0).then_some(u64::from(count));
        let pace = PaceLimit {
            packets: limit(own.packets_per_second),
            bytes: limit(own.kibibytes_per_second).map(|kibibytes| kibibytes << 10),
        };
        Self {
            log_level: telemetry.log_level,
            emergency_max_per_minute: telemetry.emergency_max_per_minute,
            senders: SenderLimits { all: own.connections as usize, each: own.connections_per_sender as usize, pace },
            unanswered: own.unanswered as usize,
            idle: Duration::from_millis(own.idle_ms),
            drain: Duration::from_millis(own.drain_ms),
        }
    }
}

/// See the head of the file. A clone is the same.
#[derive(Clone)]
pub(crate) struct Tuned {
    shared: Arc<(Mutex<Dials>, Event)>,
}

impl Tuned {
    /// As they are at the start.
    pub(crate) fn new(dials: Dials) -> Self {
        Self { shared: Arc::new((Mutex::new(dials), Event::new())) }
    }

    /// As they are now.
    pub(crate) fn read(&self) -> Dials {
        *self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on they are these.
    pub(crate) fn set(&self, dials: Dials) {
        *self.shared.0.lock().unwrap_or_else(PoisonError::into_inner) = dials;
        self.shared.1.notify(usize::MAX);
    }

    /// Resolves once they have been set anew after this call.
    pub(crate) fn changed(&self) -> EventListener {
        self.shared.1.listen()
    }
}

impl fmt::Debug for Tuned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_read_and_told() {
        let mut config = ExecutionConfig::default();
        let tuned = Tuned::new(Dials::from(&config));
        let mut changed = tuned.changed();
        assert_eq!(tuned.read().senders.pace.bytes, Some(65_536 << 10));
        assert!(futures::FutureExt::now_or_never(&mut changed).is_none());
        config.weatherlight.kibibytes_per_second = 0;
        tuned.set(Dials::from(&config));
        assert_eq!(tuned.read().senders.pace.bytes, None);
        assert!(futures::FutureExt::now_or_never(&mut changed).is_some());
    }

    #[test]
    fn each_key_is_a_setting_that_turns_a_dial() {
        let before = Dials::from(&ExecutionConfig::default());
        for key in Dials::KEYS {
            let value = if key == "telemetry.log_level" { "error" } else { "101" };
            let loader = countermand::config::Loader::new().flag(key, value);
            let loader = if key == "weatherlight.connections_per_sender" {
                loader.flag("weatherlight.connections", "102")
            } else {
                loader
            };
            let loaded = loader.load().unwrap_or_else(|error| panic!("{error}"));
            assert_ne!(Dials::from(loaded.config()), before, "{key}");
        }
    }
}

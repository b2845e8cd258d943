//! What the settings of a service mean for its router.

use core::num::NonZeroU32;
use core::time::Duration;

use super::config::{OutletConfig, RouterConfig};
use super::rate::Rate;
use crate::Priority;
use crate::config::TelemetrySettings;

impl From<&TelemetrySettings> for RouterConfig {
    /// How long packets are worth delivering, and when what is HIGH goes to the emergency stream; the rest as by default.
    fn from(settings: &TelemetrySettings) -> Self {
        let threshold = u32::try_from(settings.emergency_threshold).unwrap_or(u32::MAX);
        Self {
            ttl: Some(Duration::from_millis(settings.message_ttl_ms)),
            high_overflow: NonZeroU32::new(threshold),
            ..Self::default()
        }
    }
}

impl OutletConfig {
    /// With the settings' rate for what is CRITICAL.
    #[must_use]
    pub fn with_settings(mut self, settings: &TelemetrySettings) -> Self {
        let packets = NonZeroU32::new(settings.emergency_max_per_minute);
        self.rates[Priority::Critical.index()] = packets.map(Rate::per_minute);
        self
    }
}

//! What is wrong with a configuration, all of it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// One setting that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct SettingFault {
    /// Its dotted path, such as `subsystem.tolaria.worker.lanes`.
    pub key: String,
    /// The value it was given, or `[redacted]`.
    pub value: String,
    /// Why that cannot be.
    pub why: String,
}

impl fmt::Display for SettingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}: {}", self.key, self.value, self.why)
    }
}

/// An [`ExecutionConfig`](crate::config::ExecutionConfig) that cannot be, with all of its faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingFaults(pub(crate) Vec<SettingFault>);

impl SettingFaults {
    /// Every fault, in the order of the sections and their settings; never none.
    #[must_use]
    pub fn all(&self) -> &[SettingFault] {
        &self.0
    }
}

impl fmt::Display for SettingFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            write!(f, "{}{fault}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl core::error::Error for SettingFaults {}

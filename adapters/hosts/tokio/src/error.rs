//! Why there is no worker.

use std::error::Error;
use std::fmt;

use countermand_core::ConfigError;

/// The calling thread is in no tokio runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoRuntime;

impl fmt::Display for NoRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this thread is in no tokio runtime; name one with `Tokio::from_handle`")
    }
}

impl Error for NoRuntime {}

/// Why a worker could not be started. Nothing of it is left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// A setting cannot be.
    Config(ConfigError),
    /// The runtime was built without `enable_time`: it has no timers.
    NoTimers,
    /// The runtime has been shut down.
    RuntimeGone,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Config(_) => "the worker's settings are at fault",
            Self::NoTimers => "the tokio runtime has no timers; build it with `enable_time`",
            Self::RuntimeGone => "the tokio runtime has been shut down",
        })
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::NoTimers | Self::RuntimeGone => None,
        }
    }
}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

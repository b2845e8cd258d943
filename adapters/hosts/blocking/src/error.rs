//! Why there is no worker.

use std::error::Error;
use std::fmt;
use std::io;

use countermand_core::ConfigError;

/// Why a worker could not be started. Nothing of it is left behind.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// A setting cannot be.
    Config(ConfigError),
    /// The system did not give a thread.
    Thread(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Config(_) => "the worker's settings are at fault",
            Self::Thread(_) => "the system gave no thread for a driver",
        })
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::Thread(error) => Some(error),
        }
    }
}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

//! Why there is no worker.

use std::error::Error;
use std::fmt;
use std::io;

use countermand_core::ConfigError;

/// Why a worker, or its host, could not be started. Nothing of it is left behind.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// A setting cannot be.
    Config(ConfigError),
    /// The executor has been dropped.
    ExecutorGone,
    /// The system did not give a thread.
    Thread(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Config(_) => "the worker's settings are at fault",
            Self::ExecutorGone => "the executor has been dropped",
            Self::Thread(_) => "the system gave no thread for the executor",
        })
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::ExecutorGone => None,
            Self::Thread(error) => Some(error),
        }
    }
}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

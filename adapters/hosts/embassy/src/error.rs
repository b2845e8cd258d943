//! Why there is no worker.

use core::error::Error;
use core::fmt;

use countermand_core::ConfigError;

/// Why a worker could not be started. Nothing of it is left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// A setting cannot be.
    Config(ConfigError),
    /// There are not enough tasks for the worker's attendants.
    TooFewTasks {
        /// How many it has: its drivers, and the keeper.
        attendants: usize,
        /// How many tasks were free.
        free: usize,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(_) => f.write_str("the worker's settings are at fault"),
            Self::TooFewTasks { attendants, free } => write!(
                f,
                "the worker's drivers and its keeper want {attendants} tasks, and {free} are free; declare more with `tasks!`, or \
                 configure fewer drivers"
            ),
        }
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::TooFewTasks { .. } => None,
        }
    }
}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

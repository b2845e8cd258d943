//! Where a value came from.

use std::fmt;

/// Where a value came from (G5).
///
/// It shows itself as `default`, `prod.toml:3:9`, `variable COUNTERMAND_WORKER__LANES`, `legacy variable REDIS_URL` or
/// `flag worker.lanes`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Nobody gave it.
    Default,
    /// A file.
    File {
        /// Its path, as it was given.
        path: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
    },
    /// A variable of the environment.
    Variable {
        /// Its name.
        name: String,
    },
    /// A variable of the environment under a name that is on its way out.
    Legacy {
        /// Its name.
        name: String,
    },
    /// A flag.
    Flag {
        /// The dotted key that it sets.
        name: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line, column } => write!(f, "{path}:{line}:{column}"),
            Self::Variable { name } => write!(f, "variable {name}"),
            Self::Legacy { name } => write!(f, "legacy variable {name}"),
            Self::Flag { name } => write!(f, "flag {name}"),
        }
    }
}

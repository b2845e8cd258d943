//! What a command comes to.

use std::io;

/// Everything is as it should be.
pub(crate) const GOOD: u8 = 0;
/// It could not be done.
pub(crate) const FAILED: u8 = 1;
/// The input, the configuration or the call is wrong.
pub(crate) const BAD: u8 = 2;

/// Why a command did not come to its end.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The input, the configuration or the call is wrong.
    Bad(String),
    /// It could not be done.
    Failed(String),
    /// The output cannot be written.
    Said(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Said(error)
    }
}

/// What a command comes to: an exit status, or why there is none yet.
pub(crate) type Status = Result<u8, Trouble>;

//! How the service ended: whether everything that was taken in has been kept.

use std::fmt;

/// See the head of the file.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) why: String,
    pub(crate) answered: bool,
    pub(crate) drained: bool,
    pub(crate) failed: Vec<String>,
    pub(crate) left: u64,
    pub(crate) balances: bool,
}

impl Ended {
    /// Whether everything that was taken in has been kept, no part has failed, and the ledger balances.
    pub(crate) fn is_clean(&self) -> bool {
        self.answered && self.drained && self.failed.is_empty() && self.left == 0 && self.balances
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.why)?;
        if !self.answered {
            f.write_str("; some connections were not answered in time")?;
        }
        if !self.drained || self.left > 0 {
            write!(f, "; {} packets could not be kept in time, and were not acknowledged", self.left)?;
        }
        if !self.failed.is_empty() {
            write!(f, "; failed: {}", self.failed.join(", "))?;
        }
        f.write_str(if self.balances { "; the ledger balances" } else { "; THE LEDGER DOES NOT BALANCE" })
    }
}

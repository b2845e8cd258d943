//! `verify`: looks through a journal for damage.

use std::io::{Write as _, stdout};
use std::path::Path;

use countermand_journal::{Journal, JournalError};

use crate::status::{BAD, FAILED, GOOD, Status, Trouble};

/// Looks through the journal, and changes nothing.
pub(crate) fn verify(path: &Path) -> Status {
    match Journal::verify(path) {
        Ok(verification) => {
            writeln!(stdout(), "{}: {verification}", path.display())?;
            Ok(if verification.is_whole() { GOOD } else { FAILED })
        }
        Err(error @ JournalError::InUse { .. }) => Err(Trouble::Failed(error.to_string())),
        Err(error) => {
            writeln!(std::io::stderr(), "weatherlight: {error}")?;
            Ok(BAD)
        }
    }
}

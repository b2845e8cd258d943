//! How a job is to be settled.

use crate::Cause;

/// See the head of the file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    /// By what its body returned; `late` if its time was out before.
    Returned { late: bool },
    /// As what its recorded cause says (D6); its body was discarded.
    Requested { cause: Cause, started: bool },
}

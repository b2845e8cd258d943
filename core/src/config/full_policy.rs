//! What a full queue does with one more job.

use crate::config::words::words;

/// What a full queue does with one more job (Q5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(clippy::exhaustive_enums, reason = "the three policies are the contract (Q5)")]
pub enum FullPolicy {
    /// `submit` waits for a place; `try_submit` is refused.
    #[default]
    Wait,
    /// The job comes back to its submitter at once.
    Reject,
    /// The youngest job of the lowest priority makes room and settles `Cancelled(Evicted)`. Without a job of lower
    /// priority the new one comes back.
    EvictLowest,
}

words!(FullPolicy { Wait = "wait", Reject = "reject", EvictLowest = "evict_lowest" });

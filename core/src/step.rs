//! What an attendant's step answers its host.

use crate::Instant;

/// What to do after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(clippy::exhaustive_enums, reason = "the three answers are the contract with the host")]
pub enum Step {
    /// Step again; there is more to do.
    Again,
    /// There is nothing to do until this time, or until the waker given with the step is woken. `None`: only until woken.
    Parked(Option<Instant>),
    /// There will never be anything to do again.
    Closed,
}

//! Whoever knows which identifiers name something.

use super::identifier::Identifier;

/// Knows which identifiers of one kind name something. Every closure from `&I` to `bool` is one.
///
/// # For implementers
///
/// The answer MUST be about the moment of the call, and asking MUST change nothing that anybody can see: a guard asks before anything is done.
pub trait Registry<I: Identifier> {
    /// Whether `id` names something.
    fn knows(&self, id: &I) -> bool;
}

impl<I: Identifier, F: Fn(&I) -> bool> Registry<I> for F {
    fn knows(&self, id: &I) -> bool {
        self(id)
    }
}

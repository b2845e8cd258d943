//! What was measured, for people and for programs.

pub(crate) mod document;
pub(crate) mod json;
pub(crate) mod machine;
pub(crate) mod soak;
pub(crate) mod table;

//! What a file is written in.

/// What a text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// TOML.
    Toml,
    /// JSON, without comments or anything else that people have added to it.
    Json,
}

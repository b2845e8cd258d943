//! What a file says before anybody has looked at what it means: values with their places.

use std::ops::Range;

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) raw: Raw,
}

/// A value of TOML, of JSON, or of a variable.
#[derive(Clone, Debug)]
pub(crate) enum Raw {
    Table(Vec<Entry>),
    List(Vec<Node>),
    Text(String),
    /// A whole number; one that no number holds is told as the largest or smallest that there is.
    Number(i128),
    Flag(bool),
    /// Something that no setting is; the text says what.
    Other(&'static str),
}

/// A key with its value, in the order of the text where the format keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    pub(crate) value: Node,
}

impl Raw {
    /// What it is, in words.
    pub(crate) const fn what(&self) -> &'static str {
        match self {
            Self::Table(_) => "a table",
            Self::List(_) => "a list",
            Self::Text(_) => "a text",
            Self::Number(_) => "a whole number",
            Self::Flag(_) => "true or false",
            Self::Other(what) => what,
        }
    }
}

/// The number that `digits` of the given radix stand for, or the nearest that can be held.
pub(crate) fn number(digits: &str, radix: u32) -> i128 {
    let beyond = if digits.starts_with('-') { i128::MIN } else { i128::MAX };
    i128::from_str_radix(digits, radix).unwrap_or(beyond)
}

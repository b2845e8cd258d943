//! What there is to know about one setting, for whoever checks it, loads it or explains it.

use core::fmt;

use crate::config::Form;

/// One row of the table of settings: the only place where its bounds stand. The check, the schema and the documents read them here.
///
/// ```
/// use countermand_core::config::{Kind, WorkerSettings};
/// let lanes = WorkerSettings::SETTINGS.iter().find(|setting| setting.key == "lanes").unwrap();
/// assert!(matches!(lanes.kind, Kind::Number { least: 1, .. }));
/// assert_eq!(lanes.unit, "jobs");
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Setting {
    /// Its name within its section.
    pub key: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// What a number counts, such as `jobs` or `ms`; empty where there is nothing to count.
    pub unit: &'static str,
    /// What it does.
    pub doc: &'static str,
}

/// What a setting may be.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds, both of which are allowed.
    Number {
        /// The smallest.
        least: u64,
        /// The largest.
        most: u64,
    },
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of these words, none twice.
    Words(&'static [&'static str]),
    /// Text of a form.
    Text(&'static Form),
    /// Text of a form that is shown to nobody (G8).
    Secret(&'static Form),
    /// A table from names to reasons, each of its form.
    Reasons,
}

impl Kind {
    /// Whether a number may be the value of a setting of this kind.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn examine_number(&self, number: u64) -> Result<(), Unfit> {
        match *self {
            Self::Number { least, most } if (least..=most).contains(&number) => Ok(()),
            Self::Number { least, most } => Err(Unfit::OutOfRange { least, most }),
            _ => Err(Unfit::NotOfKind(*self)),
        }
    }

    /// Whether a text may be the value of a setting of this kind, or one of its words.
    ///
    /// # Errors
    ///
    /// Why not. It never repeats the text, which may be secret.
    pub fn examine_text(&self, text: &str) -> Result<(), Unfit> {
        match *self {
            Self::Word(words) | Self::Words(words) if words.contains(&text) => Ok(()),
            Self::Word(words) | Self::Words(words) => Err(Unfit::NoSuchWord(words)),
            Self::Text(form) | Self::Secret(form) => form.examine(text),
            _ => Err(Unfit::NotOfKind(*self)),
        }
    }

    /// Whether values of this kind are shown to nobody.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(_))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("true or false"),
            Self::Number { least, most } => write!(f, "a whole number from {least} to {most}"),
            Self::Word(words) => write!(f, "{}", OneOf(words)),
            Self::Words(words) => write!(f, "a list of {}", OneOf(words)),
            Self::Text(form) | Self::Secret(form) => f.write_str(form.what),
            Self::Reasons => f.write_str("a table of names, each with its reason"),
        }
    }
}

/// Why a value cannot be that of a setting.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Unfit {
    /// The number is outside of its bounds.
    OutOfRange {
        /// The smallest that is allowed.
        least: u64,
        /// The largest that is allowed.
        most: u64,
    },
    /// The word is none of these.
    NoSuchWord(&'static [&'static str]),
    /// The text is shorter than its form allows.
    TooShort(&'static Form),
    /// The text is longer than its form allows.
    TooLong(&'static Form),
    /// The text is not of its form.
    Malformed(&'static Form),
    /// A list names the same thing twice.
    Twice,
    /// The value is of another kind altogether.
    NotOfKind(Kind),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange { least, most } => write!(f, "must be from {least} to {most}"),
            Self::NoSuchWord(words) => write!(f, "must be {}", OneOf(words)),
            Self::TooShort(form) => write!(f, "too short: {} has at least {} bytes", form.what, form.shortest),
            Self::TooLong(form) => write!(f, "too long: {} has at most {} bytes", form.what, form.longest),
            Self::Malformed(form) => write!(f, "must be {}", form.what),
            Self::Twice => f.write_str("is named twice in the list"),
            Self::NotOfKind(kind) => write!(f, "must be {kind}"),
        }
    }
}

struct OneOf<'a>(&'a [&'static str]);

impl fmt::Display for OneOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.0.iter().enumerate() {
            let before = match index {
                0 => "",
                _ if index + 1 == self.0.len() => " or ",
                _ => ", ",
            };
            write!(f, "{before}\"{word}\"")?;
        }
        Ok(())
    }
}

//! What is wrong with what was read, all of it.

use std::fmt;

use crate::origin::Origin;
use crate::source::{Excerpt, Place};

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// A file cannot be read.
    Unreadable,
    /// The text is not TOML, not JSON, not of the form `NAME=value`.
    Syntax,
    /// The same key twice.
    Duplicate,
    /// There is no such setting.
    UnknownKey,
    /// A variable has our prefix and names no setting.
    UnknownVariable,
    /// A value of another type than the setting has.
    WrongType,
    /// A value that the setting cannot have.
    BadValue,
    /// Values that cannot be together.
    Conflict,
    /// More, longer or deeper than is read (see [`Limits`](crate::Limits)).
    Limit,
    /// A name on its way out, in strict mode.
    Legacy,
}

/// One thing that is wrong, with the place where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// What kind of thing it is.
    pub kind: ProblemKind,
    /// The dotted key of the setting that it is about.
    pub key: String,
    /// Where the value came from, with line and column if that was a file.
    pub origin: Origin,
    /// What is wrong, in a sentence. It holds no secret.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    pub(crate) label: String,
    pub(crate) excerpt: Option<Excerpt>,
}

impl Problem {
    /// The name of the file or other source, the line and the column where it stands, both counted from 1, the column in characters.
    #[must_use]
    pub fn place(&self) -> Option<(&str, usize, usize)> {
        self.excerpt.as_ref().map(|excerpt| (excerpt.source.as_str(), excerpt.line, excerpt.column))
    }
}

/// A problem of which the line has not been looked at yet: there may be far more of them than are told.
#[derive(Debug)]
pub(crate) struct Draft {
    kind: ProblemKind,
    key: String,
    pub(crate) place: Option<Place>,
    message: String,
    label: String,
    help: Option<String>,
    /// Where the same was given first.
    first: Option<Place>,
}

impl Draft {
    pub(crate) fn new(
        kind: ProblemKind,
        key: impl Into<String>,
        place: Option<Place>,
        message: impl fmt::Display,
    ) -> Self {
        let label = String::from("here");
        Self { kind, key: key.into(), place, message: message.to_string(), label, help: None, first: None }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Suggests `name`, if there is one.
    pub(crate) fn suggest(self, name: Option<&str>) -> Self {
        match name {
            Some(name) => self.help(format!("did you mean \"{name}\"?")),
            None => self,
        }
    }

    /// The same key as at `first` again.
    pub(crate) fn twice(key: impl Into<String>, place: Place, first: Place) -> Self {
        let draft = Self::new(ProblemKind::Duplicate, key, Some(place), "given twice").label("a second time");
        Self { first: Some(first), ..draft }
    }

    pub(crate) fn kind(&self) -> ProblemKind {
        self.kind
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    fn finish(self) -> Problem {
        let first = self.first.map(|first| match first.origin() {
            Origin::Flag { .. } => String::from("it was given before"),
            _ => {
                let (line, column) = first.line_and_column();
                format!("it was given first in line {line}, column {column}")
            }
        });
        Problem {
            kind: self.kind,
            key: self.key,
            origin: self.place.as_ref().map_or(Origin::Default, Place::origin),
            excerpt: self.place.as_ref().map(Place::excerpt),
            message: self.message,
            label: self.label,
            help: self.help.or(first),
        }
    }
}

impl std::error::Error for Problem {}

/// A configuration that cannot be loaded, with everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    problems: Vec<Problem>,
    untold: usize,
}

impl LoadError {
    /// The first `most` problems; never none.
    pub(crate) fn new(drafts: Vec<Draft>, most: usize) -> Self {
        let most = most.max(1);
        let untold = drafts.len().saturating_sub(most);
        Self { problems: drafts.into_iter().take(most).map(Draft::finish).collect(), untold }
    }

    /// What is wrong, in the order of the sources and of the places in each.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many more problems there are than are told.
    #[must_use]
    pub fn untold(&self) -> usize {
        self.untold
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        match self.problems.len() + self.untold {
            1 => f.write_str("1 problem"),
            all if self.untold > 0 => write!(f, "{all} problems, the first {} of them told", self.problems.len()),
            all => write!(f, "{all} problems"),
        }
    }
}

impl std::error::Error for LoadError {}

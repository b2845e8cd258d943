//! A row of the catalogue.

use core::fmt;

use super::super::Level;

/// An event of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// What the event is called.
    pub name: &'static str,
    /// The levels that it may have, least serious first; mostly one.
    pub levels: &'static [Level],
    /// Its attributes, in order.
    pub fields: &'static [Field],
    /// What has happened.
    pub doc: &'static str,
}

/// A metric of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figure {
    /// What the metric is called.
    pub name: &'static str,
    /// How its values are to be read.
    pub kind: MetricKind,
    /// The unit of its values.
    pub unit: &'static str,
    /// Its attributes, in order.
    pub fields: &'static [Field],
    /// What is measured.
    pub doc: &'static str,
}

/// An indicator of health of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Indicator {
    /// What the indicator is called.
    pub name: &'static str,
    /// What its value says.
    pub doc: &'static str,
}

/// An attribute of an event or of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// Its key.
    pub key: &'static str,
    /// What its value is.
    pub kind: FieldKind,
    /// The unit of its value; empty where there is none.
    pub unit: &'static str,
    /// What it says.
    pub doc: &'static str,
}

/// What the value of an attribute is. On the way it is a text in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldKind {
    /// Any text; may be empty.
    Text,
    /// A whole number, not negative.
    Count,
    /// A time, in seconds, with up to nine places behind the point.
    Seconds,
    /// A number.
    Number,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// How the values of a metric are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// A sum since the start, which only grows.
    Counter,
    /// A value that goes up and down.
    Gauge,
    /// One measurement; many of them make a distribution.
    Measurement,
}

impl fmt::Display for FieldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.pad("text"),
            Self::Count => f.pad("count"),
            Self::Seconds => f.pad("seconds"),
            Self::Number => f.pad("number"),
            Self::Flag => f.pad("flag"),
            Self::Word(words) => {
                f.write_str("one of")?;
                words.iter().try_for_each(|word| write!(f, " {word}"))
            }
        }
    }
}

impl fmt::Display for MetricKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Measurement => "measurement",
        })
    }
}

//! Versions, and the ranges of them that are accepted.

use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

use crate::config::value::always_right;
use crate::config::words::as_text;

/// A released version of up to three numbers, or one on the way there.
///
/// What follows a `+`, as in `2.8.0+cu126`, says how it was built and is not looked at; `.post1` is a release; anything else behind the
/// numbers, as in `2.9.0a0` or `2.9.0.dev20251001`, is a pre-release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    parts: [u32; 3],
    given: u8,
    released: bool,
}

/// A text that is no version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotAVersion;

impl Version {
    /// Whether it is a release.
    #[must_use]
    pub const fn is_released(&self) -> bool {
        self.released
    }

    /// Numbers that are not given count as zero.
    fn against(&self, other: &Self) -> Ordering {
        self.parts.cmp(&other.parts)
    }
}

impl FromStr for Version {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        let mut version = Self { parts: [0; 3], given: 0, released: true };
        let mut rest = text;
        for part in &mut version.parts {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if digits > 6 {
                return Err(NotAVersion);
            }
            let Ok(number) = rest[..digits].parse() else { break };
            *part = number;
            version.given += 1;
            rest = &rest[digits..];
            // A dot is passed only if a number follows it: `.dev1` and `.post1` are no parts.
            match rest.strip_prefix('.') {
                Some(after) if after.starts_with(|c: char| c.is_ascii_digit()) && version.given < 3 => rest = after,
                _ => break,
            }
        }
        version.released = rest.is_empty() || rest.strip_prefix(".post").is_some_and(is_number);
        let follows = rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_alphabetic()) || is_suffix(rest);
        if version.given == 0 || !follows { Err(NotAVersion) } else { Ok(version) }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `.dev1`, `-rc1`, `_alpha`: a separator and a word.
fn is_suffix(rest: &str) -> bool {
    rest.strip_prefix(['.', '-', '_']).is_some_and(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()))
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().take(self.given as usize).enumerate() {
            write!(f, "{}{part}", if index == 0 { "" } else { "." })?;
        }
        f.write_str(if self.released { "" } else { " (pre-release)" })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    AtLeast,
    Above,
    AtMost,
    Below,
    Same,
    Other,
}

impl Comparison {
    /// Longer signs before those that they begin with.
    const ALL: [(&'static str, Self); 6] = [
        (">=", Self::AtLeast),
        ("<=", Self::AtMost),
        ("==", Self::Same),
        ("!=", Self::Other),
        (">", Self::Above),
        ("<", Self::Below),
    ];

    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::AtLeast => ordering.is_ge(),
            Self::Above => ordering.is_gt(),
            Self::AtMost => ordering.is_le(),
            Self::Below => ordering.is_lt(),
            Self::Same => ordering.is_eq(),
            Self::Other => ordering.is_ne(),
        }
    }
}

/// Versions that are accepted: up to four comparisons, all of which must hold. A pre-release is in no range.
///
/// ```
/// use countermand_core::config::VersionRange;
/// let range: VersionRange = ">=2.8, <2.9".parse().unwrap();
/// assert!(range.contains(&"2.8.1+cu126".parse().unwrap()));
/// assert!(!range.contains(&"2.9".parse().unwrap()) && !range.contains(&"2.8.0rc1".parse().unwrap()));
/// assert_eq!(range.to_string(), ">=2.8,<2.9");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionRange {
    bounds: [Option<(Comparison, Version)>; 4],
}

/// A text that is no range of versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotARange;

impl VersionRange {
    /// From this version of two numbers on, up to the next minor one.
    #[must_use]
    pub const fn minor(major: u32, minor: u32) -> Self {
        const fn of(major: u32, minor: u32) -> Version {
            Version { parts: [major, minor, 0], given: 2, released: true }
        }
        let from = (Comparison::AtLeast, of(major, minor));
        let below = (Comparison::Below, of(major, minor + 1));
        Self { bounds: [Some(from), Some(below), None, None] }
    }

    /// Whether a version is accepted.
    #[must_use]
    pub fn contains(&self, version: &Version) -> bool {
        version.released
            && self.bounds.iter().flatten().all(|(comparison, bound)| comparison.holds(version.against(bound)))
    }
}

impl FromStr for VersionRange {
    type Err = NotARange;

    fn from_str(text: &str) -> Result<Self, NotARange> {
        let mut range = Self { bounds: [None; 4] };
        let mut places = range.bounds.iter_mut();
        for part in text.split(',') {
            let part = part.trim_matches(' ');
            let found = Comparison::ALL.iter().find_map(|(sign, found)| Some((*found, part.strip_prefix(sign)?)));
            let (comparison, version) = found.ok_or(NotARange)?;
            let version = version.trim_start_matches(' ');
            // A bound is plain numbers: no build, nothing before a release, none behind it.
            if !version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
                return Err(NotARange);
            }
            let version = version.parse().map_err(|_| NotARange)?;
            *places.next().ok_or(NotARange)? = Some((comparison, version));
        }
        Ok(range)
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (comparison, version)) in self.bounds.iter().flatten().enumerate() {
            let sign = Comparison::ALL.iter().find_map(|(sign, other)| (other == comparison).then_some(*sign));
            write!(f, "{}{}{version}", if index == 0 { "" } else { "," }, sign.unwrap_or_default())?;
        }
        Ok(())
    }
}

impl fmt::Display for NotAVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a version such as 2.8.0")
    }
}

impl fmt::Display for NotARange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not {}", crate::config::Form::VERSIONS.what)
    }
}

impl core::error::Error for NotAVersion {}
impl core::error::Error for NotARange {}

always_right!(VersionRange);
as_text!(VersionRange);

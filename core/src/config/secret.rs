//! Text that is shown to nobody.

use alloc::string::String;
use core::fmt;

use crate::config::Kind;
use crate::config::value::{Report, Value};

/// What secrets show of themselves.
const REDACTED: &str = "[redacted]";

/// A text that appears in no debug output, error, event or listing (G8): all of them show `[redacted]`. Empty: there is none.
///
/// ```
/// use countermand_core::config::Secret;
/// let key = Secret::from("correct-horse");
/// assert_eq!(format!("{key} {key:?}"), "[redacted] [redacted]");
/// assert_eq!(key.expose(), "correct-horse");
/// ```
///
/// # Implementation notes
///
/// It is serialized as `[redacted]` as well: whoever means to write a secret down must say so with [`expose`](Secret::expose). Its
/// memory is not wiped when it is dropped: the environment and the file it came from still have it.
#[derive(Clone, Default)]
pub struct Secret(String);

impl Secret {
    /// The text itself. Look twice at where it goes.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

/// In a time that depends on the lengths alone.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let differ = self.0.bytes().zip(other.0.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
        self.0.len() == other.0.len() && differ == 0
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if mutant!(SecretIsShown) {
            return f.write_str(&self.0);
        }
        f.write_str(if self.0.is_empty() { "none" } else { REDACTED })
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Value for Secret {
    fn examine(&self, kind: &Kind, report: Report<'_>) {
        if let Err(why) = kind.examine_text(&self.0) {
            report(self, &why);
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.0.is_empty() { "" } else { REDACTED })
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

//! A short text that lies in its owner, with a fixed bound and without a heap.
#![allow(unsafe_code, reason = "what was UTF-8 when it was written is not looked through again each time it is read")]

use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt::{self, Write as _};
use core::hash::{Hash, Hasher};
use core::ops::Deref;
use core::str::FromStr;

/// What stands at the end of a text that was cut.
const CUT: &str = "…";

/// UTF-8 of at most `N` bytes, in the owner itself: copied like a number, compared and shown like a `str`.
///
/// ```
/// use countermand_core::Text;
/// let name: Text<8> = "ingest".parse()?;
/// assert_eq!(name, "ingest");
/// assert_eq!("supervisor".parse::<Text<8>>().unwrap_err().to_string(), "a text of 10 bytes, where at most 8 fit");
/// assert_eq!(Text::<8>::of("supervisor"), "super…");
/// # Ok::<(), countermand_core::TextTooLong>(())
/// ```
///
/// # Implementation notes
///
/// `heapless::String` is the same but for `Copy`, which identifiers and events need to be handed on without ceremony.
#[derive(Clone, Copy)]
pub struct Text<const N: usize> {
    /// At most `N`.
    length: u16,
    /// The first `length` are UTF-8. (The rest may be anything.)
    bytes: [u8; N],
}

/// A text that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextTooLong {
    /// Its length, in bytes.
    pub length: usize,
    /// How many bytes fit.
    pub limit: usize,
}

impl<const N: usize> Text<N> {
    /// How many bytes fit; at most 65,535.
    pub const LIMIT: usize = {
        assert!(N <= u16::MAX as usize, "a text is at most 65,535 bytes long");
        N
    };

    /// The empty text.
    #[must_use]
    pub const fn new() -> Self {
        let _ = Self::LIMIT;
        Self { length: 0, bytes: [0; N] }
    }

    /// What `value` displays, as much of it as fits; where something is left out, the end is `…`.
    #[must_use]
    pub fn of(value: impl fmt::Display) -> Self {
        let mut clip = Clip { text: Self::new(), cut: false };
        // A value that cannot be displayed to its end is cut there.
        clip.cut |= write!(clip, "{value}").is_err();
        let Clip { mut text, cut } = clip;
        if cut && N >= CUT.len() {
            let room = floor(&text, N - CUT.len());
            text.append(room, CUT);
        }
        text
    }

    /// As much of `text` as fits; where something is left out, the end is `…`. Without the machinery of [`of`](Self::of).
    #[must_use]
    #[inline]
    pub fn cut(text: &str) -> Self {
        Self::try_from(text).unwrap_or_else(|_| Self::of(text))
    }

    /// The text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        let (text, _) = self.bytes.split_at(self.length as usize);
        // SAFETY: the first `length` bytes are UTF-8: there are none in `new`, and `append`, which alone writes any, puts a whole
        // `str` behind a whole `str`.
        unsafe { core::str::from_utf8_unchecked(text) }
    }

    /// Adds `more` at the end, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`TextTooLong`], with the length that it would have had.
    pub fn push_str(&mut self, more: &str) -> Result<(), TextTooLong> {
        let length = self.len() + more.len();
        if length > N {
            return Err(TextTooLong { length, limit: N });
        }
        self.append(self.len(), more);
        Ok(())
    }

    /// Puts `more`, which fits, behind the first `begin` bytes, which end with a character.
    fn append(&mut self, begin: usize, more: &str) {
        let end = begin + more.len();
        assert!(self.is_char_boundary(begin), "a text is cut between two characters");
        self.bytes[begin..end].copy_from_slice(more.as_bytes());
        // `end` is at most `N`, and `LIMIT` was looked at in `new`.
        self.length = end as u16;
    }
}

/// The last place in `text` at or before `at` that is not inside of a character.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Writes what fits, and remembers whether that was all.
struct Clip<const N: usize> {
    text: Text<N>,
    cut: bool,
}

impl<const N: usize> fmt::Write for Clip<N> {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.cut {
            return Ok(());
        }
        let end = floor(more, N - self.text.len());
        self.text.append(self.text.len(), &more[..end]);
        self.cut = end < more.len();
        Ok(())
    }
}

impl<const N: usize> fmt::Write for Text<N> {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        self.push_str(more).map_err(|_| fmt::Error)
    }
}

impl<const N: usize> TryFrom<&str> for Text<N> {
    type Error = TextTooLong;

    fn try_from(text: &str) -> Result<Self, TextTooLong> {
        let mut whole = Self::new();
        whole.push_str(text).map(|()| whole)
    }
}

impl<const N: usize> FromStr for Text<N> {
    type Err = TextTooLong;

    fn from_str(text: &str) -> Result<Self, TextTooLong> {
        Self::try_from(text)
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Deref for Text<N> {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl<const N: usize> AsRef<str> for Text<N> {
    fn as_ref(&self) -> &str {
        self
    }
}

// Hash and the orders are those of `str`, as Borrow asks.
impl<const N: usize> Borrow<str> for Text<N> {
    fn borrow(&self) -> &str {
        self
    }
}

impl<const N: usize> PartialEq for Text<N> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl<const N: usize> Eq for Text<N> {}

impl<const N: usize> PartialEq<str> for Text<N> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl<const N: usize> PartialEq<&str> for Text<N> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl<const N: usize> PartialOrd for Text<N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<const N: usize> Ord for Text<N> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl<const N: usize> Hash for Text<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

#[cfg(feature = "defmt")]
impl<const N: usize> defmt::Format for Text<N> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=str}", self.as_str());
    }
}

impl fmt::Display for TextTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a text of {} bytes, where at most {} fit", self.length, self.limit)
    }
}

impl core::error::Error for TextTooLong {}

#[cfg(feature = "serde")]
impl<const N: usize> serde::Serialize for Text<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de, const N: usize> serde::Deserialize<'de> for Text<N> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::spelt::deserialize(deserializer, "a text")
    }
}

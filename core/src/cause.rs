//! Why a token was cancelled.

use core::fmt;

/// The kinds of reasons for a cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CauseKind {
    /// Somebody asked for it.
    Requested,
    /// A deadline or time-out was due.
    Deadline,
    /// The worker was shut down, was dropped, or lost its runtime.
    Shutdown,
    /// The handle of a job submitted with `cancel_on_drop` was dropped, or an armed drop guard was.
    HandleDropped,
    /// A more urgent job took the place of a queued one.
    Evicted,
    /// A token of another library, linked to this one, was cancelled.
    Linked,
}

impl CauseKind {
    /// Its number, for who keeps it in a few bits: from 0 to 5.
    #[inline]
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Requested => 0,
            Self::Deadline => 1,
            Self::Shutdown => 2,
            Self::HandleDropped => 3,
            Self::Evicted => 4,
            Self::Linked => 5,
        }
    }

    /// The kind that has this [number](Self::number).
    #[inline]
    pub(crate) const fn numbered(number: u8) -> Self {
        match number {
            0 => Self::Requested,
            1 => Self::Deadline,
            2 => Self::Shutdown,
            3 => Self::HandleDropped,
            4 => Self::Evicted,
            _ => Self::Linked,
        }
    }
}

/// What a caller may add to a [`Cause`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Detail {
    /// Nothing.
    None,
    /// A number that means something to the caller.
    Code(u32),
    /// A static text.
    Text(&'static str),
}

/// Why a token was cancelled: small, copyable, without allocation. The first cause of a token wins and never changes (T10).
///
/// ```
/// use countermand_core::{Cause, CauseKind};
/// let cause = Cause::REQUESTED.with_text("operator pressed stop");
/// assert_eq!(cause.kind(), CauseKind::Requested);
/// assert_eq!(cause.to_string(), "requested: operator pressed stop");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Cause {
    kind: CauseKind,
    detail: Detail,
}

impl Cause {
    /// Somebody asked for it.
    pub const REQUESTED: Self = Self::new(CauseKind::Requested);
    /// A deadline or time-out was due.
    pub const DEADLINE: Self = Self::new(CauseKind::Deadline);
    /// The worker was shut down, was dropped, or lost its runtime.
    pub const SHUTDOWN: Self = Self::new(CauseKind::Shutdown);
    /// A handle or an armed guard was dropped.
    pub const HANDLE_DROPPED: Self = Self::new(CauseKind::HandleDropped);
    /// A more urgent job took the place of a queued one.
    pub const EVICTED: Self = Self::new(CauseKind::Evicted);
    /// A linked token of another library was cancelled.
    pub const LINKED: Self = Self::new(CauseKind::Linked);

    /// A cause of this kind with nothing added.
    #[must_use]
    pub const fn new(kind: CauseKind) -> Self {
        Self { kind, detail: Detail::None }
    }

    #[cfg(any(not(any(countermand_loom, countermand_shuttle)), all(test, countermand_loom)))]
    pub(crate) const fn with_detail(self, detail: Detail) -> Self {
        Self { kind: self.kind, detail }
    }

    /// The same cause with a number of the caller's.
    #[must_use]
    pub const fn with_code(self, code: u32) -> Self {
        Self { kind: self.kind, detail: Detail::Code(code) }
    }

    /// The same cause with a static text of the caller's.
    #[must_use]
    pub const fn with_text(self, text: &'static str) -> Self {
        Self { kind: self.kind, detail: Detail::Text(text) }
    }

    /// The kind of reason.
    #[must_use]
    pub const fn kind(&self) -> CauseKind {
        self.kind
    }

    /// What the caller added.
    #[must_use]
    pub const fn detail(&self) -> Detail {
        self.detail
    }
}

impl fmt::Display for CauseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Requested => "requested",
            Self::Deadline => "deadline",
            Self::Shutdown => "shutdown",
            Self::HandleDropped => "handle dropped",
            Self::Evicted => "evicted",
            Self::Linked => "linked token",
        })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail {
            Detail::None => self.kind.fmt(f),
            Detail::Code(code) => write!(f, "{}: code {code}", self.kind),
            Detail::Text(text) => write!(f, "{}: {text}", self.kind),
        }
    }
}

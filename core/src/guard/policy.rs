//! Which fallbacks of a dependency are allowed.

use core::fmt;

use super::id_error::IdError;
use super::id_text::IdText;
use crate::Text;

/// Which fallbacks of one dependency are allowed: none, but for those that are named, each with its reason (G3).
///
/// It has room for `N` of them, in its owner.
///
/// ```
/// use countermand_core::DependencyPolicy;
/// let policy = DependencyPolicy::new("kernel")?.allow("eager", "the build machine has no compiler")?;
/// assert_eq!(policy.reason_for("eager"), Some("the build machine has no compiler"));
/// assert_eq!(policy.reason_for("stub"), None);
/// assert!(policy.allow("stub", " ").is_err());
/// # Ok::<(), countermand_core::PolicyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DependencyPolicy<const N: usize = 4> {
    dependency: IdText,
    /// Those in use first.
    fallbacks: [Option<Fallback>; N],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fallback {
    name: IdText,
    reason: Text<LONGEST_REASON>,
}

/// How many bytes a reason has at the most.
const LONGEST_REASON: usize = 96;

impl DependencyPolicy {
    /// The policy of this dependency (a kind, such as `kernel`), which allows no fallback yet, and has room for four.
    ///
    /// # Errors
    ///
    /// If the name is none (G1).
    pub fn new(dependency: &str) -> Result<Self, PolicyError> {
        Self::with_room(dependency)
    }
}

impl<const N: usize> DependencyPolicy<N> {
    /// [`new`](DependencyPolicy::new) with room for `N`.
    ///
    /// # Errors
    ///
    /// If the name is none (G1).
    pub fn with_room(dependency: &str) -> Result<Self, PolicyError> {
        let name = IdText::parse("dependency", dependency);
        let dependency = name.map_err(|error| PolicyError::of(dependency, PolicyFault::Name(error)))?;
        Ok(Self { dependency, fallbacks: [None; N] })
    }

    /// Allows the fallback of this name, and says why: at most 96 bytes.
    ///
    /// # Errors
    ///
    /// If the name is none (G1), is allowed already, or is one too many, and if the reason is blank or too long.
    pub fn allow(mut self, fallback: &str, reason: &str) -> Result<Self, PolicyError> {
        let error = |fault| PolicyError::of(self.dependency, fault);
        let of = || Text::of(fallback);
        let name = IdText::parse("fallback", fallback).map_err(|fault| error(PolicyFault::Name(fault)))?;
        if self.place_of(fallback).is_some() {
            return Err(error(PolicyFault::Twice { fallback: of() }));
        }
        if reason.trim().is_empty() {
            return Err(error(PolicyFault::NoReason { fallback: of() }));
        }
        let too_long = |_| error(PolicyFault::LongReason { fallback: of(), length: reason.len() });
        let reason = Text::try_from(reason).map_err(too_long)?;
        match self.fallbacks.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(Fallback { name, reason }),
            None => return Err(error(PolicyFault::Full { limit: N })),
        }
        Ok(self)
    }

    /// The dependency.
    #[must_use]
    pub const fn dependency(&self) -> &str {
        self.dependency.as_str()
    }

    /// Why the fallback of this name is allowed; `None` if it is not.
    #[must_use]
    pub fn reason_for(&self, fallback: &str) -> Option<&str> {
        let place = self.fallbacks.get(self.place_of(fallback)?)?;
        place.as_ref().map(|allowed| allowed.reason.as_str())
    }

    /// The fallbacks that are allowed, each with its reason, in the order in which they were.
    pub fn allowed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fallbacks.iter().flatten().map(|allowed| (allowed.name.as_str(), allowed.reason.as_str()))
    }

    /// Where the fallback of this name is.
    pub(super) fn place_of(&self, fallback: &str) -> Option<usize> {
        self.allowed().position(|(name, _)| name == fallback)
    }
}

/// A policy that cannot be: of which dependency, and what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyError {
    /// The dependency, cut if it is long.
    pub dependency: Text<24>,
    /// What is wrong.
    pub fault: PolicyFault,
}

/// What is wrong with a policy. Names are cut if they are long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyFault {
    /// A name is none.
    Name(IdError),
    /// A fallback is allowed without a reason.
    NoReason {
        /// Which.
        fallback: Text<24>,
    },
    /// The reason of a fallback is too long.
    LongReason {
        /// Which.
        fallback: Text<24>,
        /// How many bytes it has, of at most 96.
        length: usize,
    },
    /// A fallback is allowed twice.
    Twice {
        /// Which.
        fallback: Text<24>,
    },
    /// There is no room for one more fallback.
    Full {
        /// How many there is room for.
        limit: usize,
    },
    /// The guard has a policy of this dependency already.
    SecondPolicy,
    /// The guard has no room for one more policy.
    GuardFull {
        /// How many it has room for.
        limit: usize,
    },
}

impl PolicyError {
    pub(super) fn of(dependency: impl fmt::Display, fault: PolicyFault) -> Self {
        Self { dependency: Text::of(dependency), fault }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "policy of {:?}: ", self.dependency)?;
        match &self.fault {
            PolicyFault::Name(error) => error.fmt(f),
            PolicyFault::NoReason { fallback } => write!(f, "the fallback {fallback} is allowed without a reason"),
            PolicyFault::LongReason { fallback, length } => {
                write!(f, "the reason of the fallback {fallback} has {length} bytes, of at most {LONGEST_REASON}")
            }
            PolicyFault::Twice { fallback } => write!(f, "the fallback {fallback} is allowed twice"),
            PolicyFault::Full { limit } => write!(f, "there is room for {limit} fallbacks and no more"),
            PolicyFault::SecondPolicy => f.write_str("the guard has one of this dependency already"),
            PolicyFault::GuardFull { limit } => write!(f, "the guard has room for {limit} policies and no more"),
        }
    }
}

impl core::error::Error for PolicyError {}

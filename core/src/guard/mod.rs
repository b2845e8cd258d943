//! The door before everything that depends on something: what is missing is named before anything is done, and no fallback is
//! used that nobody allowed.
#![cfg_attr(
    not(feature = "alloc"),
    allow(clippy::result_large_err, reason = "without a heap a violation lies in its owner")
)]

mod checked;
mod checks;
mod id_error;
mod id_text;
#[macro_use]
mod identifier;
mod ids;
mod policy;
mod reason;
mod registry;
mod violation;

use core::fmt;

use crate::contain::survives;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::{Event, Intake};

pub use checked::{Allowed, Checked, Knowledge, Known, Permission, Presence, Present};
pub use checks::{Choice, Prefetch};
pub use id_error::{IdError, IdFault};
pub use id_text::IdText;
pub use identifier::Identifier;
pub use ids::{BlueprintId, CheckId, KernelId, RunId, SeedId, SubsystemId, TrainingRunId};
pub use policy::{DependencyPolicy, PolicyError, PolicyFault};
pub use reason::Reason;
pub use registry::Registry;
pub use violation::Violation;

/// What the code of `identifier!` needs where it is expanded, and nobody else.
#[doc(hidden)]
pub mod __private {
    #[cfg(feature = "serde")]
    pub use crate::spelt::deserialize;
    #[cfg(feature = "serde")]
    pub use serde::{Deserialize, Deserializer, Serialize, Serializer};
}

/// The guard of one subsystem: makes its checks, keeps its policies, and reports to its intake.
///
/// Each violation that it finds is one event, `dependency_guard.violation`, told before the check returns; each use of an allowed fallback
/// is one, `dependency_guard.fallback`, told before the fallback is used (G2, G3). A guard without policies allows no fallback at all.
///
/// It has room for `P` policies of `N` fallbacks each, in its owner; all of its methods take it shared, and from any thread that may share
/// its intake.
///
/// ```
/// use countermand_core::{DependencyPolicy, Event, Guard, Reason, SubsystemId};
///
/// let guard = Guard::new(SubsystemId::new("tolaria")?, |event: &Event| eprintln!("{event}"))
///     .with_policy(DependencyPolicy::new("kernel")?.allow("eager", "the build machine has no compiler")?)?;
///
/// let url = guard.require("setting", "REDIS_URL", Some("redis://localhost"))?;
/// assert_eq!(*url, "redis://localhost");
/// let missing = guard.require::<u16>("setting", "PORT", None).unwrap_err();
/// assert_eq!(missing.to_string(), "tolaria: setting PORT is required, and is not there");
///
/// assert_eq!(guard.fallback("kernel", "eager", || "slow")?.into_inner(), "slow");
/// assert_eq!(guard.fallback("kernel", "stub", || "wrong").unwrap_err().reason(), Reason::FallbackNotAllowed);
/// assert_eq!((guard.counts().violations, guard.counts().fallbacks), (2, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Guard<I, const P: usize = 8, const N: usize = 4> {
    subsystem: SubsystemId,
    intake: I,
    /// Those in use first.
    policies: [Option<DependencyPolicy<N>>; P],
    /// How often the fallback in the same place of the policies was used.
    uses: [[AtomicU64; N]; P],
    violations: AtomicU64,
    contained: AtomicU64,
}

/// What a guard has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuardCounts {
    /// Violations reported.
    pub violations: u64,
    /// Uses of allowed fallbacks.
    pub fallbacks: u64,
    /// Panics of the intake, and of destructors of what checks had captured that were not made, which were contained (P4).
    pub contained_panics: u64,
}

impl<I: Intake> Guard<I> {
    /// A guard without policies, with room for eight of four fallbacks each.
    #[must_use]
    pub fn new(subsystem: SubsystemId, intake: I) -> Self {
        Self::with_room(subsystem, intake)
    }
}

impl<I: Intake, const P: usize, const N: usize> Guard<I, P, N> {
    /// [`new`](Guard::new) with room for `P` policies of `N` fallbacks each.
    #[must_use]
    pub fn with_room(subsystem: SubsystemId, intake: I) -> Self {
        let unused = || AtomicU64::new(0);
        Self {
            subsystem,
            intake,
            policies: [None; P],
            uses: core::array::from_fn(|_| core::array::from_fn(|_| unused())),
            violations: unused(),
            contained: unused(),
        }
    }

    /// Adds the policy of a dependency.
    ///
    /// # Errors
    ///
    /// If there is one of the same dependency already, or no room.
    pub fn with_policy(mut self, policy: DependencyPolicy<N>) -> Result<Self, PolicyError> {
        let refuse = |fault| Err(PolicyError::of(policy.dependency(), fault));
        if self.place_of(policy.dependency()).is_some() {
            return refuse(PolicyFault::SecondPolicy);
        }
        match self.policies.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(policy),
            None => return refuse(PolicyFault::GuardFull { limit: P }),
        }
        Ok(self)
    }

    /// Whose guard it is.
    #[must_use]
    pub const fn subsystem(&self) -> SubsystemId {
        self.subsystem
    }

    /// The policies, in the order in which they were added.
    pub fn policies(&self) -> impl Iterator<Item = &DependencyPolicy<N>> {
        self.policies.iter().flatten()
    }

    /// What was counted.
    #[must_use]
    pub fn counts(&self) -> GuardCounts {
        GuardCounts {
            violations: self.violations.load(Ordering::Relaxed),
            fallbacks: self.uses.iter().flatten().map(|uses| uses.load(Ordering::Relaxed)).sum(),
            contained_panics: self.contained.load(Ordering::Relaxed),
        }
    }

    /// How often this fallback of this dependency was used.
    #[must_use]
    pub fn uses(&self, dependency: &str, fallback: &str) -> u64 {
        let policy = self.place_of(dependency);
        let place = policy.and_then(|policy| Some((policy, self.policies[policy]?.place_of(fallback)?)));
        place.map_or(0, |(policy, fallback)| self.uses[policy][fallback].load(Ordering::Relaxed))
    }

    /// Reports a violation that was found elsewhere. One that was reported before is not reported again, so that there is one event a
    /// violation, however many hands it goes through.
    ///
    /// # Returns
    ///
    /// The violation, which from here on counts as reported.
    #[must_use = "a violation is an error"]
    pub fn report(&self, mut violation: Violation) -> Violation {
        if !violation.is_reported() {
            violation.mark_reported();
            self.violations.fetch_add(1, Ordering::Relaxed);
            self.tell(&Event::from(&violation));
            if mutant!(ViolationReportedTwice) {
                self.tell(&Event::from(&violation));
            }
        }
        violation
    }

    /// Where the policy of this dependency is.
    fn place_of(&self, dependency: &str) -> Option<usize> {
        self.policies().position(|policy| policy.dependency() == dependency)
    }

    fn tell(&self, event: &Event) {
        self.count_contained(u64::from(!survives(|| self.intake.take(event))));
    }

    /// So many panics of others' code were contained.
    pub(crate) fn count_contained(&self, panics: u64) {
        self.contained.fetch_add(panics, Ordering::Relaxed);
    }
}

impl<I, const P: usize, const N: usize> fmt::Debug for Guard<I, P, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("subsystem", &self.subsystem).finish_non_exhaustive()
    }
}

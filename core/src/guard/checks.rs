//! The checks: each gives what was asked for with the proof that it may be used, or reports why not.

use core::fmt;

use super::Guard;
use super::checked::{Allowed, Checked, Known, Present};
use super::identifier::Identifier;
use super::ids::{BlueprintId, TrainingRunId};
use super::reason::Reason;
use super::registry::Registry;
use super::violation::Violation;
use crate::catalogue::events::DependencyFallback;
use crate::sync::atomic::Ordering;
use crate::{Event, Intake, Text};

/// What is fetched ahead, and for which training run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Prefetch {
    /// The blueprint whose kernel is fetched.
    pub blueprint: BlueprintId,
    /// The run that it is fetched for.
    pub training_run: TrainingRunId,
}

/// Which of two was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there are the one that was asked for, and the other")]
pub enum Choice<T> {
    /// The one that was asked for.
    Asked(T),
    /// The fallback, which a policy allows.
    Fallback(T),
}

impl<T> Choice<T> {
    /// The one that was taken.
    pub fn into_inner(self) -> T {
        match self {
            Self::Asked(taken) | Self::Fallback(taken) => taken,
        }
    }
}

impl<I: Intake, const P: usize, const N: usize> Guard<I, P, N> {
    /// Something that must be there.
    ///
    /// # Errors
    ///
    /// [`Reason::MissingValue`], of the dependency `dependency` (a kind, such as `setting`) with the name `identifier`.
    pub fn require<T>(
        &self,
        dependency: &str,
        identifier: impl fmt::Display,
        value: Option<T>,
    ) -> Result<Present<T>, Violation> {
        let missing = || self.refuse(dependency, identifier, Reason::MissingValue, "");
        value.map(Checked::pass).ok_or_else(missing)
    }

    /// The identifier that `text` spells. It is its own proof.
    ///
    /// # Errors
    ///
    /// [`Reason::InvalidIdentifier`] with what is wrong with the text (G1).
    pub fn identify<K: Identifier>(&self, text: &str) -> Result<K, Violation> {
        let invalid = |error| self.refuse(K::KIND, format_args!("{text:?}"), Reason::InvalidIdentifier, error);
        text.parse().map_err(invalid)
    }

    /// An identifier that the registry must know.
    ///
    /// # Errors
    ///
    /// [`Reason::UnknownIdentifier`].
    pub fn known<K: Identifier>(&self, id: K, registry: &impl Registry<K>) -> Result<Known<K>, Violation> {
        if registry.knows(&id) {
            return Ok(Checked::pass(id));
        }
        let violation = self.refuse(K::KIND, id, Reason::UnknownIdentifier, "");
        if mutant!(ReportsAndLetsPass) {
            return Ok(Checked::pass(id));
        }
        Err(violation)
    }

    /// What an identifier names, which `look_up` must find.
    ///
    /// # Errors
    ///
    /// [`Reason::UnknownIdentifier`].
    pub fn find<K: Identifier, T>(
        &self,
        id: K,
        look_up: impl FnOnce(&K) -> Option<T>,
    ) -> Result<Present<T>, Violation> {
        look_up(&id).map(Checked::pass).ok_or_else(|| self.refuse(K::KIND, id, Reason::UnknownIdentifier, ""))
    }

    /// A prefetch, which must be for a training run.
    ///
    /// # Errors
    ///
    /// [`Reason::MissingValue`], of the dependency `training_run` with the blueprint as its identifier.
    pub fn prefetch(
        &self,
        blueprint: BlueprintId,
        training_run: Option<TrainingRunId>,
    ) -> Result<Present<Prefetch>, Violation> {
        let prefetch = training_run.map(|training_run| Checked::pass(Prefetch { blueprint, training_run }));
        let why = "a prefetch of this blueprint is for a training run";
        prefetch.ok_or_else(|| self.refuse(TrainingRunId::KIND, blueprint, Reason::MissingValue, why))
    }

    /// A fallback of a dependency, which a policy must allow by its name. `make` makes it, once it is known to be allowed and its use
    /// has been reported (G3).
    ///
    /// # Errors
    ///
    /// [`Reason::FallbackNotAllowed`]; then `make` is not called.
    pub fn fallback<T>(&self, dependency: &str, name: &str, make: impl FnOnce() -> T) -> Result<Allowed<T>, Violation> {
        if mutant!(ChecksAfterTheSideEffect) {
            let made = make();
            return self.permit(dependency, name, "").map(|()| Checked::pass(made));
        }
        self.permit(dependency, name, "")?;
        Ok(Checked::pass(make()))
    }

    /// The identifier that was asked for, if the registry knows it; else `fallback`, if there is one, the policy of the dependency
    /// `K::KIND` allows it by its name, and the registry knows it. That a fallback kernel is used without having been
    /// flagged as one is thus impossible: the choice says which it is.
    ///
    /// ```
    /// use countermand_core::{Choice, DependencyPolicy, Event, Guard, KernelId, SubsystemId};
    /// let policy = DependencyPolicy::new("kernel")?.allow("identity", "a seed may idle for an epoch")?;
    /// let guard = Guard::new(SubsystemId::new("kasmina")?, |_: &Event| {}).with_policy(policy)?;
    /// let (fused, identity) = (KernelId::new("fused")?, KernelId::new("identity")?);
    /// let only_identity = |id: &KernelId| *id == identity;
    /// assert_eq!(guard.known_or(fused, Some(identity), &only_identity)?.into_inner(), Choice::Fallback(identity));
    /// assert!(guard.known_or(fused, None, &only_identity).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Reason::UnknownIdentifier`] of the one, or of both; [`Reason::FallbackNotAllowed`].
    pub fn known_or<K: Identifier>(
        &self,
        id: K,
        fallback: Option<K>,
        registry: &impl Registry<K>,
    ) -> Result<Known<Choice<K>>, Violation> {
        let Some(fallback) = fallback.filter(|_| !registry.knows(&id)) else {
            return self.known(id, registry).map(|known| Checked::pass(Choice::Asked(known.into_inner())));
        };
        let instead = format_args!("instead of {id}, which is not known");
        let name = fallback.as_ref();
        if self.reason_for(K::KIND, name).is_some() && !registry.knows(&fallback) {
            return Err(self.refuse(K::KIND, fallback, Reason::UnknownIdentifier, instead));
        }
        self.permit(K::KIND, name, instead)?;
        Ok(Checked::pass(Choice::Fallback(fallback)))
    }

    /// Reports the use of a fallback, which must be allowed.
    fn permit(&self, dependency: &str, fallback: &str, details: impl fmt::Display) -> Result<(), Violation> {
        let Some((policy, place, reason)) = self.reason_for(dependency, fallback) else {
            if mutant!(FallbackWithoutPermission) {
                return Ok(());
            }
            return Err(self.refuse(dependency, fallback, Reason::FallbackNotAllowed, details));
        };
        let uses = self.uses[policy][place].fetch_add(1, Ordering::Relaxed) + 1;
        let silent = mutant!(FallbackUsedSilently) && uses > 1;
        if !silent {
            let said = DependencyFallback {
                subsystem: self.subsystem.as_ref(),
                dependency,
                identifier: fallback,
                reason,
                details: &Text::<{ Event::LONGEST_VALUE }>::of(details),
                uses,
            };
            let event = Event::from(said)
                .describe(format_args!("{}: {dependency} falls back to {fallback}: {reason}", self.subsystem));
            self.tell(&event);
        }
        Ok(())
    }

    /// The name of the event that each use of an allowed fallback becomes.
    pub const FALLBACK_EVENT: &'static str = DependencyFallback::NAME;

    /// Where the fallback is allowed: the places of its policy and of itself, and why.
    fn reason_for(&self, dependency: &str, fallback: &str) -> Option<(usize, usize, &str)> {
        let place = self.place_of(dependency)?;
        let policy = self.policies[place].as_ref()?;
        Some((place, policy.place_of(fallback)?, policy.reason_for(fallback)?))
    }

    /// A violation, reported.
    fn refuse(
        &self,
        dependency: &str,
        identifier: impl fmt::Display,
        reason: Reason,
        details: impl fmt::Display,
    ) -> Violation {
        self.report(Violation::new(self.subsystem, dependency, reason).about(identifier).details(details))
    }
}

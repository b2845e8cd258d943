//! What a configuration allows, as the policies of a guard.

use crate::config::{DependencySettings, ExecutionConfig};
use crate::{DependencyPolicy, PolicyError};

impl DependencySettings {
    /// The policy of the dependency of this name. With [`fallback_allowed`](Self::fallback_allowed) off it allows nothing, whatever
    /// the settings name (G3).
    ///
    /// # Errors
    ///
    /// If there are more than `N` fallbacks, or a name or a reason is none; settings that were [checked](ExecutionConfig::check) have good ones.
    pub fn policy<const N: usize>(&self, dependency: &str) -> Result<DependencyPolicy<N>, PolicyError> {
        let mut policy = DependencyPolicy::with_room(dependency)?;
        for (fallback, reason) in self.fallbacks.iter().filter(|_| self.fallback_allowed) {
            policy = policy.allow(fallback, reason)?;
        }
        Ok(policy)
    }
}

impl ExecutionConfig {
    /// The policies of all dependencies, by name, each with room for `N` fallbacks. A subsystem's are those of
    /// [`for_subsystem`](Self::for_subsystem).
    ///
    /// ```
    /// use countermand_core::config::{DependencySettings, ExecutionConfig};
    /// use countermand_core::{Event, Guard, SubsystemId};
    ///
    /// let mut config = ExecutionConfig::default();
    /// let mut kernel = DependencySettings::default();
    /// kernel.fallback_allowed = true;
    /// kernel.fallbacks.insert("eager".into(), "the build machine has no compiler".into());
    /// config.dependencies.insert("kernel".into(), kernel);
    ///
    /// let mut guard = Guard::new(SubsystemId::new("kasmina")?, |event: &Event| eprintln!("{event}"));
    /// for policy in config.policies() {
    ///     guard = guard.with_policy(policy?)?;
    /// }
    /// assert_eq!(guard.fallback("kernel", "eager", || "slow")?.into_inner(), "slow");
    /// assert!(guard.fallback("kernel", "stub", || "wrong").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn policies<const N: usize>(&self) -> impl Iterator<Item = Result<DependencyPolicy<N>, PolicyError>> {
        self.dependencies.iter().map(|(name, settings)| settings.policy(name))
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use crate::PolicyFault;
    use crate::config::{DependencySettings, ExecutionConfig, Form};

    #[test]
    fn what_is_off_allows_nothing_whatever_it_names() {
        let mut settings = DependencySettings::default();
        settings.fallbacks.insert("eager".into(), "no compiler".into());
        let policy = settings.policy::<1>("kernel").expect("good names");
        assert_eq!(policy.reason_for("eager"), None);
        settings.fallback_allowed = true;
        let policy = settings.policy::<1>("kernel").expect("good names");
        assert_eq!(policy.reason_for("eager"), Some("no compiler"));
        let error = settings.policy::<0>("kernel").expect_err("no room");
        assert_eq!(error.fault, PolicyFault::Full { limit: 0 });
    }

    #[test]
    fn whatever_passes_the_check_is_a_policy() {
        let mut config = ExecutionConfig::default();
        let mut settings = DependencySettings { fallback_allowed: true, ..DependencySettings::default() };
        let longest = |form: &Form| "n".repeat(form.longest);
        settings.fallbacks.insert(longest(&Form::NAME), longest(&Form::REASON));
        config.dependencies.insert(longest(&Form::NAME), settings);
        config.check().expect("within the bounds");
        assert!(config.policies::<4>().all(|policy| policy.is_ok()));
    }
}

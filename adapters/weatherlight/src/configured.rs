//! The configuration as it was loaded, to be loaded from the same places again.

use async_channel::Receiver;
use countermand::config::{Deprecation, ExecutionConfig, Live, LoadError, Loader, Reload};

/// See the head of the file.
#[derive(Debug)]
pub(crate) struct Configured {
    live: Live,
    outcomes: Receiver<Reload>,
    /// As which subsystem has it.
    subsystem: Option<String>,
}

impl Configured {
    /// Loads it for the first time.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub(crate) fn load(loader: Loader, subsystem: Option<&str>) -> Result<Self, LoadError> {
        let (to, outcomes) = async_channel::unbounded();
        // Whoever loads again reads what came of it.
        let live = Live::new(loader, move |outcome: &Reload| drop(to.try_send(outcome.clone())))?;
        Ok(Self { live, outcomes, subsystem: subsystem.map(str::to_owned) })
    }

    /// What was loaded last.
    pub(crate) fn config(&self) -> ExecutionConfig {
        let loaded = self.live.loaded();
        match &self.subsystem {
            Some(name) => loaded.config().for_subsystem(name),
            None => loaded.config().clone(),
        }
    }

    /// The variables under old names that were read.
    pub(crate) fn deprecations(&self) -> Vec<Deprecation> {
        self.live.loaded().deprecations().to_vec()
    }

    /// Loads it again, all of it or nothing. The keys that have changed are as this program has them: what another subsystem has otherwise is none of
    /// its business.
    pub(crate) fn again(&self) -> Option<Reload> {
        // What is wrong is in the outcome.
        drop(self.live.reload());
        let mut outcome = self.outcomes.try_recv().ok()?;
        if let Reload::Applied { changed, .. } = &mut outcome {
            let own = changed.drain(..).filter_map(|key| self.own(&key).map(str::to_owned));
            let mut own: Vec<String> = own.collect();
            own.sort_unstable();
            own.dedup();
            *changed = own;
        }
        Some(outcome)
    }

    fn own<'k>(&self, key: &'k str) -> Option<&'k str> {
        match key.strip_prefix("subsystem.") {
            None => Some(key),
            Some(key) => {
                key.split_once('.').filter(|(name, _)| Some(*name) == self.subsystem.as_deref()).map(|(_, key)| key)
            }
        }
    }
}

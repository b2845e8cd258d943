//! A configuration that can be loaded again while it is read.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, PoisonError};

use arc_swap::{ArcSwap, Cache};
use countermand_core::config::ExecutionConfig;

use crate::legacy::Deprecation;
use crate::loaded::Loaded;
use crate::loader::Loader;
use crate::problem::LoadError;
use crate::secrets::changed;
use crate::sync::{self, Mutex};

/// What came of loading again; told exactly once each time (G7).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reload {
    /// The new configuration is in force.
    Applied {
        /// The dotted keys whose values are others than before, in their order.
        changed: Vec<String>,
        /// Variables under their old names that were not reported before.
        deprecations: Vec<Deprecation>,
    },
    /// The new one cannot be; the old one is in force as before.
    Refused(LoadError),
}

/// A configuration that can be loaded again while it is read: atomically, the old or the new, and a bad one leaves the old in force.
///
/// ```
/// use countermand_config::{Format, Live, Loader};
/// let live = Live::new(Loader::new().text("a.toml", Format::Toml, "worker.lanes = 8"), |_| {}).unwrap();
/// let mut reader = live.reader();
/// assert_eq!(reader.read().worker.lanes, 8);
/// live.reload_from(Loader::new().text("a.toml", Format::Toml, "worker.lanes = 0")).unwrap_err();
/// assert_eq!(reader.read().worker.lanes, 8);
/// live.reload_from(Loader::new().text("a.toml", Format::Toml, "worker.lanes = 9")).unwrap();
/// assert_eq!(reader.read().worker.lanes, 9);
/// ```
///
/// # Implementation notes
///
/// A reader keeps what it read last and compares one pointer, which is one atomic load; it takes no lock, not even when the
/// configuration has changed. This is `arc-swap` with its cache. A counter of generations beside an `Arc` of our own was no faster
/// (`benches/benches/config.rs`) and needs a lock for whoever sees a new generation.
pub struct Live {
    current: Arc<ArcSwap<Loaded>>,
    /// Held while loading, so that what was begun later is not covered by what was begun earlier.
    state: Mutex<State>,
    observer: Box<dyn Fn(&Reload) + Send + Sync>,
}

struct State {
    loader: Loader,
    /// The old names that were reported.
    reported: BTreeSet<String>,
}

impl Live {
    /// Loads for the first time. `observer` is told what comes of each time after that; it is called without a lock.
    ///
    /// # Errors
    ///
    /// [`LoadError`], as [`Loader::load`]: there is nothing older to stay with.
    pub fn new(loader: Loader, observer: impl Fn(&Reload) + Send + Sync + 'static) -> Result<Self, LoadError> {
        let loaded = loader.load()?;
        let reported = loaded.deprecations().iter().map(|deprecation| deprecation.variable.clone()).collect();
        let current = Arc::new(ArcSwap::from_pointee(loaded));
        Ok(Self { current, state: Mutex::new(State { loader, reported }), observer: Box::new(observer) })
    }

    /// What is in force now. A [`Reader`] is cheaper for whoever asks often.
    #[must_use]
    pub fn loaded(&self) -> Arc<Loaded> {
        self.current.load_full()
    }

    /// One who reads often. Each thread has its own.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { cache: Cache::new(Arc::clone(&self.current)) }
    }

    /// Loads again from where it was loaded last. Files are read again; variables and flags are those that the loader has.
    ///
    /// # Errors
    ///
    /// [`LoadError`]; the old configuration is in force as before.
    pub fn reload(&self) -> Result<(), LoadError> {
        self.load(None)
    }

    /// Loads again from elsewhere, and from there on; if that cannot be loaded, everything stays as it was.
    ///
    /// # Errors
    ///
    /// [`LoadError`]; the old configuration is in force as before.
    pub fn reload_from(&self, loader: Loader) -> Result<(), LoadError> {
        self.load(Some(loader))
    }

    fn load(&self, new: Option<Loader>) -> Result<(), LoadError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (event, result) = match new.as_ref().unwrap_or(&state.loader).load() {
            Ok(loaded) => {
                let mut deprecations = loaded.deprecations().to_vec();
                deprecations.retain(|deprecation| state.reported.insert(deprecation.variable.clone()));
                if mutant!(FieldsSwappedOneByOne) {
                    let mut half = self.current.load().config().clone();
                    half.worker.lanes = loaded.config().worker.lanes;
                    self.current.store(Arc::new(Loaded::new(half, Default::default(), Vec::new())));
                    sync::yield_now();
                }
                let old = self.current.swap(Arc::new(loaded));
                let changed = changed(old.config(), self.current.load().config());
                state.loader = new.unwrap_or_else(|| state.loader.clone());
                (Reload::Applied { changed, deprecations }, Ok(()))
            }
            Err(error) => (Reload::Refused(error.clone()), Err(error)),
        };
        drop(state);
        (self.observer)(&event);
        result
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("config", self.current.load().config()).finish_non_exhaustive()
    }
}

/// Reads a [`Live`] configuration: one atomic load if nothing has changed.
pub struct Reader {
    cache: Cache<Arc<ArcSwap<Loaded>>, Arc<Loaded>>,
}

impl Reader {
    /// What is in force now. As long as what this returns is held, it does not change.
    #[inline]
    pub fn read(&mut self) -> &ExecutionConfig {
        self.cache.load().config()
    }
}

impl Clone for Reader {
    fn clone(&self) -> Self {
        Self { cache: self.cache.clone() }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

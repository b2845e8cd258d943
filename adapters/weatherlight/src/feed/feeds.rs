//! The routers of all feeds, for whoever looks at their figures.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use countermand::Router;

use super::Fed;

/// See the head of the file. A clone is the same list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Feeds {
    routers: Arc<Mutex<BTreeMap<&'static str, Router<Fed>>>>,
}

impl Feeds {
    /// The feed of this name has this router from here on.
    pub(super) fn set(&self, name: &'static str, router: Router<Fed>) {
        self.routers.lock().unwrap_or_else(PoisonError::into_inner).insert(name, router);
    }

    /// The routers that there are, each with the name of its feed.
    pub(crate) fn all(&self) -> Vec<(&'static str, Router<Fed>)> {
        let routers = self.routers.lock().unwrap_or_else(PoisonError::into_inner);
        routers.iter().map(|(name, router)| (*name, router.clone())).collect()
    }
}

//! An executor: held while it is used, and known while it is not.

use std::ops::Deref;
use std::sync::{Arc, Weak};

use async_executor::Executor;

/// An executor for as long as it is used.
#[derive(Debug)]
pub(crate) enum Lease {
    Shared(Arc<Executor<'static>>),
    Static(&'static Executor<'static>),
}

impl Lease {
    pub(crate) fn lent(&self) -> Lent {
        match self {
            Self::Shared(executor) => Lent::Shared(Arc::downgrade(executor)),
            Self::Static(executor) => Lent::Static(executor),
        }
    }
}

impl Deref for Lease {
    type Target = Executor<'static>;

    fn deref(&self) -> &Executor<'static> {
        match self {
            Self::Shared(executor) => executor,
            Self::Static(executor) => executor,
        }
    }
}

/// An executor of somebody else's.
#[derive(Clone, Debug)]
pub(crate) enum Lent {
    /// Not kept alive: its tasks may hold this, and would keep themselves alive.
    Shared(Weak<Executor<'static>>),
    /// Always there.
    Static(&'static Executor<'static>),
}

impl Lent {
    /// The executor. `None` if it is gone.
    pub(crate) fn lease(&self) -> Option<Lease> {
        match self {
            Self::Shared(executor) => executor.upgrade().map(Lease::Shared),
            Self::Static(executor) => Some(Lease::Static(executor)),
        }
    }
}

//! Where drivers live: one of several executors.

use std::sync::Arc;

use countermand_core::{Drive, Host};

use crate::error::StartError;
use crate::lease::{Lease, Lent};
use crate::threads::Threads;

/// See the head of the file.
#[derive(Clone, Debug)]
pub(crate) enum Home {
    /// An executor of the user's.
    Lent(Lent),
    /// An executor with threads of its own.
    Own(Arc<Threads>),
    /// The executor of `smol::spawn`.
    #[cfg(feature = "global")]
    Global,
}

impl Home {
    /// The executor. `None` if it is gone, or not to be had.
    pub(crate) fn lease(&self) -> Option<Lease> {
        match self {
            Self::Lent(executor) => executor.lease(),
            Self::Own(threads) => Some(Lease::Shared(threads.executor())),
            #[cfg(feature = "global")]
            Self::Global => None,
        }
    }

    /// Spawns the attendants of a worker. Where the executor is gone, drops them.
    pub(crate) fn spawn<H: Host<Alarm: Send>>(&self, attendants: Vec<Drive<H>>) -> Result<(), StartError> {
        // Detached: dropping smol's task would cancel it.
        #[cfg(feature = "global")]
        if matches!(self, Self::Global) {
            attendants.into_iter().for_each(|attendant| smol::spawn(attendant).detach());
            return Ok(());
        }
        let executor = self.lease().ok_or(StartError::ExecutorGone)?;
        attendants.into_iter().for_each(|attendant| executor.spawn(attendant).detach());
        Ok(())
    }
}

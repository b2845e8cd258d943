//! The host that the program runs on: tokio, smol, or threads.

use std::num::NonZero;
use std::thread;

use clap::ValueEnum;
use countermand::{Blocking, Smol, Tokio, Worker, WorkerConfig};

/// The hosts that there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum HostName {
    /// A multi-thread runtime of tokio's.
    #[default]
    Tokio,
    /// An executor of smol's on threads of its own.
    Smol,
    /// Plain threads, with no runtime.
    Threads,
}

/// See the head of the file. Whatever runs on it ends with it.
#[derive(Debug)]
pub(crate) enum House {
    Tokio(tokio::runtime::Runtime),
    Smol(Smol),
    Threads(Blocking),
}

impl House {
    /// The host of this name.
    ///
    /// # Errors
    ///
    /// If the system gives no threads, in words.
    pub(crate) fn new(name: HostName) -> Result<Self, String> {
        Ok(match name {
            HostName::Tokio => {
                let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
                Self::Tokio(runtime.map_err(|error| format!("tokio does not start: {error}"))?)
            }
            HostName::Smol => {
                let threads = thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
                Self::Smol(Smol::with_threads(threads).map_err(|error| format!("smol does not start: {error}"))?)
            }
            HostName::Threads => Self::Threads(Blocking::new()),
        })
    }

    /// Starts a worker.
    ///
    /// # Errors
    ///
    /// What is wrong with its settings or with the host, in words.
    pub(crate) fn start(&self, config: WorkerConfig) -> Result<Worker, String> {
        let name = config.name.clone();
        let started = match self {
            Self::Tokio(runtime) => {
                Tokio::from_handle(runtime.handle().clone()).start(config).map_err(|error| error.to_string())
            }
            Self::Smol(smol) => smol.start(config).map_err(|error| error.to_string()),
            Self::Threads(threads) => threads.start(config).map_err(|error| error.to_string()),
        };
        started.map_err(|error| format!("the worker {name} does not start: {error}"))
    }

    /// Lets go of the host without waiting for calls that do not come back.
    pub(crate) fn leave(self) {
        if let Self::Tokio(runtime) = self {
            runtime.shutdown_background();
        }
    }
}

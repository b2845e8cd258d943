//! The host of this run: tokio, smol, or threads.

use std::error::Error;
use std::num::NonZero;

use countermand::{Blocking, Smol, Tokio, Worker, WorkerConfig};

use crate::args::HostName;

/// See the head of the file.
pub(crate) enum Host {
    Tokio(tokio::runtime::Runtime),
    Smol(Smol),
    Blocking(Blocking),
}

impl Host {
    pub(crate) fn new(name: HostName) -> Result<Self, Box<dyn Error>> {
        Ok(match name {
            HostName::Tokio => Self::Tokio(tokio::runtime::Builder::new_multi_thread().enable_time().build()?),
            HostName::Smol => {
                Self::Smol(Smol::with_threads(std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN))?)
            }
            HostName::Blocking => Self::Blocking(Blocking::new()),
        })
    }

    pub(crate) fn start(&self, config: WorkerConfig) -> Result<Worker, Box<dyn Error>> {
        Ok(match self {
            Self::Tokio(runtime) => Tokio::from_handle(runtime.handle().clone()).start(config)?,
            Self::Smol(smol) => smol.start(config)?,
            Self::Blocking(blocking) => blocking.start(config)?,
        })
    }
}

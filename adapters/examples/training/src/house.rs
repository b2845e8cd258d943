//! The host of this run: tokio, smol, or threads.

use std::error::Error;
use std::num::NonZero;
use std::sync::Arc;

use countermand::{Assembly, Blocking, Host, Smol, Tokio, Worker, WorkerConfig};

use crate::args::HostName;
use crate::clock::{Clock, Clocked};

/// See the head of the file.
#[derive(Debug)]
pub(crate) enum House {
    Tokio(tokio::runtime::Runtime),
    Smol(Smol),
    Blocking(Blocking),
}

impl House {
    pub(crate) fn new(name: HostName) -> Result<Self, Box<dyn Error>> {
        Ok(match name {
            HostName::Tokio => Self::Tokio(tokio::runtime::Builder::new_multi_thread().enable_time().build()?),
            HostName::Smol => {
                let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
                Self::Smol(Smol::with_threads(threads)?)
            }
            HostName::Blocking => Self::Blocking(Blocking::new()),
        })
    }

    /// Starts a worker on the host's own time.
    pub(crate) fn start(&self, config: WorkerConfig) -> Result<Worker, Box<dyn Error>> {
        Ok(match self {
            Self::Tokio(runtime) => Tokio::from_handle(runtime.handle().clone()).start(config)?,
            Self::Smol(smol) => smol.start(config)?,
            Self::Blocking(blocking) => blocking.start(config)?,
        })
    }

    /// Starts a worker on the time of `clock`.
    pub(crate) fn start_on(&self, clock: &Clock, config: WorkerConfig) -> Result<Worker, Box<dyn Error>> {
        Ok(match self {
            Self::Tokio(runtime) => {
                let tokio = Tokio::from_handle(runtime.handle().clone());
                tokio.launch(assembly(tokio.clone(), clock, config)?)?
            }
            Self::Smol(smol) => smol.launch(assembly(smol.clone(), clock, config)?)?,
            Self::Blocking(blocking) => blocking.launch(assembly(blocking.clone(), clock, config)?)?,
        })
    }
}

fn assembly<H: Host>(host: H, clock: &Clock, config: WorkerConfig) -> Result<Assembly<Clocked<H>>, Box<dyn Error>> {
    Ok(Assembly::new(config, Arc::new(Clocked { host, clock: clock.clone() }))?)
}

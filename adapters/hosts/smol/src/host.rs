//! Smol as a host of workers.

use std::num::NonZero;
use std::sync::Arc;

use async_executor::Executor;
use countermand_core::{Assembly, Call, Host, Instant, Worker, WorkerConfig, WouldDeadlock};

use crate::alarm::SmolAlarm;
use crate::error::StartError;
use crate::home::Home;
use crate::lease::Lent;
use crate::stand_in;
use crate::threads::{self, Threads};

/// An executor of smol's as a host. A clone is the same host.
#[derive(Clone, Debug)]
pub struct Smol {
    home: Home,
}

impl Smol {
    /// An executor of yours. You run it, on as many threads as you like; it is not kept alive by its workers.
    #[must_use]
    pub fn on(executor: &Arc<Executor<'static>>) -> Self {
        Self { home: Home::Lent(Lent::Shared(Arc::downgrade(executor))) }
    }

    /// An executor of yours in a `static`.
    #[must_use]
    pub fn on_static(executor: &'static Executor<'static>) -> Self {
        Self { home: Home::Lent(Lent::Static(executor)) }
    }

    /// An executor of its own on so many threads, which are started here and end with the last worker and the last clone of this.
    ///
    /// # Errors
    ///
    /// [`StartError::Thread`] if the system gives no more threads.
    pub fn with_threads(threads: NonZero<usize>) -> Result<Self, StartError> {
        let threads = Threads::start(threads).map_err(StartError::Thread)?;
        Ok(Self { home: Home::Own(Arc::new(threads)) })
    }

    /// The executor of `smol::spawn`, with as many threads as the environment variable `SMOL_THREADS` says, by default one.
    #[cfg(feature = "global")]
    #[must_use]
    pub fn global() -> Self {
        Self { home: Home::Global }
    }

    /// Starts a worker: spawns its drivers and its keeper.
    ///
    /// # Errors
    ///
    /// [`StartError`]: settings at fault, or an executor that was dropped.
    pub fn start(&self, config: WorkerConfig) -> Result<Worker, StartError> {
        self.launch(Assembly::new(config, Arc::new(self.clone()))?)
    }

    /// Spawns the attendants of a worker that was put together for this host, or for one on top of it.
    ///
    /// # Errors
    ///
    /// [`StartError`], as for [`start`](Self::start).
    pub fn launch<H: Host<Alarm: Send>>(&self, assembly: Assembly<H>) -> Result<Worker, StartError> {
        let (worker, attendants) = assembly.into_parts();
        self.home.spawn(attendants)?;
        Ok(worker)
    }
}

impl Host for Smol {
    type Alarm = SmolAlarm;

    fn now(&self) -> Instant {
        Instant::from_std(std::time::Instant::now())
    }

    fn alarm(&self) -> SmolAlarm {
        SmolAlarm::new()
    }

    fn offload(&self, call: Call) -> Result<(), Call> {
        blocking::unblock(move || call.run()).detach();
        Ok(())
    }

    fn has_threads(&self) -> bool {
        true
    }

    fn block(&self, wait: &mut dyn FnMut()) -> Result<(), WouldDeadlock> {
        let needed_here = match &self.home {
            // Nobody knows which threads run it; this may be the only one.
            Home::Lent(_) => self.home.lease(),
            #[cfg(feature = "global")]
            Home::Global if on_a_global_thread() => return Err(WouldDeadlock),
            _ => threads::runs_here(),
        };
        match needed_here {
            Some(executor) => stand_in::while_in(wait, executor).map_err(|_| WouldDeadlock),
            None => {
                wait();
                Ok(())
            }
        }
    }
}

/// Whether this is a thread of smol's global executor. It is known by the name that smol gives to its threads.
#[cfg(feature = "global")]
fn on_a_global_thread() -> bool {
    std::thread::current().name().is_some_and(|name| name.starts_with("smol-"))
}

//! Embassy as a host of workers.

#[cfg(feature = "alloc")]
use alloc::sync::Arc;

#[cfg(feature = "alloc")]
use countermand_core::{Assembly, Worker, WorkerConfig};
use countermand_core::{Host, Instant, WouldDeadlock};
#[cfg(feature = "alloc")]
use embassy_executor::{SpawnError, Spawner};

use crate::alarm::EmbassyAlarm;
#[cfg(feature = "alloc")]
use crate::attendant::Attendant;
#[cfg(feature = "alloc")]
use crate::error::StartError;
use crate::ticks;

/// Embassy as a host. There is one time driver in a program, so all of these are the same.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Embassy;

impl Embassy {
    /// The host.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

#[cfg(feature = "alloc")]
impl Embassy {
    /// Starts a worker: gives each of its drivers, and its keeper, to `spawn`, which spawns a task that awaits it. [`tasks!`](crate::tasks) declares
    /// such tasks and calls this.
    ///
    /// # Errors
    ///
    /// [`StartError`]: settings at fault, or not a task for each.
    pub fn start(
        self,
        spawner: Spawner,
        config: WorkerConfig,
        mut spawn: impl FnMut(Spawner, Attendant<Self>) -> Result<(), SpawnError>,
    ) -> Result<Worker, StartError> {
        // A `Spawner` stays on its executor's thread, so this is it.
        #[cfg(feature = "std")]
        crate::attendant::thread::is_an_executors();
        self.launch(Assembly::new(config, Arc::new(self))?, |attendant| spawn(spawner, attendant))
    }

    /// Starts a worker that was put together for this host, or for one on top of it; on any executor, of an interrupt's too.
    ///
    /// # Errors
    ///
    /// [`StartError::TooFewTasks`], if `spawn` gives an error.
    pub fn launch<H: Host>(
        self,
        assembly: Assembly<H>,
        mut spawn: impl FnMut(Attendant<H>) -> Result<(), SpawnError>,
    ) -> Result<Worker, StartError> {
        let (worker, attendants) = assembly.into_parts();
        let count = attendants.len();
        for (free, attendant) in attendants.into_iter().enumerate() {
            // The keeper is the last, and is dropped with those that have no task: that ends the others (S6).
            spawn(Attendant::new(attendant)).map_err(|_| StartError::TooFewTasks { attendants: count, free })?;
        }
        Ok(worker)
    }
}

impl Host for Embassy {
    type Alarm = EmbassyAlarm;

    fn now(&self) -> Instant {
        ticks::now()
    }

    fn alarm(&self) -> EmbassyAlarm {
        EmbassyAlarm::new()
    }

    #[cfg(feature = "std")]
    fn block(&self, wait: &mut dyn FnMut()) -> Result<(), WouldDeadlock> {
        if crate::attendant::thread::is_needed() {
            return Err(WouldDeadlock);
        }
        wait();
        Ok(())
    }

    /// Without threads nobody could go on meanwhile.
    #[cfg(not(feature = "std"))]
    fn block(&self, _: &mut dyn FnMut()) -> Result<(), WouldDeadlock> {
        Err(WouldDeadlock)
    }
}

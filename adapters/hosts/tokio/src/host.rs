//! Tokio as a host of workers.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use countermand_core::{Assembly, Call, Host, Instant, Worker, WorkerConfig, WouldDeadlock};
use tokio::runtime::{Handle, Id, RuntimeFlavor};
use tokio::task;

use crate::alarm::TokioAlarm;
use crate::error::{NoRuntime, StartError};
use crate::spawn::spawn;

/// A tokio runtime as a host. A clone is the same host.
///
/// It does not keep the runtime going: when that is shut down, the jobs of the workers on it settle.
#[derive(Clone, Debug)]
pub struct Tokio {
    runtime: Handle,
}

impl Tokio {
    /// The runtime that this thread is in.
    ///
    /// # Errors
    ///
    /// [`NoRuntime`] if it is in none.
    pub fn current() -> Result<Self, NoRuntime> {
        Handle::try_current().map(Self::from_handle).map_err(|_| NoRuntime)
    }

    /// The runtime with this handle.
    #[must_use]
    pub fn from_handle(runtime: Handle) -> Self {
        Self { runtime }
    }

    /// Starts a worker: spawns its drivers and its keeper. May be called from outside of the runtime.
    ///
    /// # Errors
    ///
    /// [`StartError`]: settings at fault, or a runtime that is shut down or has no timers. (Tokio tells of missing timers only by a panic, which
    /// is caught here; the panic hook sees it.)
    pub fn start(&self, config: WorkerConfig) -> Result<Worker, StartError> {
        self.launch(Assembly::new(config, Arc::new(self.clone()))?)
    }

    /// Spawns the attendants of a worker that was put together for this host, or for one on top of it.
    ///
    /// # Errors
    ///
    /// [`StartError`], as for [`start`](Self::start).
    pub fn launch<H: Host<Alarm: Send>>(&self, assembly: Assembly<H>) -> Result<Worker, StartError> {
        if !self.has_timers() {
            return Err(StartError::NoTimers);
        }
        let (worker, attendants) = assembly.into_parts();
        for attendant in attendants {
            spawn(&self.runtime, &worker.config().name, attendant); // Detached: the worker's end is theirs.
        }
        // A runtime that has been shut down drops what it is given to spawn, and a worker without drivers is closed.
        if worker.is_closed() { Err(StartError::RuntimeGone) } else { Ok(worker) }
    }

    fn has_timers(&self) -> bool {
        let _inside = self.runtime.enter();
        catch_unwind(|| drop(tokio::time::sleep(std::time::Duration::ZERO))).is_ok()
    }
}

std::thread_local! {
    /// The runtime as one of whose calls this thread runs at the moment.
    static CALL_OF: Cell<Option<Id>> = const { Cell::new(None) };
}

impl Host for Tokio {
    type Alarm = TokioAlarm;

    fn now(&self) -> Instant {
        // A clock that is paused is the clock of one runtime, and read only inside of it. Tasks are; to ask for more each time would
        // cost more than the reading.
        let read = || Instant::from_std(tokio::time::Instant::now().into_std());
        if task::try_id().is_some() {
            return read();
        }
        match Handle::try_current() {
            Ok(here) if here.id() == self.runtime.id() => read(),
            // The thread is ending, and cannot enter a runtime any more.
            Err(error) if error.is_thread_local_destroyed() => Instant::from_std(std::time::Instant::now()),
            _ => {
                let _inside = self.runtime.enter();
                read()
            }
        }
    }

    fn alarm(&self) -> TokioAlarm {
        TokioAlarm::new(self.runtime.clone())
    }

    fn offload(&self, call: Call) -> Result<(), Call> {
        let id = self.runtime.id();
        // A runtime that has been shut down drops the closure, and the call with it.
        drop(self.runtime.spawn_blocking(move || {
            CALL_OF.set(Some(id));
            call.run();
            CALL_OF.set(None);
        }));
        Ok(())
    }

    fn has_threads(&self) -> bool {
        true
    }

    fn block(&self, wait: &mut dyn FnMut()) -> Result<(), WouldDeadlock> {
        let Ok(here) = Handle::try_current() else {
            wait();
            return Ok(());
        };
        if CALL_OF.get() == Some(self.runtime.id()) {
            wait();
            return Ok(());
        }
        if here.runtime_flavor() != RuntimeFlavor::MultiThread {
            return Err(WouldDeadlock);
        }
        let mut begun = false;
        let blocked = catch_unwind(AssertUnwindSafe(|| {
            task::block_in_place(|| {
                begun = true;
                wait();
            });
        }));
        match blocked {
            Ok(()) => Ok(()),
            Err(payload) if begun => resume_unwind(payload),
            // A `LocalSet`, or a task of a current-thread runtime that has entered another one.
            Err(_) => Err(WouldDeadlock),
        }
    }
}

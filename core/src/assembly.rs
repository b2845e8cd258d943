//! A worker in parts, for a host to put on its feet.

use crate::sync::Arc;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use crate::Token;
use crate::books::Books;
use crate::config::{ConfigError, WorkerConfig};
use crate::drive::Drive;
use crate::driver::Driver;
use crate::driver_port::DriverPort;
use crate::ending::Ending;
use crate::host::Host;
use crate::job::conditions::Defaults;
use crate::keeper::Keeper;
use crate::port::Port;
use crate::queue::Queue;
use crate::shared::{KeeperPort, Shared};
use crate::sync::Lock;
use crate::sync::atomic::{AtomicBool, AtomicUsize};
use crate::timers::Timers;
use crate::worker::Worker;

/// A worker in parts: the door for its users, and what the host has to run for it.
///
/// # For implementers
///
/// A host MUST poll every attendant that [`into_parts`](Assembly::into_parts) gives to its end, each on its own task or thread, or drop it. It
/// MAY drop them in any order and at any time (S6). One that has no executor takes [`into_machine`](Assembly::into_machine) instead, and
/// MUST step each of them whenever it is woken or its time has come.
pub struct Assembly<H: Host> {
    worker: Worker,
    drivers: Vec<Driver>,
    keeper: Keeper,
    host: Arc<H>,
}

impl<H: Host> Assembly<H> {
    /// Checks `config` and makes the parts. Needs no runtime.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every setting that cannot be.
    pub fn new(config: WorkerConfig, host: Arc<H>) -> Result<Self, ConfigError> {
        config.check()?;
        let drivers = config.driver_count();
        let lanes_of = |driver: usize| {
            config.lanes / drivers + usize::from(driver < config.lanes % drivers || mutant!(OneLaneMoreThanTheLimit))
        };
        let mut lanes: Vec<usize> = (0..drivers).map(lanes_of).collect();
        lanes.extend(mutant!(OneDriverTooMany).then_some(1));
        let drivers = lanes.len();
        let shared = Arc::new(Shared {
            queue: Queue::new(&config, drivers),
            defaults: Defaults::from(&config),
            host: host.clone(),
            drivers: lanes.iter().map(|&lanes| Arc::new(DriverPort::new(lanes))).collect(),
            keeper: KeeperPort {
                port: Port::new(),
                reap: Lock::new(VecDeque::new()),
                evicted: Lock::new(VecDeque::new()),
                watched: Lock::new(Timers::growing()),
            },
            root: Token::new(),
            books: Books::new(drivers),
            aborting: AtomicBool::new(false),
            watching: AtomicBool::new(false),
            drivers_left: AtomicUsize::new(drivers),
            attendants_left: AtomicUsize::new(drivers + 1),
            host_went: AtomicBool::new(false),
            ending: Ending::new(),
            config,
        });
        let drivers =
            lanes.iter().enumerate().map(|(index, &lanes)| Driver::new(shared.clone(), index, lanes)).collect();
        let keeper = Keeper::new(shared.clone());
        Ok(Self { worker: Worker::new(shared), drivers, keeper, host })
    }

    /// The door for the worker's users.
    #[must_use]
    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// The door, and what the host has to run: the drivers, and the keeper as the last.
    #[must_use]
    pub fn into_parts(self) -> (Worker, Vec<Drive<H>>) {
        let Self { worker, drivers, keeper, host } = self;
        let mut attendants: Vec<_> = drivers.into_iter().map(|driver| Drive::driver(driver, host.clone())).collect();
        attendants.push(Drive::keeper(keeper, host));
        (worker, attendants)
    }

    /// The door and the bare machine, to be stepped by hand: for a host that is a loop. The host's alarms are not used then: each
    /// step answers until when there is nothing to do.
    #[must_use]
    pub fn into_machine(self) -> (Worker, Vec<Driver>, Keeper) {
        (self.worker, self.drivers, self.keeper)
    }
}

impl<H: Host> fmt::Debug for Assembly<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assembly").field("worker", &self.worker).finish_non_exhaustive()
    }
}

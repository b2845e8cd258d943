//! Plain threads as a host of workers.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use countermand_core::{Assembly, Call, Host, Instant, Worker, WorkerConfig, WouldDeadlock};

use crate::alarm::BlockingAlarm;
use crate::error::StartError;
use crate::pool::{Pool, Style, builder};
use crate::role;
use crate::seat::{self, Seat};

/// Threads as a host. A clone is the same host, with the same pool for calls.
#[derive(Clone, Debug)]
pub struct Blocking {
    pool: Arc<Pool>,
}

impl Blocking {
    /// The host with the defaults of its [`Builder`]. Starts no thread.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// For other names, stacks or numbers of threads.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Starts a worker: a thread for each driver, and one for its keeper.
    ///
    /// # Errors
    ///
    /// [`StartError`]: settings at fault, or a system that gives no more threads.
    pub fn start(&self, config: WorkerConfig) -> Result<Worker, StartError> {
        self.launch(Assembly::new(config, Arc::new(self.clone()))?)
    }

    /// Gives threads to the attendants of a worker that was put together for this host, or for one on top of it.
    ///
    /// # Errors
    ///
    /// [`StartError`], as for [`start`](Self::start).
    pub fn launch<H: Host<Alarm: Send>>(&self, assembly: Assembly<H>) -> Result<Worker, StartError> {
        let (worker, attendants) = assembly.into_parts();
        for attendant in attendants {
            let name = match attendant.index() {
                Some(index) => format!("{}-{index}", worker.config().name),
                None => format!("{}-keeper", worker.config().name),
            };
            let thread = builder(name, self.pool.style().stack_size);
            // One step a turn: what came of it goes to the pool before another one may take long.
            let (seat, crew) = (Seat::new(attendant.with_turn_budget(1)), self.pool.crew());
            // Not joined: it ends with the worker. If this one cannot be had, those before it end with the worker here.
            drop(thread.spawn(move || seat.live(crew.spin())).map_err(StartError::Thread)?);
        }
        Ok(worker)
    }
}

impl Default for Blocking {
    fn default() -> Self {
        Self::new()
    }
}

impl Host for Blocking {
    type Alarm = BlockingAlarm;

    fn now(&self) -> Instant {
        Instant::from_std(std::time::Instant::now())
    }

    fn alarm(&self) -> BlockingAlarm {
        BlockingAlarm::new()
    }

    fn offload(&self, call: Call) -> Result<(), Call> {
        self.pool.run(call);
        Ok(())
    }

    fn has_threads(&self) -> bool {
        true
    }

    fn block(&self, wait: &mut dyn FnMut()) -> Result<(), WouldDeadlock> {
        if role::is_attendant() {
            return Err(WouldDeadlock);
        }
        wait();
        Ok(())
    }
}

/// How a [`Blocking`] is to be.
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    style: Style,
}

impl Builder {
    fn new() -> Self {
        let most = NonZero::<usize>::MIN.saturating_add(511);
        let keep_alive = Duration::from_secs(10);
        Self { style: Style { name: "countermand-call".to_owned(), stack_size: None, most, keep_alive } }
    }

    /// The name of the threads that calls run on. Default: `countermand-call`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.style.name = name.into();
        self
    }

    /// The stack of each thread, in bytes. Default: that of the standard library.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.style.stack_size = Some(bytes);
        self
    }

    /// How many threads run calls at the most; more calls than that wait for one. (How many calls a worker runs at a time is up to its
    /// lanes; this bound is for all workers on the host.) Default: 512.
    pub fn max_threads(mut self, most: NonZero<usize>) -> Self {
        self.style.most = most;
        self
    }

    /// How long a thread without a call stays, for the next one. Default: 10 s.
    pub fn keep_alive(mut self, limit: Duration) -> Self {
        self.style.keep_alive = limit;
        self
    }

    /// The host. Starts no thread.
    #[must_use]
    pub fn build(self) -> Blocking {
        Blocking { pool: Arc::new(Pool::new(self.style, seat::run)) }
    }
}

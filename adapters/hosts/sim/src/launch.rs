//! Putting workers on a sim.

use std::panic::Location;
use std::sync::Arc;

use countermand_core::{Assembly, ConfigError, Host, Worker, WorkerConfig};

use crate::sim::Sim;

/// How many drivers a worker has where its configuration does not say: what a seed means must not depend on how many processors there are.
const DRIVERS: usize = 8;

/// Workers.
impl Sim {
    /// Starts a worker. It goes on whenever somebody drives.
    ///
    /// Where the configuration does not say how many drivers there are, there are eight, or one for each lane if those are fewer. Each
    /// polls one job a turn, so that the seed decides between any two polls of jobs. If the run was stopped, the worker is too.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every setting that cannot be.
    ///
    /// # Examples
    ///
    /// ```
    /// use countermand_core::{Job, WorkerConfig};
    /// use countermand_sim::Sim;
    /// use std::time::Duration;
    /// let sim = Sim::new(1);
    /// let worker = sim.start(WorkerConfig::new().lanes(4)).unwrap();
    /// let outcome = sim.block_on(async {
    ///     let job = Job::task_with(|cx| async move { cx.sleep(Duration::from_secs(3_600)).await });
    ///     worker.submit(job.run_timeout(Duration::from_secs(60))).await.unwrap().await
    /// });
    /// assert!(outcome.is_timed_out());
    /// assert_eq!(worker.now().as_nanos(), 60_000_000_000);
    /// ```
    #[track_caller]
    pub fn start(&self, mut config: WorkerConfig) -> Result<Worker, ConfigError> {
        if config.drivers.is_none() {
            config = config.drivers(DRIVERS);
            config.drivers = config.drivers.map(|drivers| drivers.min(config.lanes.max(1)));
        }
        Ok(self.launch(Assembly::new(config, Arc::new(self.clone()))?))
    }

    /// Puts an assembled worker on its feet: spawns its drivers and its keeper. For hosts that wrap a sim.
    #[track_caller]
    pub fn launch<H>(&self, assembly: Assembly<H>) -> Worker
    where
        H: Host<Alarm: Send>,
    {
        let from = Location::caller();
        let (worker, attendants) = assembly.into_parts();
        let worker_name = worker.config().name.clone();
        for drive in attendants {
            let name = match drive.index() {
                Some(index) => format!("driver {index} of {worker_name}"),
                None => format!("keeper of {worker_name}"),
            };
            drop(self.spawn_from(Some(name), from, drive.with_turn_budget(1)));
        }
        worker
    }
}

//! A day of time-outs in no time.

use std::time::Duration;

use countermand::{Job, Sim, WorkerConfig};

use crate::Tried;

pub(crate) fn tried() -> Tried {
    Sim::explore(0..10, |sim| {
        let worker = sim.start(WorkerConfig::new().lanes(2)).expect("valid settings");
        let stuck = worker.try_submit(Job::task(std::future::pending::<()>()).run_timeout(Duration::from_secs(86_400)));
        assert!(sim.block_on(stuck.expect("a place")).is_timed_out());
    });
    Ok(())
}

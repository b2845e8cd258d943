//! A driver in the middle of a poll, for as long as a rule wants it there.

use std::prelude::v1::*;
use std::thread;

use countermand_core::{Class, Handle, Job, Worker};

use super::crew::{Attendant, Crew, refused};
use crate::{Bench, Flaw, Gate, ensure};

/// A driver on a thread of its own, in the middle of a poll of a job that blocks at a gate.
pub(super) struct Captive {
    pub(super) job: Handle<()>,
    pub(super) gate: Gate,
    pub(super) thread: thread::JoinHandle<Attendant>,
}

/// A job whose poll blocks, and the gates of its poll: one that it opens when it is in, one that it waits for.
fn stubborn() -> (Job<impl countermand_core::Work<Value = (), Error = std::convert::Infallible> + use<>>, Gate, Gate) {
    let (inside, gate) = (Gate::new(), Gate::new());
    let (enter, held) = (inside.clone(), gate.clone());
    let job = Job::task(async move {
        enter.open();
        held.wait_blocking();
    });
    (job.name("stubborn"), inside, gate)
}

impl Captive {
    /// The first driver of the crew takes the job.
    pub(super) async fn take(bench: &Bench, worker: &Worker, crew: &mut Crew) -> Result<Self, Flaw> {
        let (job, inside, gate) = stubborn();
        let mut driver = crew.give_away(0);
        let job = worker.try_submit(job).map_err(refused)?;
        let thread = thread::spawn(move || {
            driver.turn();
            driver
        });
        bench.within("a job is in its poll", inside.wait()).await?;
        Ok(Self { job, gate, thread })
    }

    /// The job's poll ends, and the driver comes back to its crew. How the job ended.
    pub(super) async fn free(self, bench: &Bench, crew: &mut Crew) -> Result<Class, Flaw> {
        self.gate.open();
        let driver = bench.on_thread("the driver's thread ends", move || self.thread.join()).await?;
        crew.take_in(driver.map_err(|_| Flaw::Broken("the driver's thread panicked".to_owned()))?);
        crew.settle_down()?;
        ensure!(self.job.is_finished(), "the job that held its driver did not end");
        Ok(bench.settled(self.job).await?.class())
    }
}

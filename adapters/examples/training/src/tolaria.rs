//! Tolaria trains: it asks, takes what comes in time, and does without what does not, where it may.

use std::error::Error;

use countermand::{Event, Fate, Job, Level, Outcome, Priority};

use crate::gate::{Keeper, gate};
use crate::service::Service;
use crate::tamiyo::{Decision, Tamiyo};

/// See the head of the file.
pub(crate) struct Tolaria {
    pub(crate) service: Service,
    last: Decision,
}

impl Tolaria {
    pub(crate) fn new(service: Service) -> Self {
        Self { service, last: Decision::Advance }
    }

    /// One step: what Tamiyo decides in time, or, if that may be, what it decided last. `meanwhile` is what happens while Tamiyo thinks.
    pub(crate) fn step(
        &mut self,
        tamiyo: &Tamiyo,
        decision: Decision,
        meanwhile: impl FnOnce(&Keeper),
    ) -> Result<Decision, Box<dyn Error>> {
        let (thinking, keeper) = gate();
        let handle = tamiyo.decide(decision, thinking)?;
        keeper.wait_for_job();
        meanwhile(&keeper);
        match handle.wait().map_err(|refused| refused.to_string())? {
            Outcome::Completed(decision) => {
                self.service.tell(format_args!("takes Tamiyo's decision: {decision:?}"));
                self.last = decision;
            }
            Outcome::TimedOut { .. } => {
                let kept = self.service.guard.fallback("decision", "keep", || self.last)?.into_inner();
                self.service.tell(format_args!("has no decision in time, and keeps to {kept:?}"));
            }
            other => return Err(format!("no decision: {:?}", other.class()).into()),
        }
        Ok(self.last)
    }

    /// Raises the alarm, and goes on only when it is durable.
    pub(crate) fn emergency(&self, what: &str) -> Result<Fate, Box<dyn Error>> {
        let event = Event::new("training.emergency", Level::Critical).describe(what);
        let receipt = self.service.reporter.report(&event).map_err(|refused| refused.to_string())?;
        let job = Job::task(receipt).name("tolaria.alarm").priority(Priority::Critical);
        match self.service.worker.try_submit(job)?.wait().map_err(|refused| refused.to_string())? {
            Outcome::Completed(fate) => Ok(fate),
            other => Err(format!("the alarm: {:?}", other.class()).into()),
        }
    }
}

//! Tamiyo decides, within five milliseconds or not at all.

use std::error::Error;

use countermand::{Handle, Job, Priority};

use crate::gate::Gate;
use crate::service::Service;

/// What Tolaria is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Go on as before.
    Advance,
    /// Let a new seed grow.
    Germinate,
}

/// See the head of the file.
pub(crate) struct Tamiyo(pub(crate) Service);

impl Tamiyo {
    /// Begins to decide. It thinks for as long as it is kept at `gate`.
    pub(crate) fn decide(&self, decision: Decision, gate: Gate) -> Result<Handle<Decision>, Box<dyn Error>> {
        let job = Job::task(async move {
            gate.pass().await;
            decision
        });
        let job = job.name("tamiyo.decide").priority(Priority::High).run_timeout(self.0.run_timeout());
        Ok(self.0.worker.try_submit(job)?)
    }
}

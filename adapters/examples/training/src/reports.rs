//! Tells how each job ended, as of the service that it was for.

use std::sync::Arc;

use countermand::{EmptyId, JobInfo, JobReports, Observer, Payload, Reporter, Settled};

/// The observer of the shared worker: a job `tamiyo.decide` is told of by Tamiyo.
#[derive(Debug)]
pub(crate) struct Reports(Vec<(&'static str, JobReports<Arc<Reporter<Payload>>>)>);

impl Reports {
    pub(crate) fn new(services: Vec<(&'static str, Arc<Reporter<Payload>>)>) -> Result<Self, EmptyId> {
        let reports = services.into_iter().map(|(name, reporter)| Ok((name, JobReports::new(name, reporter)?)));
        Ok(Self(reports.collect::<Result<_, _>>()?))
    }
}

impl Observer for Reports {
    fn settled(&self, job: &JobInfo, settled: &Settled) {
        let service = job.name.split('.').next().unwrap_or_default();
        if let Some((_, reports)) = self.0.iter().find(|(name, _)| *name == service) {
            reports.settled(job, settled);
        }
    }
}

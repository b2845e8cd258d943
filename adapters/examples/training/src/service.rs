//! What every service has: its settings, its guard, and somebody to tell.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use countermand::catalogue::Said;
use countermand::config::ExecutionConfig;
use countermand::{Guard, Intake as _, Payload, Reporter, SubsystemId, Worker};

use crate::clock::Clock;
use crate::story::Story;

/// See the head of the file.
pub(crate) struct Service {
    pub(crate) name: &'static str,
    /// As this service has it.
    pub(crate) config: ExecutionConfig,
    pub(crate) guard: Guard<Arc<Reporter<Payload>>>,
    pub(crate) reporter: Arc<Reporter<Payload>>,
    pub(crate) worker: Worker,
    pub(crate) clock: Clock,
    pub(crate) story: Story,
}

impl Service {
    pub(crate) fn new(
        name: &'static str,
        shared: &ExecutionConfig,
        reporter: Arc<Reporter<Payload>>,
        worker: &Worker,
        clock: &Clock,
    ) -> Result<Self, Box<dyn Error>> {
        let config = shared.for_subsystem(name);
        let mut guard = Guard::new(SubsystemId::new(name)?, reporter.clone());
        for policy in config.policies() {
            guard = guard.with_policy(policy?)?;
        }
        let story = Story::new(clock);
        Ok(Self { name, config, guard, reporter, worker: worker.clone(), clock: clock.clone(), story })
    }

    /// How long a job of this service may run.
    pub(crate) fn run_timeout(&self) -> Duration {
        match self.config.worker.run_timeout_ms {
            0 => Duration::MAX,
            millis => Duration::from_millis(millis),
        }
    }

    pub(crate) fn report(&self, said: impl Said) {
        self.reporter.take_said(&said);
    }

    pub(crate) fn tell(&self, what: impl std::fmt::Display) {
        self.story.tell(self.name, what);
    }
}

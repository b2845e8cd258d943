//! Kasmina fetches kernels ahead, and does what it is commanded, if it may.

use std::error::Error;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countermand::catalogue::Rejection;
use countermand::catalogue::events::{
    CommandAccepted, CommandRejected, PrefetchCanceled, PrefetchReady, PrefetchRequested, PrefetchTimeout,
};
use countermand::{BlueprintId, Handle, Instant, Job, KernelId, Outcome, TrainingRunId};

use crate::gate::Gate;
use crate::service::Service;

/// See the head of the file.
pub(crate) struct Kasmina {
    pub(crate) service: Service,
    in_flight: AtomicU64,
    nonces: Mutex<Vec<String>>,
}

/// A prefetch on its way.
#[derive(Debug)]
pub(crate) struct Underway {
    request: String,
    began: Instant,
    handle: Handle<KernelId>,
}

impl Kasmina {
    pub(crate) fn new(service: Service) -> Self {
        Self { service, in_flight: AtomicU64::new(0), nonces: Mutex::default() }
    }

    /// Begins to fetch the kernel of a blueprint, for a training run that must be named. It takes as long as it is kept at `gate`.
    pub(crate) fn prefetch(
        &self,
        blueprint: BlueprintId,
        run: Option<TrainingRunId>,
        gate: Gate,
    ) -> Result<Underway, Box<dyn Error>> {
        let prefetch = self.service.guard.prefetch(blueprint, run)?.into_inner();
        let request = format!("{}/{}", prefetch.training_run, prefetch.blueprint);
        let kernel = KernelId::new(&format!("{blueprint}.cubin"))?;
        let settings = &self.service.config.worker;
        let job = Job::task(async move {
            gate.pass().await;
            kernel
        });
        let job = job
            .name("kasmina.prefetch")
            .run_timeout(self.service.run_timeout())
            .queue_timeout(Duration::from_millis(settings.queue_timeout_ms));
        let handle = self.service.worker.try_submit(job)?;
        let in_flight = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.service.report(PrefetchRequested { subsystem: self.service.name, request: &request, in_flight });
        Ok(Underway { request, began: self.service.clock.now(), handle })
    }

    /// Waits for a prefetch and tells what became of it. `None`: the seed has no kernel of its own.
    pub(crate) fn settle(&self, underway: Underway) -> Result<Option<KernelId>, Box<dyn Error>> {
        let Underway { request, began, handle } = underway;
        let outcome = handle.wait().map_err(|refused| refused.to_string())?;
        let (subsystem, request) = (self.service.name, &*request);
        let in_flight = self.in_flight.fetch_sub(1, Ordering::SeqCst) - 1;
        let latency = self.service.clock.now().saturating_since(began);
        match outcome {
            Outcome::Completed(kernel) => {
                self.service.report(PrefetchReady { subsystem, request, in_flight, latency });
                self.service.tell(format_args!("{request} is there after {latency:?}"));
                return Ok(Some(kernel));
            }
            Outcome::TimedOut { .. } => {
                self.service.report(PrefetchTimeout { subsystem, request, in_flight, latency });
                self.service.tell(format_args!("{request} was given up after {latency:?}"));
            }
            Outcome::Cancelled { cause, started } => {
                let reason = &cause.to_string();
                self.service.report(PrefetchCanceled { subsystem, request, reason, in_flight, latency });
                let when = if started { "underway" } else { "before it began" };
                self.service.tell(format_args!("{request} was cancelled {when}: {cause}"));
            }
            other => return Err(format!("{request}: {:?}", other.class()).into()),
        }
        Ok(None)
    }

    /// Verifies a command: its nonce must be new.
    pub(crate) fn command(&self, command: &str, nonce: &str) -> Result<(), Rejection> {
        let (subsystem, latency) = (self.service.name, Duration::ZERO);
        let mut nonces = self.nonces.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if nonces.iter().any(|known| known == nonce) {
            let reason = Rejection::NonceReplayed;
            self.service.report(CommandRejected { subsystem, command, reason, nonce, latency });
            return Err(reason);
        }
        nonces.push(nonce.to_owned());
        self.service.report(CommandAccepted { subsystem, command, nonce, latency });
        Ok(())
    }
}

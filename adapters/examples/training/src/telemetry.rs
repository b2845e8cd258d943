//! The way of what the services tell: a router, an outlet for each stream, and the supervisor's socket behind both.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use countermand::{
    Blocking, Event, Host as _, Job, Label, OutletConfig, Payload, Reporter, Router, RouterConfig, Shutdown, Source,
    Stream, Timestamp, Worker,
};

use crate::socket::Supervised;

/// See the head of the file.
#[derive(Debug)]
pub(crate) struct Telemetry {
    pub(crate) router: Router<Payload>,
    /// Serves the outlets, in real time: telemetry is no part of the play.
    outlets: Worker,
    /// Makes the ids of this run others than those of any before.
    seed: u64,
}

impl Telemetry {
    /// Starts to deliver to the supervisor that listens at `socket`.
    pub(crate) fn start(worker: Worker, socket: &Path) -> Result<Self, Box<dyn Error>> {
        // Durable: the supervisor answers when it has synced.
        let streams = Stream::ALL.map(|stream| OutletConfig::new(stream.name(), stream).keeps());
        let (router, outlets) = Router::new(RouterConfig::default(), streams.into(), scribe)?;
        for (outlet, stream) in outlets.into_iter().zip(Stream::ALL) {
            let sink = Supervised::new(socket)?;
            let name = format!("outlet {stream}");
            let job = Job::task_with(move |cx| async move { drop(outlet.run(cx, sink).await) });
            drop(worker.try_submit(job.name(name))?);
        }
        let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos();
        Ok(Self { router, outlets: worker, seed: seed as u64 })
    }

    /// What takes the events of the service with this name and number.
    pub(crate) fn reporter(&self, name: &str, number: u64) -> Arc<Reporter<Payload>> {
        let seed = self.seed.wrapping_add(number);
        Arc::new(self.router.reporter(Source::of(name), seed, || Blocking::new().now()))
    }

    /// Takes nothing in any more, and waits until all is delivered.
    pub(crate) fn end(&self) -> Result<(), Box<dyn Error>> {
        self.router.close();
        self.outlets.shutdown_blocking(Shutdown::Drain)?;
        Ok(())
    }
}

/// Makes the packet that tells of an event.
fn scribe(event: &Event, label: &Label, age: Duration) -> Payload {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let at = now.saturating_sub(age);
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    Payload::of_event(event, label, Timestamp::new(seconds, at.subsec_nanos()))
}

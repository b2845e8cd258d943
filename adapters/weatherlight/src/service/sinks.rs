//! Where the service brings packets and figures beside its own journal, each sink by a part of its own.

use std::time::Duration;

use countermand::config::SinkName;
use countermand::{Event, Intake as _, JobContext, Level, Payload, Sink};
use countermand_metrics::Otlp;
use countermand_redis::{RedisConfig, RedisSink};
use countermand_tracing::TracingSink;
use futures::executor::block_on;

use super::Service;
use crate::apart::Apart;
use crate::feed::{Feed, Names, Skips};
use crate::setup::Setup;
use crate::standing::Standing;
use crate::stop::{Ready, Stop};
use crate::subscriber::subscribe;
use crate::supervise::Part;
use crate::voice::LogFormat;
use crate::web;

const REDIS: Names =
    Names { feed: "redis", emergency: "redis.emergency", normal: "redis.normal", dead_letters: "redis.dead_letters" };

const TRACING: Names = Names {
    feed: "tracing",
    emergency: "tracing.emergency",
    normal: "tracing.normal",
    dead_letters: "tracing.dead_letters",
};

impl Service {
    /// Starts whatever brings packets and figures to the sinks that are set up.
    ///
    /// # Errors
    ///
    /// Why it cannot be, in words.
    pub(crate) fn sinks(&self, setup: &Setup, format: LogFormat) -> Result<(), String> {
        self.readers(setup);
        for sink in &setup.config.telemetry.sinks {
            match sink {
                SinkName::Journal => {}
                SinkName::Redis => self.redis(setup)?,
                SinkName::Tracing => self.tracing(setup, format)?,
                // The page has the figures in any case.
                SinkName::Metrics => self.otlp(setup)?,
                other => return Err(format!("this supervisor knows no sink {other}")),
            }
        }
        Ok(())
    }

    /// Looks after the readers of sinks that are not set up any more, for which the journal would keep alarms for ever. What the log would have shown is let
    /// go; Redis may come back, so that its reader waits is only said.
    fn readers(&self, setup: &Setup) {
        let sinks = &setup.config.telemetry.sinks;
        let journal = &self.store.journal;
        let of_old = |name: &String| !sinks.iter().any(|sink| sink.to_string() == *name);
        let readers = journal.ledger().consumers.into_iter().map(|(reader, _)| reader);
        for reader in readers.filter(of_old) {
            let removed = (reader == TRACING.feed).then(|| block_on(journal.remove_consumer(&reader)));
            let event = match removed {
                Some(Ok(())) => Event::new("weatherlight.reader_removed", Level::Info),
                Some(Err(error)) => Event::new("weatherlight.reader_waits", Level::Warning).describe(error),
                None => Event::new("weatherlight.reader_waits", Level::Warning)
                    .describe("what it has not read is kept until there is a sink of its name again"),
            };
            self.supervisor.voice.take(&event.with("reader", reader));
        }
    }

    /// Feeds Redis from the journal: what came while it was away is fed when it is back.
    fn redis(&self, setup: &Setup) -> Result<(), String> {
        let config = RedisConfig::from_settings(&setup.config.telemetry);
        let make = move || RedisSink::new(config.clone()).map_err(|error| error.to_string());
        self.feed(setup, REDIS, |_, _| false, make)
    }

    /// Shows packets through the subscriber of `tracing`, from the level of the log on. It may block as long as it likes.
    fn tracing(&self, setup: &Setup, format: LogFormat) -> Result<(), String> {
        subscribe(format);
        // What this program tells of itself is in its log already.
        let skips: Skips = |voice, label| !voice.says(label.level) || label.source.as_str() == "weatherlight";
        let make = || Apart::new("weatherlight-tracing", TracingSink::new()).map_err(|error| error.to_string());
        self.feed(setup, TRACING, skips, make)
    }

    /// Brings the figures of the page to an OpenTelemetry collector, if there is one. They are cumulative: what was not brought is made good by the next.
    fn otlp(&self, setup: &Setup) -> Result<(), String> {
        const NAME: &str = "otlp";
        let telemetry = &setup.config.telemetry;
        if telemetry.otlp_url.is_empty() {
            return Ok(());
        }
        let otlp = Otlp::new(&telemetry.otlp_url).map_err(|error| error.to_string())?;
        let otlp = otlp.resource("service.name", "weatherlight");
        let every = Duration::from_millis(telemetry.otlp_interval_ms);
        let (site, supervisor) = (self.site.clone(), &self.supervisor);
        let standing = Standing::new(NAME, &supervisor.board, &supervisor.voice);
        let part = Part::call(NAME, &self.outside, move |cx| {
            let stop = Stop::of(cx.token()).map_err(|error| error.to_string())?;
            loop {
                match otlp.send(&web::board(&site).read()) {
                    Ok(()) => standing.works(),
                    Err(error) => standing.rests(&error.to_string()),
                }
                if stop.rest(every).map_err(|error| error.to_string())? == Ready::Stopped {
                    return Ok(());
                }
            }
        });
        self.detach(part.untiring())
    }

    /// Starts a feed of the sinks that `make` makes.
    fn feed<S>(
        &self,
        setup: &Setup,
        names: Names,
        skips: Skips,
        make: impl Fn() -> Result<S, String> + Clone + Send + Sync + 'static,
    ) -> Result<(), String>
    where
        S: Sink<Payload, Delivery: Send + 'static> + Send + 'static,
    {
        let feed = Feed {
            names,
            journal: self.store.journal.clone(),
            own: setup.own().clone(),
            telemetry: setup.config.telemetry.clone(),
            tuned: self.tuned.clone(),
            board: self.supervisor.board.clone(),
            voice: self.supervisor.voice.clone(),
            feeds: self.feeds.clone(),
            skips,
        };
        let part = Part::task(names.feed, &self.outside, move |cx: JobContext| feed.clone().run(cx, make.clone()));
        self.detach(part.untiring())
    }
}

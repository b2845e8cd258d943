//! Where the service brings packets and figures beside its own journal, each sink by a part of its own.

use countermand::{JobContext, Payload, Sink};
use countermand_redis::{RedisConfig, RedisSink};

use super::Service;
use crate::feed::{Feed, Names, Skips};
use crate::setup::Setup;
use crate::supervise::Part;

const REDIS: Names =
    Names { feed: "redis", emergency: "redis.emergency", normal: "redis.normal", dead_letters: "redis.dead_letters" };

impl Service {
    /// Feeds Redis from the journal: what came while it was away is fed when it is back.
    ///
    /// # Errors
    ///
    /// Why it cannot be, in words.
    pub(crate) fn redis(&self, setup: &Setup) -> Result<(), String> {
        let config = RedisConfig::from_settings(&setup.config.telemetry);
        let make = move || RedisSink::new(config.clone()).map_err(|error| error.to_string());
        self.feed(setup, REDIS, |_, _| false, make)
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

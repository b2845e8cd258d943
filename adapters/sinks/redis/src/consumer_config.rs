//! Who reads, and how.

use std::time::Duration;

use countermand_core::Stream;

use crate::RedisConfig;

/// Who reads the streams, and how: the group, the name within it, how much at once.
#[derive(Clone, Debug)]
pub struct ConsumerConfig {
    pub(crate) redis: RedisConfig,
    pub(crate) group: String,
    pub(crate) consumer: String,
    pub(crate) streams: Vec<Stream>,
    pub(crate) min_idle: Duration,
    pub(crate) block: Duration,
    pub(crate) page: usize,
    pub(crate) keep_emergency: Option<u64>,
}

impl ConsumerConfig {
    /// The consumer of this name in this group. Each entry goes to one consumer of a group; each group has all entries, from the start of the
    /// stream. The name MUST be no other living consumer's, and SHOULD be the same after a restart: then what was pending is
    /// taken up at once.
    #[must_use]
    pub fn new(redis: RedisConfig, group: impl Into<String>, consumer: impl Into<String>) -> Self {
        Self {
            redis,
            group: group.into(),
            consumer: consumer.into(),
            streams: vec![Stream::Emergency, Stream::Normal],
            min_idle: Duration::from_secs(60),
            block: Duration::from_secs(5),
            page: 64,
            keep_emergency: None,
        }
    }

    /// Reads only this stream; both unless set. A consumer of the emergency stream alone never waits for a handler that has an ordinary packet.
    #[must_use]
    pub fn only(mut self, stream: Stream) -> Self {
        self.streams = vec![stream];
        self
    }

    /// After how long without a sign of life of the consumer that has it, an entry is taken over; one minute unless set. It SHOULD be longer than
    /// handling a page ever takes: entries of a consumer that lives, but is slower than this, are handled twice.
    #[must_use]
    pub const fn min_idle(mut self, idle: Duration) -> Self {
        self.min_idle = idle;
        self
    }

    /// How long a turn waits for something new; 5 s unless set.
    #[must_use]
    pub const fn block(mut self, wait: Duration) -> Self {
        self.block = wait;
        self
    }

    /// How many entries are read at once; 64 unless set.
    #[must_use]
    pub const fn page(mut self, entries: usize) -> Self {
        self.page = entries;
        self
    }

    /// Trims the emergency stream to about this many entries, but never one that some group has not acknowledged yet. Unless set it is not trimmed.
    ///
    /// A group that is made later does not see what was trimmed.
    #[must_use]
    pub const fn keep_emergency(mut self, entries: u64) -> Self {
        self.keep_emergency = Some(entries);
        self
    }
}

#[cfg(any(feature = "tokio", feature = "smol"))]
mod check {
    use super::ConsumerConfig;
    use crate::Fault;

    impl ConsumerConfig {
        /// Whether all of it can be.
        pub(crate) fn check(&self) -> Result<(), Fault> {
            self.redis.check()?;
            for (setting, name) in [("group", &self.group), ("consumer", &self.consumer)] {
                if name.trim().is_empty() || name.len() > 256 || name.chars().any(char::is_control) {
                    return Err(Fault::setting(setting, "must be a name of 1 to 256 bytes without control characters"));
                }
            }
            // The server takes a wait of 0 ms for one without an end.
            if self.block.as_millis() == 0 {
                return Err(Fault::setting("block", "less than a millisecond"));
            }
            if !(1..=100_000).contains(&self.page) {
                return Err(Fault::setting("page", "must be from 1 to 100,000"));
            }
            Ok(())
        }
    }
}

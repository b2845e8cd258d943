//! Where the server is, and how it is used.

use std::time::Duration;

use countermand_core::config::{Secret, TelemetrySettings};

/// Where the server is and how long to wait for it, the names of the streams, the key to sign with.
///
/// What it shows of itself has no secrets in it. What it says is checked when a sink or a consumer is made of it.
///
/// ```
/// use countermand_redis::RedisConfig;
/// let config = RedisConfig::new("redis://:hunter2@127.0.0.1").signing_key("correct-horse");
/// let shown = format!("{config:?}");
/// assert!(!shown.contains("hunter2") && !shown.contains("correct-horse"));
/// ```
#[derive(Clone, Debug)]
pub struct RedisConfig {
    pub(crate) url: Secret,
    pub(crate) normal_stream: String,
    pub(crate) emergency_stream: String,
    pub(crate) signing_key: Secret,
    pub(crate) connect_timeout: Duration,
    pub(crate) response_timeout: Duration,
    pub(crate) largest_body: usize,
    pub(crate) normal_limit: Option<u64>,
}

impl RedisConfig {
    /// The server at this address: `redis://[user:password@]host[:port][/database]` or `unix:///path`. The streams are `oona.normal` and
    /// `oona.emergency`, nothing is signed, nothing is trimmed.
    #[must_use]
    pub fn new(url: impl Into<Secret>) -> Self {
        Self {
            url: url.into(),
            normal_stream: "oona.normal".to_owned(),
            emergency_stream: "oona.emergency".to_owned(),
            signing_key: Secret::default(),
            connect_timeout: Duration::from_secs(5),
            response_timeout: Duration::from_secs(10),
            largest_body: 64 << 20,
            normal_limit: None,
        }
    }

    /// What the settings of a service say: address, names of the streams, key.
    #[must_use]
    pub fn from_settings(settings: &TelemetrySettings) -> Self {
        Self::new(settings.redis_url.clone())
            .normal_stream(settings.normal_stream.clone())
            .emergency_stream(settings.emergency_stream.clone())
            .signing_key(settings.signing_key.clone())
    }

    /// The stream of what is not CRITICAL.
    #[must_use]
    pub fn normal_stream(mut self, name: impl Into<String>) -> Self {
        self.normal_stream = name.into();
        self
    }

    /// The stream of what is CRITICAL.
    #[must_use]
    pub fn emergency_stream(mut self, name: impl Into<String>) -> Self {
        self.emergency_stream = name.into();
        self
    }

    /// The key to sign with. A consumer with a key takes nothing that is not signed with it. Empty: none.
    #[must_use]
    pub fn signing_key(mut self, key: impl Into<Secret>) -> Self {
        self.signing_key = key.into();
        self
    }

    /// How long an attempt to connect may take; 5 s unless set.
    #[must_use]
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long an answer may take before its fate counts as unknown and the connection as lost; 10 s unless set. (The client's own default, half
    /// a second, would take a server that is only slow for one that is gone.)
    #[must_use]
    pub const fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// How many bytes a packet may have; 64 MiB unless set. A larger one is refused for good. A server takes at most 512 MiB unless told otherwise.
    #[must_use]
    pub const fn largest_body(mut self, bytes: usize) -> Self {
        self.largest_body = bytes;
        self
    }

    /// About how many entries the normal stream keeps at the most. Unless set it is not trimmed.
    ///
    /// The oldest go first, **whether anybody has read them or not**, and nobody counts them. Set it where a server that is full is worse
    /// than that. There is no such limit for the emergency stream: see
    /// [`ConsumerConfig::keep_emergency`](crate::ConsumerConfig::keep_emergency).
    #[must_use]
    pub const fn normal_limit(mut self, entries: u64) -> Self {
        self.normal_limit = Some(entries);
        self
    }
}

#[cfg(any(feature = "tokio", feature = "smol"))]
mod check {
    use countermand_core::Stream;
    use countermand_core::config::Form;

    use super::RedisConfig;
    use crate::Fault;

    impl RedisConfig {
        /// Whether all of it can be.
        pub(crate) fn check(&self) -> Result<(), Fault> {
            let url = self.url.expose();
            if url.is_empty() {
                return Err(Fault::setting("redis_url", "there is none"));
            }
            Form::REDIS_URL.examine(url).map_err(|why| Fault::setting("redis_url", why))?;
            if url.starts_with("rediss://") {
                return Err(Fault::setting("redis_url", "this client has no TLS; use redis:// or unix://"));
            }
            for (setting, name) in
                [("normal_stream", &self.normal_stream), ("emergency_stream", &self.emergency_stream)]
            {
                Form::STREAM.examine(name).map_err(|why| Fault::setting(setting, why))?;
            }
            let names = Stream::ALL.map(|stream| [self.stream(stream).to_owned(), self.dead_stream(stream)]);
            if names[0].iter().any(|name| names[1].contains(name)) {
                return Err(Fault::setting(
                    "emergency_stream",
                    "the streams, and those of their dead letters, must differ",
                ));
            }
            for (setting, timeout) in
                [("connect_timeout", self.connect_timeout), ("response_timeout", self.response_timeout)]
            {
                if timeout.is_zero() {
                    return Err(Fault::setting(setting, "no time at all"));
                }
            }
            if self.largest_body > 512 << 20 {
                return Err(Fault::setting("largest_body", "more than 512 MiB, which is what a server takes"));
            }
            if self.normal_limit == Some(0) {
                return Err(Fault::setting("normal_limit", "a stream without entries loses everything"));
            }
            Ok(())
        }

        /// The name of a stream.
        pub(crate) fn stream(&self, stream: Stream) -> &str {
            match stream {
                Stream::Normal => &self.normal_stream,
                Stream::Emergency => &self.emergency_stream,
            }
        }

        /// The name of the stream of its dead letters.
        pub(crate) fn dead_stream(&self, stream: Stream) -> String {
            format!("{}.dead", self.stream(stream))
        }
    }
}

#[cfg(all(test, any(feature = "tokio", feature = "smol")))]
mod tests {
    use super::*;
    use crate::Fault;

    #[test]
    fn what_cannot_be_is_named() {
        let good = || RedisConfig::new("redis://localhost");
        assert_eq!(good().check(), Ok(()));
        let wrong = [
            (RedisConfig::new(""), "redis_url"),
            (RedisConfig::new("http://localhost"), "redis_url"),
            (RedisConfig::new("rediss://localhost"), "redis_url"),
            (good().normal_stream(""), "normal_stream"),
            (good().emergency_stream("a b"), "emergency_stream"),
            (good().emergency_stream("oona.normal"), "emergency_stream"),
            (good().emergency_stream("oona.normal.dead"), "emergency_stream"),
            (good().connect_timeout(Duration::ZERO), "connect_timeout"),
            (good().response_timeout(Duration::ZERO), "response_timeout"),
            (good().largest_body(1 << 30), "largest_body"),
            (good().normal_limit(0), "normal_limit"),
        ];
        for (config, blamed) in wrong {
            let fault = config.check().unwrap_err();
            assert!(matches!(fault, Fault::Setting { setting, .. } if setting == blamed), "{blamed}: {fault}");
        }
    }

    #[test]
    fn settings_of_a_service_are_taken_over() {
        let mut settings = TelemetrySettings::default();
        settings.redis_url = "redis://localhost".into();
        settings.normal_stream = "n".into();
        settings.emergency_stream = "e".into();
        settings.signing_key = "k".into();
        let config = RedisConfig::from_settings(&settings);
        assert_eq!((&*config.normal_stream, &*config.emergency_stream), ("n", "e"));
        assert_eq!((config.url.expose(), config.signing_key.expose()), ("redis://localhost", "k"));
    }
}

//! Figures brought to an OpenTelemetry collector.

use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message as _;
use ureq::Agent;

use crate::Reading;
use crate::otlp_message::{Span, request};

/// How much of an answer is read.
const LONGEST_ANSWER: u64 = 64 << 10;

/// Brings figures to an OpenTelemetry collector: OTLP over HTTP, in protobuf, without TLS.
///
/// Figures are cumulative, so one that could not be brought is made good by the next.
///
/// ```no_run
/// use countermand_core::Metrics;
/// use countermand_metrics::{Board, Otlp};
/// let board = Board::new().with(Metrics::new());
/// let otlp = Otlp::new("http://127.0.0.1:4318")?.resource("service.name", "weatherlight");
/// if let Err(error) = otlp.send(&board.read()) {
///     eprintln!("{error}"); // the next one says it all
/// }
/// # Ok::<(), countermand_metrics::OtlpError>(())
/// ```
///
/// # Implementation notes
///
/// The messages are those of OpenTelemetry's own crate, `opentelemetry-proto`, and nothing of its SDK is used: the SDK makes distributions of single
/// durations and cannot be given one that was counted already. The client is one that blocks and brings no runtime with it, so this crate
/// belongs to none.
#[derive(Clone, Debug)]
pub struct Otlp {
    agent: Agent,
    url: String,
    resource: Vec<(String, String)>,
    begin: SystemTime,
}

/// Why figures were not brought to the collector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OtlpError {
    /// The address cannot be.
    #[error("the collector's address must begin with http://, have a host and no spaces")]
    Address,
    /// There is no collector there, or it does not answer in time.
    #[error("no answer from the collector: {0}")]
    Unanswered(String),
    /// It says no.
    #[error("the collector refuses: status {status}")]
    Refused {
        /// The status of its answer.
        status: u16,
    },
    /// It took a part.
    #[error("the collector left out {points} figures: {reason}")]
    Partial {
        /// How many it left out.
        points: i64,
        /// Why, in its own words.
        reason: String,
    },
    /// It says something that means nothing.
    #[error("the collector answers nonsense: {0}")]
    Nonsense(String),
}

impl Otlp {
    /// To the collector at this address, such as `http://127.0.0.1:4318`; `/v1/metrics` is added to it, unless it ends with that. Counting began now.
    ///
    /// # Errors
    ///
    /// [`OtlpError::Address`] if the address cannot be.
    pub fn new(address: &str) -> Result<Self, OtlpError> {
        let base = address.strip_suffix("/v1/metrics").unwrap_or(address).trim_end_matches('/');
        let host = base.strip_prefix("http://").ok_or(OtlpError::Address)?;
        if host.is_empty() || !host.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(OtlpError::Address);
        }
        let resource = vec![("service.name".to_owned(), "countermand".to_owned())];
        let otlp = Self {
            agent: agent(Duration::from_secs(10)),
            url: format!("{base}/v1/metrics"),
            resource,
            begin: SystemTime::now(),
        };
        Ok(otlp)
    }

    /// Says something about where the figures come from; `service.name` is `countermand` unless it is said.
    #[must_use]
    pub fn resource(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let key = key.into();
        self.resource.retain(|(known, _)| *known != key);
        self.resource.push((key, value.into()));
        self
    }

    /// How long the collector has for everything together; 10 s unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.agent = agent(timeout);
        self
    }

    /// Brings these figures to the collector. **It blocks** until there is an answer or the time is over, so it belongs into a
    /// [call](countermand_core::Job::call) or on a thread.
    ///
    /// # Errors
    ///
    /// Why not, or what was left out. Trying again with the next reading is enough.
    pub fn send(&self, reading: &Reading) -> Result<(), OtlpError> {
        let span = Span { begin: self.begin, end: SystemTime::now() };
        let message = request(reading, &self.resource, span).encode_to_vec();
        let sending = self.agent.post(&self.url).content_type("application/x-protobuf").send(&message[..]);
        let mut answer = sending.map_err(|error| OtlpError::Unanswered(error.to_string()))?;
        if answer.status() != 200 {
            return Err(OtlpError::Refused { status: answer.status().as_u16() });
        }
        let body = answer.body_mut().with_config().limit(LONGEST_ANSWER).read_to_vec();
        let body = body.map_err(|error| OtlpError::Nonsense(error.to_string()))?;
        let said =
            ExportMetricsServiceResponse::decode(&body[..]).map_err(|error| OtlpError::Nonsense(error.to_string()))?;
        match said.partial_success {
            Some(partial) if partial.rejected_data_points > 0 => {
                Err(OtlpError::Partial { points: partial.rejected_data_points, reason: partial.error_message })
            }
            _ => Ok(()),
        }
    }
}

/// A client that goes nowhere but where it is told to.
fn agent(timeout: Duration) -> Agent {
    let config = Agent::config_builder().timeout_global(Some(timeout)).http_status_as_error(false);
    config.max_redirects(0).max_redirects_will_error(false).proxy(None).build().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_made_whole_or_refused() {
        for address in ["http://h:4318", "http://h:4318/", "http://h:4318/v1/metrics"] {
            assert_eq!(Otlp::new(address).unwrap().url, "http://h:4318/v1/metrics");
        }
        for wrong in ["", "h:4318", "https://h", "http://", "http:// h", "http:///v1/metrics", "http://h\r\n"] {
            assert_eq!(Otlp::new(wrong).unwrap_err(), OtlpError::Address, "{wrong}");
        }
    }

    #[test]
    fn what_is_said_of_the_resource_last_counts() {
        let otlp = Otlp::new("http://h").unwrap().resource("service.name", "a").resource("service.name", "b");
        assert_eq!(otlp.resource, [("service.name".to_owned(), "b".to_owned())]);
    }
}

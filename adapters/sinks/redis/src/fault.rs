//! What can go wrong between this program and the server.

use countermand_core::Text;

/// What went wrong. All but [`Setting`](Self::Setting) may pass: try again after a while.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A setting cannot be.
    #[error("{setting}: {reason}")]
    Setting {
        /// Which one.
        setting: &'static str,
        /// What is wrong with it; never its value, if that is a secret.
        reason: String,
    },
    /// There is no connection to the server. Nothing was sent.
    #[error("no connection to the Redis server: {0}")]
    Unreachable(String),
    /// The connection broke, or no answer came in time. What was sent may have been done or not.
    #[error("no answer from the Redis server: {0}")]
    Unanswered(String),
    /// The server has said no.
    #[error("the Redis server refuses: {code} {detail}")]
    Refused {
        /// The first word of its answer, such as `LOADING`, `READONLY`, `OOM` or `WRONGTYPE`.
        code: String,
        /// The rest.
        detail: String,
    },
    /// The server has answered something that is no answer to what was asked. What was sent may have been done or not.
    #[error("the Redis server answers nonsense: {0}")]
    Nonsense(String),
    /// The client itself has failed, for example since there is no runtime that it can live on.
    #[error("the Redis client failed: {0}")]
    Client(String),
}

impl Fault {
    pub(crate) fn setting(setting: &'static str, reason: impl ToString) -> Self {
        Self::Setting { setting, reason: reason.to_string() }
    }

    /// Whether the server refused with this first word.
    pub(crate) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == word)
    }
}

/// As much of what a stranger said as a line of a log should hold.
pub(crate) fn clip(said: &str) -> String {
    let clean: String = said.chars().take(512).map(|c| if c.is_control() { ' ' } else { c }).collect();
    Text::<200>::of(clean.trim()).as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_said_is_one_short_line() {
        assert_eq!(clip("no\r\nsuch\u{7}thing "), "no  such thing");
        let long = clip(&"ß".repeat(10_000));
        assert!(long.len() <= 200 && long.ends_with('…'), "{long}");
    }
}

//! How each part is doing, for whoever asks.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

/// How a part is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PartState {
    /// It does its work.
    Running,
    /// It failed, and rests before it is started again.
    BackingOff {
        /// What was wrong.
        why: String,
    },
    /// It is through, as it should be.
    Finished,
    /// It failed too often and is not started again.
    Failed {
        /// What was wrong the last time.
        why: String,
    },
}

impl PartState {
    /// The word for it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::BackingOff { .. } => "backing-off",
            Self::Finished => "finished",
            Self::Failed { .. } => "failed",
        }
    }

    /// Whether it is not started again.
    pub(crate) const fn is_failed(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }

    fn why(&self) -> &str {
        match self {
            Self::Running | Self::Finished => "",
            Self::BackingOff { why, .. } | Self::Failed { why } => why,
        }
    }
}

/// A part, or the sink of a feed; how it is doing, and how often it was started again, or took up its work again.
#[derive(Clone, Debug)]
pub(crate) struct PartStatus {
    pub(crate) name: String,
    pub(crate) state: PartState,
    pub(crate) restarts: u64,
}

/// The states of all parts. A clone is the same board.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board {
    parts: Arc<Mutex<Vec<PartStatus>>>,
}

impl Board {
    /// Writes down how the part of this name is doing now.
    pub(crate) fn set(&self, name: &str, state: PartState) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        match parts.iter_mut().find(|part| part.name == name) {
            Some(part) => {
                part.restarts +=
                    u64::from(matches!((&part.state, &state), (PartState::BackingOff { .. }, PartState::Running)));
                part.state = state;
            }
            None => parts.push(PartStatus { name: name.to_owned(), state, restarts: 0 }),
        }
    }

    /// All parts, in the order in which they were first started.
    pub(crate) fn parts(&self) -> Vec<PartStatus> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The health of the whole: `healthy`; `degraded` while a part rests; `unhealthy` once one has failed.
    pub(crate) fn health(&self) -> &'static str {
        let parts = self.parts();
        let any = |is: fn(&PartState) -> bool| parts.iter().any(|part| is(&part.state));
        if any(|state| matches!(state, PartState::Failed { .. })) {
            "unhealthy"
        } else if any(|state| matches!(state, PartState::BackingOff { .. })) {
            "degraded"
        } else {
            "healthy"
        }
    }

    /// All parts as JSON.
    pub(crate) fn json(&self) -> Value {
        let part = |part: PartStatus| json!({ "name": part.name, "state": part.state.name(), "restarts": part.restarts, "why": part.state.why() });
        self.parts().into_iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_that_of_the_worst_part() {
        let board = Board::default();
        assert_eq!(board.health(), "healthy");
        board.set("page", PartState::Running);
        board.set("socket", PartState::Running);
        board.set("page", PartState::BackingOff { why: "taken".into() });
        assert_eq!(board.health(), "degraded");
        board.set("page", PartState::Running);
        assert_eq!((board.health(), board.parts()[0].restarts), ("healthy", 1));
        board.set("page", PartState::Failed { why: "taken".into() });
        board.set("socket", PartState::BackingOff { why: "gone".into() });
        assert_eq!(board.health(), "unhealthy");
        assert_eq!(board.json()[0], json!({ "name": "page", "state": "failed", "restarts": 1, "why": "taken" }));
    }
}

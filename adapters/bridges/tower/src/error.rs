//! Why a request has no response.

use std::error::Error;
use std::fmt;

use countermand_core::{Cause, Phase, RejectReason};

/// Why a request has no response. `E` is the error of the service below.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceError<E> {
    /// The service below answered with its own error, or was not ready.
    Service(E),
    /// The worker did not accept it. Load is shed (`Full`), or the worker is shut down (`Closed`).
    Refused(RejectReason),
    /// Its time was out.
    TimedOut(Phase),
    /// It was cancelled.
    Cancelled {
        /// Why.
        cause: Cause,
        /// Whether it had been started.
        started: bool,
    },
    /// The service below panicked, with this text.
    Panicked(String),
}

impl<E> ServiceError<E> {
    /// Whether the same request may succeed if it is sent again, later or elsewhere: it was not begun.
    #[must_use]
    pub const fn is_untouched(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::TimedOut(Phase::Queued) | Self::Cancelled { started: false, .. })
    }
}

impl<E: fmt::Display> fmt::Display for ServiceError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(error) => error.fmt(f),
            Self::Refused(reason) => write!(f, "the request was not accepted: {reason}"),
            Self::TimedOut(Phase::Queued) => f.write_str("the request's time was out before it began"),
            Self::TimedOut(Phase::Running) => f.write_str("the request's time was out"),
            Self::Cancelled { cause, .. } => write!(f, "the request was cancelled: {cause}"),
            Self::Panicked(text) => write!(f, "the service panicked: {text}"),
        }
    }
}

impl<E: Error + 'static> Error for ServiceError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // Shown as itself, so what caused it comes next.
            Self::Service(error) => error.source(),
            _ => None,
        }
    }
}

//! What a caller is told whose request has no response.

use std::convert::Infallible;

use axum::http::StatusCode;
use countermand::RejectReason;
use countermand::bridges::tower::ServiceError;

/// The status and the text.
pub(crate) async fn refusal(error: ServiceError<Infallible>) -> (StatusCode, String) {
    let status = match &error {
        ServiceError::Refused(RejectReason::Full | RejectReason::Closed) | ServiceError::Cancelled { .. } => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        ServiceError::TimedOut(_) => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, format!("{error}\n"))
}

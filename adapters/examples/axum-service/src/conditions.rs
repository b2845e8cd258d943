//! Under which conditions a request is a job: what its head says, within what the service allows.

use std::time::Duration;

use axum::extract::Request;
use countermand::Priority;
use countermand::bridges::tower::Conditions;

/// How long its caller will wait, in milliseconds.
pub(crate) const DEADLINE: &str = "x-deadline-ms";
/// How urgent it is: `low`, `normal` or `high`. CRITICAL is not for callers.
pub(crate) const PRIORITY: &str = "x-priority";

/// The conditions of a request that may take `limit` at the most.
pub(crate) fn conditions(request: &Request, limit: Duration) -> Conditions {
    let head = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let wanted = head(DEADLINE).and_then(|millis| millis.trim().parse().ok()).map(Duration::from_millis);
    let priority = match head(PRIORITY).map(str::to_ascii_lowercase).as_deref() {
        Some("high") => Priority::High,
        Some("low") => Priority::Low,
        _ => Priority::Normal,
    };
    Conditions::new().name("GET /work").priority(priority).within(wanted.map_or(limit, |wanted| wanted.min(limit)))
}

//! A span that is not over.

use std::time::SystemTime;

use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::fields::Fields;

/// What is known of a span that is not over. It lies with the span; several layers on one subscriber share it.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub(crate) id: String,
    /// The id of the span that it is part of; empty if there is none.
    pub(crate) parent: String,
    pub(crate) begun: SystemTime,
    pub(crate) fields: Fields,
}

/// The id of `span`, or of the nearest around it that has one.
pub(crate) fn id_of<'a, R: LookupSpan<'a>>(span: &SpanRef<'a, R>) -> Option<String> {
    span.scope().find_map(|span| span.extensions().get::<Open>().map(|open| open.id.clone()))
}

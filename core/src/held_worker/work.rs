//! What a job of a worker without a heap does, by its type.

use core::pin::Pin;
use core::task::{Context, Poll};

use super::watch::Watch;

/// What a [`HeldJob`](crate::HeldJob) does: [`HeldPlain`](crate::HeldPlain) or [`HeldFallible`](crate::HeldFallible), or one of them with a grace or under a token.
pub trait HeldWork: Watch + 'static {
    /// What it returns when it completes.
    type Value: 'static;
    /// What it returns when it fails.
    type Error: 'static;

    #[doc(hidden)]
    fn poll_work(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Self::Value, Self::Error>>;
}

//! What the jobs do: as good as nothing, and the same for everybody.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// No job comes near it; it is there because a service would have it.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// How many jobs are in flight at the most.
pub(crate) const IN_FLIGHT: usize = 64;

/// Ready at once.
pub(crate) async fn ready(number: u64) -> u64 {
    number
}

/// Pending once. Not the yield of some runtime, which would know its own tasks.
pub(crate) async fn pending_once(number: u64) -> u64 {
    Once { polled: false }.await;
    number
}

struct Once {
    polled: bool,
}

impl Future for Once {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.polled {
            return Poll::Ready(());
        }
        self.polled = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// What the numbers below `count` come to: what every contender must answer, so that nobody wins by leaving something out.
pub(crate) fn sum_below(count: u64) -> u64 {
    (0..count).sum()
}

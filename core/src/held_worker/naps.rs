//! Who sleeps on the clock of a worker without a heap.

use core::task::Waker;

use super::chain::Chain;
use crate::Instant;

/// Until when one sleeps.
#[derive(Clone, Copy)]
pub(super) enum When {
    /// So long from the first poll.
    In(u64),
    At(Instant),
}

/// Who sleeps, in no order: there are few.
pub(super) type Naps = Chain<When>;

/// Takes one off whose time has come, and gives its waker; else `until` is brought forward to when the first of them ends.
pub(super) type Look = fn(naps: &mut Naps, now: Instant, until: &mut Instant) -> Option<Waker>;

impl When {
    pub(super) fn at(self) -> Instant {
        match self {
            Self::In(_) => Instant::NEVER,
            Self::At(at) => at,
        }
    }
}

/// See [`Look`].
pub(super) fn look(naps: &mut Naps, now: Instant, until: &mut Instant) -> Option<Waker> {
    naps.take(|_, when| {
        *until = (*until).min(when.at());
        when.at().is_due(now)
    })
}

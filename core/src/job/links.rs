//! Where a job stands in the queue: the queue's, in the job, so that being queued takes no other memory.

use core::ptr::NonNull;

use super::head::Head;
use crate::timers::TimerPlace;

/// The next in a row.
pub(crate) type Link = Option<NonNull<Head>>;

/// See the head of the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Links {
    /// [`OUT`](Self::OUT) for a job that is not in a row.
    pub(crate) older: Link,
    pub(crate) newer: Link,
    /// The timer of its time in the queue. The queue takes it back with the job, so that it names no other (D7).
    pub(crate) timer: TimerPlace,
}

impl Links {
    /// Nobody's address.
    const NOWHERE: Link = Some(NonNull::dangling());

    /// Of a job that is not in a row.
    pub(crate) const OUT: Self = Self { older: Self::NOWHERE, newer: None, timer: TimerPlace::NONE };

    /// Of the first in a row, and the only one.
    pub(crate) const FIRST: Self = Self { older: None, newer: None, timer: TimerPlace::NONE };

    pub(crate) fn is_out(&self) -> bool {
        self.older == Self::NOWHERE
    }
}

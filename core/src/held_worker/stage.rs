//! Where a job of a worker without a heap is.

/// See the head of the file.
///
/// ```text
///   Free ──submit──► Queued ──► Running ──► Completed, Failed, Cancelled … ──read──► Free
///                        also where it is only dropped           detached: Free at once
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Free = 0,
    Queued,
    /// In a lane, or about to be dropped: the driver alone touches the body.
    Running,
    /// Settled, as the others below: the outcome waits for its reader. It returned a value.
    Completed,
    /// It returned an error of its own.
    Failed,
    /// It was dropped, as it was asked to stop; or is about to be.
    Cancelled,
    /// It was dropped, as its time was out.
    TimedOut,
    /// It panicked, or its destructor did.
    Panicked,
}

impl Stage {
    pub(super) fn is_live(self) -> bool {
        self == Self::Queued || self == Self::Running
    }

    pub(super) fn is_over(self) -> bool {
        self >= Self::Completed
    }
}

//! Stretches of a thread's work in which events make no packets.

use std::cell::Cell;

thread_local! {
    /// Has no destructor, so it is there as long as the thread is.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; what this thread emits meanwhile makes no packets.
///
/// Delivering packets must not make packets, or they feed themselves (E16). The layer sees to that while it hands a packet over; whoever
/// delivers them on a thread of its own, with libraries that use `tracing`, does it here. For tasks there are the targets instead
/// (see [`TelemetryLayer::without_target`](crate::TelemetryLayer::without_target)).
pub fn quiet<T>(work: impl FnOnce() -> T) -> T {
    let _quiet = Quiet::begin();
    work()
}

/// Ends the stretch when dropped, if it was this one that began it.
#[derive(Debug)]
pub(crate) struct Quiet(());

impl Quiet {
    /// Begins a stretch; `None` in the middle of one.
    pub(crate) fn begin() -> Option<Self> {
        (!QUIET.replace(true)).then(|| Self(()))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        QUIET.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_ends_it_also_by_a_panic() {
        quiet(|| {
            quiet(|| assert!(QUIET.get()));
            assert!(QUIET.get());
        });
        assert!(!QUIET.get());
        let panicked = std::panic::catch_unwind(|| quiet(|| panic!("in the middle")));
        assert!(panicked.is_err() && !QUIET.get());
    }
}

//! Two threads that do the same at the same time.

use std::sync::Barrier;
use std::thread;

/// Runs `work` on this thread and on another; neither begins before the other is there.
pub(crate) fn together(work: impl Fn() + Sync) {
    let both = Barrier::new(2);
    let run = || {
        both.wait();
        work();
    };
    thread::scope(|scope| {
        scope.spawn(run);
        run();
    });
}

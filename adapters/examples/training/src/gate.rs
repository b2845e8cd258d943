//! Where a job waits until the play lets it go on.

use async_channel::{Receiver, Sender, bounded};

/// The job's side: it says that it has begun, and waits.
#[derive(Debug)]
pub(crate) struct Gate {
    begun: Sender<()>,
    go: Receiver<()>,
}

/// The play's side. Dropped, it opens nothing.
#[derive(Debug)]
pub(crate) struct Keeper {
    begun: Receiver<()>,
    go: Sender<()>,
}

/// A gate and its keeper.
pub(crate) fn gate() -> (Gate, Keeper) {
    let ((begun, has_begun), (go, may_go)) = (bounded(1), bounded(1));
    (Gate { begun, go: may_go }, Keeper { begun: has_begun, go })
}

impl Gate {
    /// Waits until the keeper opens.
    pub(crate) async fn pass(self) {
        // There is room for one, and this is it.
        let _ = self.begun.try_send(());
        if self.go.recv().await.is_err() {
            // Nobody will ever open it.
            std::future::pending::<()>().await;
        }
    }
}

impl Keeper {
    /// Blocks until the job is at the gate.
    pub(crate) fn wait_for_job(&self) {
        // A job that went away without coming here has been told of by its handle.
        let _ = self.begun.recv_blocking();
    }

    /// Lets the job go on.
    pub(crate) fn open(&self) {
        let _ = self.go.try_send(());
    }
}

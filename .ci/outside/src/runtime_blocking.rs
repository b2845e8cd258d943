//! A worker on threads.

use countermand::{Blocking, Job, Shutdown, WorkerConfig};

use crate::Tried;

pub(crate) fn tried() -> Tried {
    let worker = Blocking::new().start(WorkerConfig::new().lanes(2))?;
    let handle = worker.submit_blocking(Job::call(|_| 6 * 7))?;
    assert_eq!(handle.wait()?.completed(), Some(42));
    assert_eq!(worker.shutdown_blocking(Shutdown::Drain)?.counts.completed, 1);
    Ok(())
}

//! A worker on tokio.

use std::time::Duration;

use countermand::{Job, Shutdown, Tokio, WorkerConfig};

use crate::Tried;

#[tokio::main]
pub(crate) async fn tried() -> Tried {
    let worker = Tokio::current()?.start(WorkerConfig::new().lanes(2))?;
    let stuck = worker.submit(Job::task(std::future::pending::<()>()).run_timeout(Duration::from_millis(1))).await?;
    assert!(stuck.await.is_timed_out());
    assert_eq!(worker.shutdown(Shutdown::Drain).await.counts.timed_out, 1);
    Ok(())
}

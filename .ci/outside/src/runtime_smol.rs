//! A worker on smol.

use std::sync::Arc;
use std::time::Duration;

use countermand::{Job, Shutdown, Smol, WorkerConfig};

use crate::Tried;

pub(crate) fn tried() -> Tried {
    let executor = Arc::new(smol::Executor::new());
    smol::block_on(executor.run(async {
        let worker = Smol::on(&executor).start(WorkerConfig::new().lanes(2))?;
        let stuck =
            worker.submit(Job::task(std::future::pending::<()>()).run_timeout(Duration::from_millis(1))).await?;
        assert!(stuck.await.is_timed_out());
        assert_eq!(worker.shutdown(Shutdown::Drain).await.counts.timed_out, 1);
        Ok(())
    }))
}

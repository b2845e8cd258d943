//! A worker without `std`.

use countermand::{Job, Shutdown};

use crate::Tried;
use crate::board::on_worker;

pub(crate) fn tried() -> Tried {
    on_worker(|worker| async move {
        let handle = worker.submit(Job::task(async { 6 * 7 })).await?;
        assert_eq!(handle.await.completed(), Some(42));
        assert_eq!(worker.shutdown(Shutdown::Drain).await.counts.completed, 1);
        Ok(())
    })
}

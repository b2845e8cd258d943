//! A panic is contained.

use countermand::{Job, Outcome};

use crate::Tried;
use crate::board::on_worker;

pub(crate) fn tried() -> Tried {
    on_worker(|worker| async move {
        let handle = worker.submit(Job::task(async { std::panic::resume_unwind(Box::new("on purpose")) })).await?;
        let outcome: Outcome<()> = handle.await;
        assert!(matches!(outcome, Outcome::Panicked { .. }));
        Ok(())
    })
}

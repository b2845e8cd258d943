//! An alarm that is late, and one that is not.

use std::future::pending;
use std::prelude::v1::*;

use countermand_core::Job;

use crate::rules::kit::{OUT_RUNNING, TICK, lanes, secs};
use crate::{Bench, Flaw, ensure_eq};

/// Null control: where nothing but the alarm can tell of it, a late one leaves a job alone, and one that is not late ends it.
pub(super) async fn alarm_alone(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let handle = bench.submit(&worker, Job::task(pending::<()>()).run_timeout(secs(5))).await?;
    bench.quiet(&worker).await?;
    bench.tick(secs(5));
    for _ in 0..100 {
        bench.yield_now().await;
    }
    if handle.is_finished() {
        return Err(Flaw::Inconclusive("the fault did not happen: an alarm that is late ended a job".to_owned()));
    }
    bench.deafen(false);
    bench.tick(TICK);
    let class = bench.within("an alarm that is not late ends a job", handle).await?.class();
    ensure_eq!(class, OUT_RUNNING, "how a job ended by an alarm that is not late");
    Ok(())
}

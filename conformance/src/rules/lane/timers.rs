//! Jobs that end by the host's own timers and by nothing else.

use std::time::Duration;

use countermand_core::{Job, WorkerConfig};

use crate::rules::crew::all_settled;
use crate::{Bench, Check, ensure, ensure_eq};

/// Long enough for a timer to be set, short enough to be waited for.
const SHORT: Duration = Duration::from_millis(2);

/// They sleep, their time runs out while they run or wait in the queue, and a token is kept by the keeper: nobody moves the clock, and
/// nobody but the host's alarm wakes anybody.
pub(super) async fn by_the_hosts_timers(bench: &Bench) -> Check {
    let worker = bench.running_worker(WorkerConfig::new().lanes(2).drivers(2))?;
    let rounds = bench.rounds(4);
    for round in 0..rounds {
        let sleeper = Job::task_with(move |context| async move {
            context.sleep(SHORT).await;
            context.sleep(SHORT).await;
            round
        });
        let sleeper = bench.submit(&worker, sleeper.name("a sleeper")).await?;
        let endless = Job::task(std::future::pending::<()>()).run_timeout(SHORT * 3).name("an endless one");
        let endless = bench.submit(&worker, endless).await?;
        let queued =
            Job::task(std::future::pending::<()>()).queue_timeout(SHORT).run_timeout(SHORT).name("one in the queue");
        let queued = bench.submit(&worker, queued).await?;
        let kept = worker.child_with_timeout(SHORT);
        let slept = bench.within("a job that sleeps by the host's timer wakes up", sleeper).await?;
        ensure_eq!(slept.completed(), Some(round), "what a job returned that slept by the host's timer");
        let ended = bench.within("a job's time runs out by the host's timer", endless).await?;
        ensure!(ended.is_timed_out(), "a job that never ends, and whose time ran out, settled as {ended:?}");
        let ended = bench.within("the time of a job in a full worker runs out by the host's timer", queued).await?;
        ensure!(ended.is_timed_out(), "a job that never ends, and whose time ran out, settled as {ended:?}");
        bench.within("the keeper keeps a token's deadline by the host's timer", kept.cancelled()).await?;
    }
    all_settled(bench, &worker, rounds * 3).await?;
    Ok(rounds)
}

//! A job that is asked to stop and has grace.

use std::time::Duration;

use countermand_core::{Cause, Job, Shutdown, Token};

use crate::rules::kit::{OUT_RUNNING, Puppet, TICK, from_now, lanes, secs, stopped};
use crate::{Bench, Check, Flaw, ensure, ensure_eq};

pub(super) async fn j5_grace_is_kept(bench: &Bench) -> Check {
    value_within_the_grace(bench).await?;
    dropped_at_the_end_of_the_grace(bench).await?;
    grace_after_a_deadline(bench).await?;
    whose_grace(bench).await?;
    grace_in_an_abort(bench).await?;
    Ok(5)
}

async fn value_within_the_grace(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(3))?;
    let parent = Token::new();
    let cast: [Puppet<u32>; 2] = [Puppet::new(), Puppet::new()];
    let by_handle = bench.submit(&worker, Job::task(cast[0].task()).grace(secs(10))).await?;
    let by_parent = bench.submit(&worker, Job::task(cast[1].task()).grace(secs(10)).parent(&parent)).await?;
    let cleaning = Job::task_with(|cx| async move {
        let cause = cx.token().cancelled().await;
        cx.sleep(secs(9)).await;
        cause
    });
    let cleaning = bench.submit(&worker, cleaning.grace(secs(10))).await?;
    bench.quiet(&worker).await?;
    by_handle.cancel();
    cleaning.cancel();
    parent.cancel();
    bench.advance(&worker, secs(9)).await?;
    let brought = bench.settled(cleaning).await?.completed();
    ensure_eq!(brought, Some(Cause::REQUESTED), "what a job returned that learned of the request and tidied up");
    bench.advance(&worker, secs(1) - TICK).await?;
    for (puppet, handle) in cast.iter().zip([by_handle, by_parent]) {
        ensure!(!handle.is_finished(), "a job was over within its grace");
        let before = puppet.polls();
        puppet.wake();
        bench.until("a job is polled within its grace", || puppet.polls() > before).await?;
        bench.quiet(&worker).await?;
        puppet.answer(5);
        ensure_eq!(bench.settled(handle).await?.completed(), Some(5), "what a job returned within its grace");
    }
    Ok(())
}

async fn dropped_at_the_end_of_the_grace(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let puppet = Puppet::<()>::new();
    let handle = bench.submit(&worker, Job::task(puppet.task()).grace(secs(10))).await?;
    bench.quiet(&worker).await?;
    handle.cancel();
    bench.advance(&worker, secs(6)).await?;
    // Asking again gives no more time.
    handle.cancel();
    puppet.wake();
    bench.advance(&worker, secs(4) - TICK).await?;
    ensure!(!handle.is_finished(), "a job was dropped a nanosecond before the end of its grace");
    let polls = puppet.polls();
    bench.advance(&worker, TICK).await?;
    ensure!(handle.is_finished(), "a job was not dropped at the end of its grace");
    ensure_eq!(bench.settled(handle).await?.class(), stopped(Cause::REQUESTED), "how it ended");
    ensure_eq!(puppet.polls(), polls, "its polls after its grace");
    puppet.dropped_once("the task of a job whose grace was over")
}

async fn grace_after_a_deadline(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(3))?;
    let cast: [Puppet<u32>; 3] = std::array::from_fn(|_| Puppet::new());
    let job = |place: usize| Job::task(cast[place].task()).grace(secs(10));
    let in_time = bench.submit(&worker, job(0).run_timeout(secs(5))).await?;
    let timed_out = bench.submit(&worker, job(1).run_timeout(secs(5))).await?;
    let due = bench.submit(&worker, job(2).deadline(from_now(bench, secs(5)))).await?;
    bench.advance(&worker, secs(15) - TICK).await?;
    for handle in [&in_time, &timed_out, &due] {
        ensure!(!handle.is_finished(), "a job was over within its grace after its deadline");
        ensure_eq!(handle.token().cause(), Some(Cause::DEADLINE), "the cause of its token");
    }
    cast[0].answer(5);
    ensure_eq!(bench.settled(in_time).await?.completed(), Some(5), "what a job returned within its grace");
    bench.advance(&worker, TICK).await?;
    for handle in [timed_out, due] {
        ensure!(handle.is_finished(), "a job went on after deadline and grace");
        ensure_eq!(bench.settled(handle).await?.class(), OUT_RUNNING, "how it ended");
    }
    Ok(())
}

/// The worker's for jobs that state none, else the job's own.
async fn whose_grace(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(3).grace(secs(10)))?;
    let job = || Job::task(Puppet::<()>::new().task());
    let none = bench.submit(&worker, job().grace(Duration::ZERO)).await?;
    let workers = bench.submit(&worker, job()).await?;
    let longer = bench.submit(&worker, job().grace(secs(20))).await?;
    bench.quiet(&worker).await?;
    for handle in [&none, &workers, &longer] {
        handle.cancel();
    }
    bench.quiet(&worker).await?;
    ensure!(none.is_finished(), "a job without grace was not dropped at once");
    bench.advance(&worker, secs(10) - TICK).await?;
    ensure!(!workers.is_finished(), "the worker's grace was over too early");
    bench.advance(&worker, TICK).await?;
    ensure!(workers.is_finished(), "the worker's grace did not end");
    ensure!(!longer.is_finished(), "the worker's grace held for a job that stated its own");
    bench.advance(&worker, secs(10)).await?;
    ensure!(longer.is_finished(), "a job's own grace did not end");
    Ok(())
}

async fn grace_in_an_abort(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2).shutdown_limit(secs(60)))?;
    let cast: [Puppet<u32>; 2] = [Puppet::new(), Puppet::new()];
    let returns = bench.submit(&worker, Job::task(cast[0].task()).grace(secs(10))).await?;
    let stays = bench.submit(&worker, Job::task(cast[1].task()).grace(secs(10))).await?;
    bench.quiet(&worker).await?;
    let abort = worker.shutdown(Shutdown::Abort);
    bench.advance(&worker, secs(10) - TICK).await?;
    ensure!(!returns.is_finished() && !stays.is_finished(), "a job was over within its grace in an abort");
    cast[0].answer(5);
    ensure_eq!(bench.settled(returns).await?.completed(), Some(5), "what a job returned within its grace in an abort");
    bench.advance(&worker, TICK).await?;
    ensure_eq!(bench.settled(stays).await?.class(), stopped(Cause::SHUTDOWN), "how a job ended whose grace was over");
    bench.within("the abort is over", abort).await.map(drop)
}

//! The token that each job is given.

use std::prelude::v1::*;
use std::sync::{Arc, Mutex};

use countermand_core::{Cause, Class, Handle, Job, Shutdown, Token, Worker};

use crate::rules::kit::{OUT_RUNNING, Puppet, has, lanes, lock, secs, stopped};
use crate::{Bench, Check, Flaw, Gate, Profile, ensure, ensure_eq};

pub(super) async fn j11_own_token_under_worker_and_submitter(bench: &Bench) -> Check {
    each_its_own(bench).await?;
    under_the_submitters(bench).await?;
    under_the_workers(bench).await?;
    handed_on_to_sub_jobs(bench).await?;
    if has(bench, Profile::NONE.blocking()) {
        of_a_call(bench).await?;
        return Ok(5);
    }
    Ok(4)
}

/// A job that never ends, and the token it was given.
async fn with_token(
    bench: &Bench,
    worker: &Worker,
    dress: impl FnOnce(Job<WithToken>) -> Job<WithToken>,
) -> Result<(Handle<()>, Token), Flaw> {
    let given: Arc<Mutex<Option<Token>>> = Arc::default();
    let give = Arc::clone(&given);
    let make: Make = Box::new(move |cx| {
        *lock(&give) = Some(cx.token().clone());
        Box::pin(Puppet::<()>::new().task())
    });
    let handle = bench.submit(worker, dress(Job::task_with(make))).await?;
    bench.quiet(worker).await?;
    let token = lock(&given).take();
    Ok((handle, token.ok_or_else(|| Flaw::Broken("a job was not started when all was quiet".to_owned()))?))
}

type Make = Box<dyn FnOnce(countermand_core::JobContext) -> crate::SendFuture + Send>;
type WithToken = countermand_core::PlainWith<Make>;

async fn each_its_own(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(4))?;
    let parent = Token::new();
    let (first, of_first) = with_token(bench, &worker, |job| job.parent(&parent)).await?;
    let (sibling, of_sibling) = with_token(bench, &worker, |job| job.parent(&parent)).await?;
    let (stranger, of_stranger) = with_token(bench, &worker, |job| job).await?;
    of_first.cancel();
    bench.quiet(&worker).await?;
    ensure!(!parent.is_cancelled(), "cancelling a job's token cancelled its submitter's");
    ensure!(!worker.token().is_cancelled(), "cancelling a job's token cancelled its worker's");
    ensure!(
        !of_sibling.is_cancelled() && !of_stranger.is_cancelled(),
        "cancelling a job's token cancelled another job's"
    );
    ensure_eq!(first.token().cause(), Some(Cause::REQUESTED), "what its handle sees of a token that the job cancelled");
    ensure_eq!(
        bench.settled(first).await?.class(),
        stopped(Cause::REQUESTED),
        "how a job ended that cancelled its token"
    );
    stranger.cancel();
    ensure!(of_stranger.is_cancelled(), "cancelling a job did not cancel the token that it was given");
    ensure!(!of_sibling.is_cancelled(), "cancelling a job cancelled another's token");
    parent.cancel();
    ensure!(of_sibling.is_cancelled(), "cancelling a submitter's token did not cancel the token of its job");
    bench.settled(sibling).await.map(drop)
}

async fn under_the_submitters(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let grandparent = Token::new();
    let why = Cause::REQUESTED.with_code(11);
    let (handle, token) = with_token(bench, &worker, |job| job.parent(&grandparent.child_token())).await?;
    let (other, of_other) = with_token(bench, &worker, |job| job).await?;
    grandparent.cancel_with(why);
    ensure_eq!(token.cause(), Some(why), "the cause of a job's token when the cancel of its submitter's returned");
    ensure_eq!(bench.settled(handle).await?.class(), stopped(why), "how the job ended");
    ensure!(
        !of_other.is_cancelled() && !other.is_finished(),
        "a submitter's token cancelled a job that it was not passed to"
    );
    Ok(())
}

async fn under_the_workers(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let parent = Token::new();
    let (plain, of_plain) = with_token(bench, &worker, |job| job).await?;
    let (linked, of_linked) = with_token(bench, &worker, |job| job.parent(&parent)).await?;
    let abort = worker.shutdown(Shutdown::Abort);
    for token in [&of_plain, &of_linked] {
        ensure_eq!(
            token.cause(),
            Some(Cause::SHUTDOWN),
            "the cause of a job's token when the call for an abort returned"
        );
    }
    for (handle, token) in [(plain, of_plain), (linked, of_linked)] {
        let class = bench.settled(handle).await?.class();
        ensure_eq!(class, stopped(Cause::SHUTDOWN), "how a job ended when its worker was aborted");
        ensure_eq!(token.cause(), Some(Cause::SHUTDOWN), "the cause of its token");
    }
    ensure_eq!(worker.token().cause(), Some(Cause::SHUTDOWN), "the cause of the worker's token");
    ensure!(!parent.is_cancelled(), "an abort cancelled a submitter's token");
    bench.within("the abort is over", abort).await.map(drop)
}

/// What a job hands on is cancelled with it, whatever the reason, and sees its deadline.
async fn handed_on_to_sub_jobs(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(4))?;
    let elsewhere = bench.worker(lanes(4))?;
    for by_time in [false, true] {
        let (handle, token) =
            with_token(bench, &worker, |job| if by_time { job.run_timeout(secs(5)) } else { job }).await?;
        let (sub_job, of_sub_job) = with_token(bench, &elsewhere, |job| job.parent(&token)).await?;
        let (deeper, of_deeper) = with_token(bench, &elsewhere, |job| job.parent(&of_sub_job.child_token())).await?;
        let child = token.child_token();
        let mut waiting = Box::pin(child.cancelled());
        let recorder = crate::Recorder::new();
        ensure!(
            crate::poll(waiting.as_mut(), &recorder.waker()).is_pending(),
            "a token of a running job was cancelled"
        );
        let (cause, class) = if by_time {
            bench.advance(&worker, secs(5)).await?;
            (Cause::DEADLINE, OUT_RUNNING)
        } else {
            handle.cancel();
            (Cause::REQUESTED, stopped(Cause::REQUESTED))
        };
        for handle in [handle, sub_job, deeper] {
            ensure_eq!(bench.settled(handle).await?.class(), class, "how a job and its sub-jobs ended");
        }
        ensure_eq!(bench.within("a token that was handed on tells", waiting).await?, cause, "what it told");
        ensure_eq!(recorder.wakes(), 1, "wakes of one who waits for such a token");
        ensure_eq!(of_deeper.cause(), Some(cause), "the cause of a sub-job's token");
    }
    // A job that ends by itself takes nobody with it.
    let (parent, puppet) = (Arc::new(Mutex::new(None)), Puppet::new());
    let (give, inner) = (Arc::clone(&parent), puppet.task());
    let job = Job::task_with(move |cx| {
        *lock(&give) = Some(cx.token().clone());
        inner
    });
    let handle = bench.submit(&worker, job).await?;
    bench.quiet(&worker).await?;
    let token = lock(&parent).take().unwrap_or_else(Token::never);
    let (sub_job, _) = with_token(bench, &elsewhere, |job| job.parent(&token)).await?;
    puppet.answer(());
    ensure_eq!(bench.settled(handle).await?.class(), Class::Completed, "how a job ended that returned");
    bench.quiet(&elsewhere).await?;
    ensure!(!token.is_cancelled() && !sub_job.is_finished(), "the end of a job cancelled what it had handed on");
    Ok(())
}

async fn of_a_call(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let parent = Token::new();
    let entered = Gate::new();
    let (enter, leave) = (entered.clone(), Gate::new());
    let left = leave.clone();
    let call = Job::call(move |cx| {
        let child = cx.token().child_token();
        enter.open();
        left.wait_blocking();
        (cx.token().cause(), child.cause(), cx.is_cancelled())
    });
    let handle = bench.submit(&worker, call.parent(&parent)).await?;
    bench.until("a call runs", || entered.is_open()).await?;
    parent.cancel();
    ensure_eq!(handle.token().cause(), Some(Cause::REQUESTED), "the cause of a running call's token");
    leave.open();
    let seen = bench.settled(handle).await?.completed();
    let cause = Some(Cause::REQUESTED);
    ensure_eq!(seen, Some((cause, cause, true)), "what a call saw of its token, and of one that it handed on");
    Ok(())
}

//! The paths of a task that panics, or whose destructor does.

use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::Mutex;
use std::task::{Context, Poll};

use countermand_core::{Class, Handle, Job, Worker, WorkerConfig};

use super::{Path, cargo, ended, held, one_lane, paths};
use crate::rules::crew::quietly;
use crate::{Bench, Census, Flaw, Gate, Pass, Probe};

pub(super) const PATHS: &[(&str, Path)] = paths![panicked, panicked_before_its_future, destructor_panicked];

/// A task that panics when its gate is open; what it captured is not dropped by the panic itself, as variables of an async block are.
struct Doomed<C> {
    pass: Pass,
    payload: Option<Probe>,
    _cargo: Pin<Box<C>>,
}

impl<C> Future for Doomed<C> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Pin::new(&mut self.pass).poll(cx).is_ready() {
            std::panic::panic_any(self.payload.take());
        }
        Poll::Pending
    }
}

async fn panicked(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    for (first_poll, read) in [(true, true), (false, true), (false, false)] {
        let (gate, payload) = (Gate::new(), census.probe());
        let cargo = Box::pin(cargo(census, &Gate::new()));
        let job = Job::task(Doomed { pass: gate.wait(), payload: Some(payload), _cargo: cargo });
        if first_poll {
            gate.open();
        }
        let handle: Handle<()> = bench.submit(&worker, job).await?;
        bench.quiet(&worker).await?;
        gate.open();
        if read {
            ended(&bench.settled(handle).await?, Class::Panicked)?;
        }
    }
    bench.until("all settle", || worker.counts().panicked == 3).await?;
    Ok(Some(worker))
}

async fn panicked_before_its_future(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let captured = census.probe();
    let job = Job::task_with(move |_| -> std::future::Ready<()> {
        let _captured = captured;
        panic!("planted");
    });
    ended(&bench.settled(bench.submit(&worker, job).await?).await?, Class::Panicked)?;
    Ok(Some(worker))
}

/// A task that goes off when it is dropped as a whole. (A value that goes off inside of the poll takes the result with it: that is the
/// language's doing.)
struct Armed {
    cargo: Pin<Box<dyn Future<Output = Probe> + Send>>,
    _bomb: Probe,
}

impl Future for Armed {
    type Output = Probe;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Probe> {
        self.cargo.as_mut().poll(cx)
    }
}

async fn destructor_panicked(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let (worker, gate, first) = held(bench, WorkerConfig::new()).await?;
    let bomb = || census.probe_with(|| std::panic::panic_any("planted"));
    let job = |gate: &Gate| Job::task(Armed { cargo: Box::pin(cargo(census, gate)), _bomb: bomb() });
    let queued = bench.submit(&worker, job(&gate)).await?;
    queued.cancel();
    ended(&bench.settled(queued).await?, Class::Panicked)?;
    gate.open();
    bench.settled(first).await?;
    let running = bench.submit(&worker, job(&Gate::new())).await?;
    bench.quiet(&worker).await?;
    running.cancel();
    ended(&bench.settled(running).await?, Class::Panicked)?;
    // It returns, and then a destructor panics: the result is nobody's, and is dropped as well.
    let returning = bench.submit(&worker, job(&gate)).await?;
    ended(&bench.settled(returning).await?, Class::Panicked)?;
    // A result that nobody reads.
    let output = bomb();
    drop(bench.submit(&worker, Job::task(async move { output })).await?);
    bench.until("the last one settles", || worker.counts().completed == 2).await?;
    let unread = Mutex::new(Some(bench.submit(&worker, Job::task(std::future::ready(bomb()))).await?));
    bench.until("the last one settles", || worker.counts().completed == 3).await?;
    bench.quiet(&worker).await?;
    let _ = quietly(|| drop(unread));
    Ok(Some(worker))
}

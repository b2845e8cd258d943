//! The line of those that wait for a place.

use std::convert::Infallible;
use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::{Mutex, PoisonError};
use std::task::{Poll, Waker};

use countermand_core::{FullPolicy, Handle, Submit, Work, WorkerConfig};

use super::super::kit::{has, lock};
use super::super::scene::{Held, Roll, Stepped, step};
use crate::{Bench, Check, Flaw, Profile, Recorder, ensure, ensure_eq, poll};

/// A submitter that stands in line.
pub(super) struct Waiter<W: Work<Value = u64, Error = Infallible>> {
    pub(super) number: u64,
    submit: Submit<W>,
    pub(super) recorder: Recorder,
    /// By the rule's own account.
    granted: bool,
}

impl<W: Work<Value = u64, Error = Infallible>> Waiter<W> {
    /// Comes to the queue: in line, or in it.
    pub(super) fn come(number: u64, mut submit: Submit<W>) -> Result<Arrival<W>, Flaw> {
        let recorder = Recorder::new();
        match poll(Pin::new(&mut submit), &recorder.waker()) {
            Poll::Pending => Ok(Arrival::InLine(Self { number, submit, recorder, granted: false })),
            Poll::Ready(Ok(handle)) => Ok(Arrival::In(handle)),
            Poll::Ready(Err(rejected)) => Err(Flaw::Broken(format!("job {number} was refused: {}", rejected.reason))),
        }
    }

    /// Looks whether there is a place for it now.
    pub(super) fn look(&mut self) -> Result<Option<Handle<u64>>, Flaw> {
        match poll(Pin::new(&mut self.submit), &self.recorder.waker()) {
            Poll::Pending => Ok(None),
            Poll::Ready(Ok(handle)) => Ok(Some(handle)),
            Poll::Ready(Err(rejected)) => {
                Err(Flaw::Broken(format!("job {}, which waited, was refused: {}", self.number, rejected.reason)))
            }
        }
    }
}

pub(super) enum Arrival<W: Work<Value = u64, Error = Infallible>> {
    InLine(Waiter<W>),
    In(Handle<u64>),
}

impl<W: Work<Value = u64, Error = Infallible>> Arrival<W> {
    pub(super) fn in_line(self) -> Result<Waiter<W>, Flaw> {
        match self {
            Self::InLine(waiter) => Ok(waiter),
            Self::In(handle) => Err(Flaw::Broken(format!("a full queue let {:?} in", handle.id()))),
        }
    }
}

pub(super) async fn q6_waiting_submit_is_cancel_safe(bench: &Bench) -> Check {
    super::items::q6_cancel_safe()?;
    let held = Held::new(bench, WorkerConfig::new().capacity(1)).await?;
    let roll = Roll::new();
    // Never polled: nothing has happened.
    drop(held.worker.submit(roll.job(0)));
    ensure_eq!(held.worker.queued(), 0, "queued after a submit was dropped before its first poll");
    ensure_eq!(roll.census().dropped(), 1, "bodies dropped with it");

    let blocker = bench.submit(&held.worker, roll.job(1)).await?;
    let mut waiters = Vec::new();
    for number in 2..6 {
        waiters.push(Waiter::come(number, held.worker.submit(roll.job(number)))?.in_line()?);
    }
    let wakes = |waiters: &[Waiter<_>]| waiters.iter().map(|waiter| waiter.recorder.wakes()).collect::<Vec<_>>();
    // Dropped while it waits, the first in line: nothing is enqueued, nobody is woken, its waker is let go.
    let gone = waiters.remove(0);
    drop(gone.submit);
    ensure_eq!((held.worker.queued(), roll.census().dropped()), (1, 2), "queued, and bodies dropped");
    ensure_eq!(wakes(&waiters), [0, 0, 0], "wakes of the others in line when the first gave up");
    ensure_eq!(gone.recorder.held(), 0, "wakers kept of a submit that was dropped in line");

    // The place goes to the next. That one is dropped when it was granted the place, and has not come for it.
    blocker.cancel();
    bench.settled(blocker).await?;
    bench.quiet(&held.worker).await?;
    ensure_eq!(wakes(&waiters), [1, 0, 0], "wakes of those in line when a place was freed");
    let late = held.worker.try_submit(roll.job(20)).is_ok();
    ensure!(!late, "somebody who had not waited took the place that a waiting submitter was granted");
    drop(waiters.remove(0));
    ensure_eq!(wakes(&waiters), [1, 0], "wakes of those in line when the one that was granted the place gave up");
    ensure_eq!(held.worker.queued(), 0, "queued");
    let second = waiters.remove(0).look()?;
    ensure!(second.is_some(), "the next in line was woken and has no place");

    // The last in line gives its place up too: nobody is next, and the place is free.
    second.iter().for_each(|handle| {
        handle.cancel();
    });
    bench.quiet(&held.worker).await?;
    ensure_eq!(wakes(&waiters), [1], "wakes of the last in line");
    waiters.clear();
    let last = match held.worker.try_submit(roll.job(21)) {
        Ok(handle) => handle,
        Err(rejected) => {
            return Err(Flaw::Broken(format!("a place was lost with a submit that was dropped: {}", rejected.reason)));
        }
    };
    let worker = held.release(bench).await?;
    bench.settled(last).await?;
    ensure_eq!(roll.begun(), [21], "jobs that ran; 0, 2, 3 and 5 were dropped by their submitters, 1 and 4 cancelled");
    ensure_eq!(worker.counts().accepted, 4, "the worker's own count of accepted");
    roll.census().each_once("bodies of jobs whose submit was dropped")?;
    dropped_while_granted(bench)?;
    by_a_model(bench).await
}

/// The grant and the drop at the same time: whichever comes first, the next in line gets the place.
fn dropped_while_granted(bench: &Bench) -> Result<(), Flaw> {
    if !has(bench, Profile::NONE.threads()) {
        return Ok(());
    }
    struct Field<S> {
        stepped: Result<Mutex<Stepped>, Flaw>,
        line: Mutex<Option<[S; 2]>>,
        next: Mutex<Option<S>>,
    }
    let roll = Roll::new();
    let set_up = |_| {
        let stepped = Stepped::new(bench, WorkerConfig::new().lanes(1).drivers(1).capacity(1));
        let line = stepped.as_ref().ok().map(|stepped| {
            let blocker = stepped.worker.try_submit(roll.job(0));
            let line = [1, 2].map(|number| {
                let mut submit = stepped.worker.submit(roll.job(number));
                let _ = poll(Pin::new(&mut submit), Waker::noop());
                submit
            });
            blocker.iter().for_each(|handle| {
                handle.cancel();
            });
            line
        });
        Field { stepped: stepped.map(Mutex::new), line: Mutex::new(line), next: Mutex::new(None) }
    };
    // The keeper takes the cancelled job out, and grants its place.
    let grant = |field: &Field<_>| {
        let Ok(stepped) = &field.stepped else { return };
        if let Some(keeper) = lock(stepped).attendants.last_mut() {
            step(keeper);
        }
    };
    let give_up = |field: &Field<_>| {
        let line = lock(&field.line).take();
        if let Some([first, next]) = line {
            drop(first);
            *lock(&field.next) = Some(next);
        }
    };
    let audit = |round, field: Field<_>| {
        let stepped = field.stepped?.into_inner().unwrap_or_else(PoisonError::into_inner);
        let next = field.next.into_inner().unwrap_or_else(PoisonError::into_inner);
        let entered = next.map(|mut submit| poll(Pin::new(&mut submit), Waker::noop()).is_ready());
        ensure_eq!(entered, Some(true), "round {round}: whether the next in line has the place");
        ensure_eq!(stepped.worker.queued(), 1, "round {round}: queued");
        Ok(())
    };
    bench.race(bench.rounds(400), set_up, &[&grant, &give_up], audit)?;
    Ok(())
}

/// Submitters come, look, are dropped, and places are freed, at random, against an account of one's own.
async fn by_a_model(bench: &Bench) -> Check {
    const PLACES: usize = 3;
    let rounds = bench.rounds(25);
    let mut random = bench.random();
    for round in 0..rounds {
        let held = Held::new(bench, WorkerConfig::new().capacity(PLACES).full(FullPolicy::Wait)).await?;
        let roll = Roll::new();
        let mut line: Vec<Waiter<_>> = Vec::new();
        let mut queued: Vec<(u64, Handle<u64>)> = Vec::new();
        for number in 0..50 {
            match random.u8(..8) {
                0..=2 => match Waiter::come(number, held.worker.submit(roll.job(number)))? {
                    Arrival::InLine(waiter) => line.push(waiter),
                    Arrival::In(handle) => queued.push((number, handle)),
                },
                3..=4 if !queued.is_empty() => {
                    let (_, handle) = queued.remove(random.usize(..queued.len()));
                    handle.cancel();
                    bench.quiet(&held.worker).await?;
                }
                5..=6 if !line.is_empty() => {
                    drop(line.remove(random.usize(..line.len())));
                }
                _ if !line.is_empty() => {
                    let place = random.usize(..line.len());
                    if let Some(handle) = line[place].look()? {
                        let waiter = line.remove(place);
                        ensure!(waiter.granted, "round {round}: job {} entered before its turn", waiter.number);
                        queued.push((waiter.number, handle));
                    } else {
                        let waiter = &line[place];
                        ensure!(!waiter.granted, "round {round}: job {} lost its place", waiter.number);
                    }
                }
                _ => {}
            }
            // Whoever is first in line has the place that is free.
            let taken = queued.len() + line.iter().filter(|waiter| waiter.granted).count();
            for waiter in line.iter_mut().filter(|waiter| !waiter.granted).take(PLACES - taken) {
                waiter.granted = true;
            }
            ensure_eq!(held.worker.queued(), queued.len(), "round {round}, after step {number}: queued");
            for waiter in &line {
                ensure_eq!(
                    waiter.recorder.wakes() > 0,
                    waiter.granted,
                    "round {round}, after step {number}: whether job {} in line was woken; {PLACES} places, {} queued",
                    waiter.number,
                    queued.len()
                );
            }
        }
        drop(line);
        for number in queued.len()..PLACES {
            let number = 100 + number as u64;
            match held.worker.try_submit(roll.job(number)) {
                Ok(handle) => queued.push((number, handle)),
                Err(_) => return Err(Flaw::Broken(format!("round {round}: {} of {PLACES} places left", queued.len()))),
            }
        }
        ensure!(held.worker.try_submit(roll.job(999)).is_err(), "round {round}: more than {PLACES} places");
        held.release(bench).await?;
        let numbers: Vec<u64> = queued.iter().map(|(number, _)| *number).collect();
        for (_, handle) in queued {
            bench.settled(handle).await?;
        }
        ensure_eq!(roll.begun(), numbers, "round {round}: jobs that ran");
        roll.census().each_once("bodies of jobs that stood in line")?;
    }
    Ok(rounds + 1)
}

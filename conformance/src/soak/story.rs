//! The story of one job from its submitter's side: submitted, cancelled or let go, awaited, and what was seen entered in the ledger.

use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use countermand_core::{Handle, Instant, Job, Outcome, Priority, Rejected, Token, Work, Worker};
use fastrand::Rng;
use futures::channel::oneshot;
use futures::task::AtomicWaker;

use super::body::{Act, Script, call};
use super::ledger::Ledger;
use super::mix::Kind;
use super::record::{End, Gift, Record};
use crate::{Gate, Recorder, Touch};

/// One job in so many is awaited through a waker that is watched.
const WATCHED: u64 = 64;

/// What all stories of a soak share.
pub(super) struct Stage {
    pub(super) worker: Worker,
    pub(super) ledger: RefCell<Ledger>,
    /// Cancels what it is sent, on a thread of its own; `None` where drivers and submitters share one.
    pub(super) canceller: Option<Sender<Token>>,
    /// Whether the host runs calls.
    pub(super) calls: bool,
    /// Jobs whose last traces are looked at when everything is at rest.
    pub(super) left: RefCell<Vec<Left>>,
    /// Wakers that nobody may hold then.
    pub(super) watched: RefCell<Vec<Recorder>>,
}

/// A job that somebody else's end may outlive.
pub(super) struct Left {
    record: Arc<Record>,
    /// Set where the handle was dropped: its end is entered by what it left.
    detached: Option<Priority>,
}

type Outcomes = Outcome<Gift, Gift>;

impl Stage {
    /// Plays one job of this kind to its end.
    pub(super) async fn play(&self, number: u64, kind: Kind, mut rng: Rng) {
        let record = Record::new(number);
        let priority = Priority::ALL[rng.usize(0..Priority::ALL.len())];
        let rng = &mut rng;
        let yields = rng.u32(0..=5);
        let part = Part { stage: self, record, priority };
        match kind {
            Kind::Success => part.simply(Script::new(yields, Act::Return), End::Completed).await,
            Kind::Error => part.simply(Script::new(yields, Act::Fail), End::Failed).await,
            Kind::OutRunning => part.out_of_time(rng).await,
            Kind::OutQueued => part.out_in_the_queue(rng).await,
            Kind::CancelledQueued => part.cancelled_at_once(yields).await,
            Kind::CancelledRunning => part.cancelled_in_a_lane(rng).await,
            Kind::CancelledAtCompletion => part.cancelled_at_completion(yields, rng).await,
            Kind::Panic => part.panics(yields, rng).await,
            Kind::Blocking if self.calls => part.blocks(rng).await,
            Kind::Blocking => part.simply(Script::new(yields, Act::Return), End::Completed).await,
            Kind::Entangled => part.entangled(yields, rng).await,
        }
    }

    /// Everything is at rest: enters what was left, and looks for what should be gone.
    pub(super) fn clear(&self) {
        let mut ledger = self.ledger.borrow_mut();
        for Left { record, detached } in self.left.borrow_mut().drain(..) {
            if let Some(priority) = detached {
                let end = record.end();
                ledger.end(priority, end, record.polls() > 0);
            }
            if let Some(why) = record.remains() {
                ledger.faults.note(|| format!("job {}: at rest, {why}", record.number));
            }
        }
        for recorder in self.watched.borrow_mut().drain(..) {
            if recorder.held() != 0 {
                ledger.faults.note(|| format!("at rest, {} wakers of a finished wait are held", recorder.held()));
            }
        }
    }
}

/// One job of it.
struct Part<'a> {
    stage: &'a Stage,
    record: Arc<Record>,
    priority: Priority,
}

impl Part<'_> {
    async fn simply(self, script: Script, end: End) {
        let job = script.task(&self.record);
        if let Some(handle) = self.submit(job).await {
            self.settle(handle, &[end]).await;
        }
    }

    async fn out_of_time(self, rng: &mut Rng) {
        let limit = Duration::from_micros(rng.u64(50..1_000));
        let job = Script::new(0, Act::Linger { restless: restlessness(rng) }).task(&self.record).run_timeout(limit);
        if let Some(handle) = self.submit(job).await {
            self.settle(handle, &[End::OutRunning]).await;
        }
    }

    async fn out_in_the_queue(self, rng: &mut Rng) {
        let job = Script::new(0, Act::Return).task(&self.record);
        let (job, ends): (_, &[End]) = if rng.bool() {
            (job.deadline(Instant::ORIGIN), &[End::OutQueued])
        } else {
            (job.queue_timeout(Duration::from_micros(rng.u64(1..300))), &[End::OutQueued, End::Completed])
        };
        if let Some(handle) = self.submit(job).await {
            self.settle(handle, ends).await;
        }
    }

    async fn cancelled_at_once(self, yields: u32) {
        let job = Script::new(yields, Act::Return).task(&self.record);
        if let Some(handle) = self.submit(job).await {
            let was_finished = handle.is_finished();
            let first = handle.cancel();
            if !first && !was_finished && !handle.is_finished() {
                self.fault(|| "the only canceller was told that it was not first".to_owned());
            }
            self.settle(handle, &[End::Unstarted, End::Stopped, End::Completed]).await;
        }
    }

    async fn cancelled_in_a_lane(self, rng: &mut Rng) {
        let (begun, has_begun) = oneshot::channel();
        let mut script = Script::new(0, Act::Linger { restless: restlessness(rng) });
        script.begun = Some(begun);
        if let Some(handle) = self.submit(script.task(&self.record)).await {
            let _ = has_begun.await;
            if !handle.cancel() {
                self.fault(|| "the only canceller was told that it was not first".to_owned());
            }
            self.settle(handle, &[End::Stopped]).await;
        }
    }

    async fn cancelled_at_completion(self, yields: u32, rng: &mut Rng) {
        let (begun, has_begun) = oneshot::channel();
        let act = match &self.stage.canceller {
            Some(canceller) => Act::RaceWith { canceller: canceller.clone(), spins: rng.u32(0..2_000) },
            None => Act::Return,
        };
        let mut script = Script::new(yields, act);
        script.begun = Some(begun);
        if let Some(handle) = self.submit(script.task(&self.record)).await {
            if self.stage.canceller.is_none() {
                let _ = has_begun.await;
                handle.cancel();
            }
            // What it returned in the same poll is delivered (J3).
            self.settle(handle, &[End::Completed]).await;
        }
    }

    async fn panics(self, yields: u32, rng: &mut Rng) {
        let mut script = Script::new(yields, Act::Return);
        match rng.u32(0..5) {
            0 => script.act = Act::Panic,
            1 => script.load_explodes = true,
            2 => {
                (script.act, script.load_explodes) = (Act::Panic, true);
                self.stage.ledger.borrow_mut().contained += 1;
            }
            3 => {
                let (begun, has_begun) = oneshot::channel();
                script = Script::new(0, Act::Linger { restless: 0 });
                (script.begun, script.load_explodes) = (Some(begun), true);
                if let Some(handle) = self.submit(script.task(&self.record)).await {
                    let _ = has_begun.await;
                    handle.cancel();
                    self.settle(handle, &[End::Panicked]).await;
                }
                return;
            }
            _ => {
                script.gift_explodes = true;
                return self.simply(script, End::Completed).await;
            }
        }
        self.leave(None);
        self.simply(script, End::Panicked).await;
    }

    /// A call is never interrupted (B1); one that may be abandoned is, and its value comes late (B3).
    async fn blocks(self, rng: &mut Rng) {
        let (gate, (begun, has_begun)) = (Gate::new(), oneshot::channel());
        let job = call(&self.record, begun, &gate);
        if rng.bool() {
            if let Some(handle) = self.submit(job).await {
                let _ = has_begun.await;
                handle.cancel();
                gate.open();
                self.settle(handle, &[End::Completed]).await;
            }
            return;
        }
        let limit = Duration::from_micros(rng.u64(50..1_000));
        self.leave(None);
        if let Some(handle) = self.submit(job.run_timeout(limit).abandonable()).await {
            let outcome = self.outcome(handle).await;
            // Given to a thread that has not begun: it never will (B2).
            let begun = self.record.polls() > 0;
            if begun {
                self.stage.ledger.borrow_mut().late += 1;
            }
            self.enter(outcome, if begun { &[End::Abandoned] } else { &[End::OutQueued] });
            gate.open();
        }
    }

    async fn entangled(self, yields: u32, rng: &mut Rng) {
        match rng.u32(0..6) {
            0 => self.spawns(yields).await,
            1 => {
                let returns = rng.bool();
                let end = if returns { End::Completed } else { End::Stopped };
                self.simply(Script::new(yields, Act::CancelItself { returns }), end).await;
            }
            2 => {
                let job = Script::new(yields, Act::Return).task(&self.record);
                if let Some(handle) = self.submit(job).await {
                    self.leave(Some(self.priority));
                    drop(handle);
                }
            }
            3 => {
                // Nobody reads its result, and dropping it panics.
                let mut script = Script::new(yields, Act::Return);
                script.gift_explodes = true;
                if let Some(handle) = self.submit(script.task(&self.record)).await {
                    self.stage.ledger.borrow_mut().contained += 1;
                    self.leave(Some(self.priority));
                    drop(handle);
                }
            }
            4 => {
                let job = Script::new(yields, Act::Return).task(&self.record).cancel_on_drop();
                if let Some(handle) = self.submit(job).await {
                    self.leave(Some(self.priority));
                    drop(handle);
                }
            }
            _ => {
                let job = Script::new(yields, Act::Return).task(&self.record).priority(self.priority);
                match self.stage.worker.try_submit(job) {
                    Ok(handle) => {
                        self.stage.ledger.borrow_mut().accept(self.priority);
                        self.settle(handle, &[End::Completed]).await;
                    }
                    Err(rejected) => self.came_back(came_back_whole(rejected, &self.record), self.priority),
                }
            }
        }
    }

    /// A job submits another, without waiting for a place (a job that waits for its own worker may starve), and its submitter awaits both.
    async fn spawns(self, yields: u32) {
        let inner = Part { stage: self.stage, record: Record::new(self.record.number), priority: self.priority };
        let (send, arrival) = oneshot::channel();
        let (worker, record, priority) = (self.stage.worker.clone(), Arc::clone(&inner.record), self.priority);
        let act = Act::First(Box::new(move || {
            let job = Script::new(yields, Act::Return).task(&record).priority(priority);
            let submitted = worker.try_submit(job).map_err(|rejected| came_back_whole(rejected, &record));
            let _ = send.send(submitted);
        }));
        self.simply(Script::new(yields, act), End::Completed).await;
        match arrival.await {
            Ok(Ok(handle)) => {
                inner.stage.ledger.borrow_mut().accept(priority);
                inner.settle(handle, &[End::Completed]).await;
            }
            Ok(Err(whole)) => inner.came_back(whole, priority),
            Err(_) => inner.fault(|| "a job that was to submit another was dropped before it did".to_owned()),
        }
    }

    /// Waits for a place.
    async fn submit<W: Work<Value = Gift, Error = Gift>>(&self, job: Job<W>) -> Option<Handle<Gift, Gift>> {
        match self.stage.worker.submit(job.priority(self.priority)).await {
            Ok(handle) => {
                self.stage.ledger.borrow_mut().accept(self.priority);
                Some(handle)
            }
            Err(rejected) => {
                self.fault(|| format!("came back from a worker that is open: {}", rejected.reason));
                None
            }
        }
    }

    async fn settle(&self, handle: Handle<Gift, Gift>, ends: &[End]) {
        let outcome = self.outcome(handle).await;
        self.enter(outcome, ends);
    }

    async fn outcome(&self, mut handle: Handle<Gift, Gift>) -> Outcomes {
        if !self.record.number.is_multiple_of(WATCHED) {
            return handle.await;
        }
        let listener = Arc::new(AtomicWaker::new());
        let ears = Arc::clone(&listener);
        let recorder = Recorder::acting(move |touch| {
            if touch == Touch::Wake {
                ears.wake();
            }
        });
        self.stage.watched.borrow_mut().push(recorder.clone());
        poll_fn(move |cx| {
            listener.register(cx.waker());
            let waker = recorder.waker();
            crate::poll(Pin::new(&mut handle), &waker)
        })
        .await
    }

    /// Compares an outcome with what the job saw, and enters it.
    fn enter(&self, outcome: Outcomes, ends: &[End]) {
        let end = End::of(outcome.class());
        let record = &self.record;
        self.stage.ledger.borrow_mut().end(self.priority, end, record.polls() > 0);
        if !ends.contains(&end) {
            self.fault(|| format!("settled as {}, one of {ends:?} was due", end.name()));
        }
        if let Some(why) = record.contradicts(end) {
            self.fault(|| why);
        }
        // The handle is ready only after all that was captured has been dropped (J7); a call that was abandoned still has it.
        if end != End::Abandoned && record.bodies() != 1 {
            self.fault(|| {
                format!("{}: captured values dropped {} times before the handle was ready", end.name(), record.bodies())
            });
        }
        let given = match &outcome {
            Outcome::Completed(gift) | Outcome::Failed(gift) => Some(gift.record.number),
            _ => None,
        };
        if given.is_some_and(|given| given != record.number) {
            self.fault(|| format!("was given the result of job {given:?}"));
        }
        if given.is_some() && record.gifts() != 0 {
            self.fault(|| "its result was dropped before it was given".to_owned());
        }
        // A result may explode, and a payload is dropped here too.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(outcome)));
        if given.is_some() && record.gifts() != 1 {
            self.fault(|| format!("its result was dropped {} times", record.gifts()));
        }
    }

    fn came_back(&self, whole: bool, priority: Priority) {
        self.stage.ledger.borrow_mut().reject(priority);
        if !whole {
            self.fault(|| "came back from a full queue, and not whole".to_owned());
        }
    }

    /// What is left of it is looked at when everything is at rest.
    fn leave(&self, detached: Option<Priority>) {
        self.stage.left.borrow_mut().push(Left { record: Arc::clone(&self.record), detached });
    }

    fn fault(&self, why: impl FnOnce() -> String) {
        let number = self.record.number;
        self.stage.ledger.borrow_mut().faults.note(|| format!("job {number}: {}", why()));
    }
}

/// One job in four does not wait to be woken.
fn restlessness(rng: &mut Rng) -> u32 {
    if rng.u32(0..4) == 0 { rng.u32(1..200) } else { 0 }
}

/// Whether a job that was refused has come back with all that it captured, once.
fn came_back_whole<W>(rejected: Rejected<Job<W>>, record: &Record) -> bool {
    let whole = record.bodies() == 0;
    drop(rejected);
    whole && record.bodies() == 1
}

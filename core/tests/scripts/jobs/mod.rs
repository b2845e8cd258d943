//! Scripts of a worker and its jobs: a step at a time something is done to it, and a plain model says what must have come of it.
//!
//! The host is the smallest there is: it steps the driver, then the keeper, until both are at rest, so that the order is forced.

mod model;
mod plan;
mod props;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use countermand_core::{
    Cause, Class, Counts, Handle, Instant, Job, JobState, Outcome, Phase, RejectReason, Shutdown, Token,
};

use crate::common::bench::{Bench, take};
use model::{Model, Place, Submitted, Told};
use plan::{Act, End, PARENTS, Plan, Setup};
use props::{Ballast, Door, Listener, number};

pub(crate) use plan::Step;

/// What a job gives: its number, or its number as an error.
type Given = Result<usize, usize>;
type Entering = Pin<Box<dyn Future<Output = Result<Handle<usize, usize>, RejectReason>>>>;

/// More do not make more of a difference.
const JOBS: usize = 64;

/// The unit of times.
const UNIT: Duration = Duration::from_millis(1);

/// Does the steps of a script; the first says how the worker is set up.
///
/// # Panics
///
/// Where the worker and the model disagree.
pub(crate) fn play(steps: &[Step]) {
    let Some((setup, steps)) = steps.split_first() else { return };
    let setup = Setup::read(*setup);
    let mut stage = Stage::new(setup);
    for step in steps {
        stage.act(Act::read(*step));
    }
    stage.end();
}

enum Hold {
    Entering(Entering),
    Handle(Handle<usize, usize>),
    /// Its outcome was read, or nobody waits for it.
    Gone,
}

struct Part {
    door: Door,
    hold: Hold,
}

struct Stage {
    model: Model,
    bench: Bench,
    listener: Listener,
    parents: [Token; PARENTS],
    alive: Arc<()>,
    parts: Vec<Part>,
    /// What the model was told by the settled, in figures.
    counts: Counts,
}

impl Stage {
    fn new(setup: Setup) -> Self {
        let listener = Listener::default();
        // The limit of an abort is never reached: whoever is asked goes by its own grace.
        let config = setup.config().observer(Arc::new(listener.clone())).shutdown_limit(UNIT * 1_000_000);
        Self {
            model: Model::new(setup),
            bench: Bench::new(config),
            listener,
            parents: std::array::from_fn(|_| Token::new()),
            alive: Arc::new(()),
            parts: Vec::new(),
            counts: Counts::default(),
        }
    }

    fn act(&mut self, act: Act) {
        let part = |number: usize| (!self.parts.is_empty()).then(|| number % self.parts.len());
        match act {
            Act::Submit { plan, tries } if self.parts.len() < JOBS => self.submit(plan, tries),
            Act::Open(number) => {
                if let Some(number) = part(number) {
                    self.open(number);
                }
            }
            Act::Cancel(number) => {
                let Some(number) = part(number) else { return };
                if let Hold::Handle(handle) = &self.parts[number].hold {
                    assert_eq!(handle.cancel(), self.model.ask(number, Cause::REQUESTED), "J6");
                }
            }
            Act::CancelParent(number) => {
                let number = number % PARENTS;
                assert_eq!(self.parents[number].cancel(), self.model.cancel_parent(number));
            }
            Act::Drop(number) => {
                if let Some(number) = part(number) {
                    self.drop(number);
                }
            }
            Act::Advance(units) => {
                for _ in 0..units {
                    self.bench.host.pass(UNIT);
                    self.model.now += 1;
                    self.settle_down();
                }
            }
            Act::Close => {
                self.bench.worker.close();
                self.model.close();
            }
            Act::Abort => {
                drop(self.bench.worker.shutdown(Shutdown::Abort));
                self.model.abort();
            }
            Act::Submit { .. } => {}
        }
        self.settle_down();
    }

    fn open(&mut self, number: usize) {
        self.parts[number].door.open();
        self.model.jobs[number].open = true;
    }

    fn submit(&mut self, plan: Plan, tries: bool) {
        let number = self.parts.len();
        let (door, ballast) =
            (Door::default(), Ballast { _alive: self.alive.clone(), panics: plan.end == End::PanicInDrop });
        if plan.open {
            door.open();
        }
        let gate = door.clone();
        let mut job = Job::fallible_with(move |cx| async move {
            let _ballast = ballast;
            gate.pass().await;
            match plan.end {
                End::Value | End::PanicInDrop => Given::Ok(number),
                End::Error => Err(number),
                End::Panic => resume_unwind(Box::new("in a poll")),
                End::CancelItself => {
                    cx.token().cancel();
                    Ok(number)
                }
            }
        })
        .name(number.to_string())
        .priority(plan.priority)
        .late(plan.late)
        .grace(units(plan.grace));
        if let Some(limit) = plan.run_timeout {
            job = job.run_timeout(units(limit));
        }
        if let Some(limit) = plan.queue_timeout {
            job = job.queue_timeout(units(limit));
        }
        if let Some(after) = plan.deadline {
            job = job.deadline(Instant::from_nanos((units(self.model.now) + units(after)).as_nanos() as u64));
        }
        if let Some(parent) = plan.parent {
            job = job.parent(&self.parents[parent]);
        }
        if plan.cancel_on_drop {
            job = job.cancel_on_drop();
        }
        let mut entering: Entering = if tries {
            let result = self.bench.worker.try_submit(job).map_err(|rejected| came_back(rejected.reason, rejected.job));
            Box::pin(std::future::ready(result))
        } else {
            let submit = self.bench.worker.submit(job);
            Box::pin(async { submit.await.map_err(|rejected| came_back(rejected.reason, rejected.job)) })
        };
        let expected = self.model.submit(plan, tries);
        let hold = match entering.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(handle)) => {
                assert_eq!(expected, Submitted::Accepted);
                Hold::Handle(handle)
            }
            Poll::Ready(Err(reason)) => {
                let known = [(RejectReason::Full, Submitted::Full), (RejectReason::Closed, Submitted::Closed)];
                assert!(known.contains(&(reason, expected)), "{reason:?}, and not {expected:?}");
                Hold::Gone
            }
            Poll::Pending => {
                assert_eq!(expected, Submitted::Waits);
                Hold::Entering(entering)
            }
        };
        self.parts.push(Part { door, hold });
    }

    fn drop(&mut self, number: usize) {
        match std::mem::replace(&mut self.parts[number].hold, Hold::Gone) {
            Hold::Entering(entering) => {
                quietly(entering);
                self.model.leave_line(number);
            }
            Hold::Handle(handle) => {
                drop(handle);
                if self.model.jobs[number].plan.cancel_on_drop {
                    self.model.ask(number, Cause::HANDLE_DROPPED); // X1
                }
            }
            Hold::Gone => {}
        }
    }

    /// Lets the worker do what there is to be done, those who wait in line enter, and compares.
    fn settle_down(&mut self) {
        self.model.run();
        loop {
            self.bench.run();
            if !self.parts.iter_mut().any(Part::enters) {
                break;
            }
        }
        self.compare();
    }

    fn compare(&mut self) {
        let (mut seen, mut expected) = (self.listener.take(), std::mem::take(&mut self.model.told));
        // Starts in their order (Q2, Q3); for the rest nobody promises one between different jobs.
        let starts = |told: &[Told]| -> Vec<Told> {
            told.iter().filter(|told| matches!(told, Told::Started(_))).copied().collect()
        };
        assert_eq!(starts(&seen), starts(&expected), "the order of starts");
        seen.sort_by_key(order);
        expected.sort_by_key(order);
        assert_eq!(seen, expected, "what was told");
        let worker = &self.bench.worker;
        assert_eq!(
            (worker.queued(), worker.running(), worker.promised()),
            (self.model.queued(), self.model.running(), 0)
        );
        let queued: Vec<usize> = worker.jobs().iter().filter(|job| job.state == JobState::Queued).map(number).collect();
        assert_eq!(queued, self.model.queue(), "what lies in the queue");
        for told in expected {
            if let Told::Settled(settled, class, late) = told {
                count(&mut self.counts, class);
                self.parts[settled].read(
                    settled,
                    class,
                    late && self.model.jobs[settled].value,
                    self.model.jobs[settled].value,
                );
            }
            self.counts.accepted += u64::from(matches!(told, Told::Submitted(_)));
            self.counts.evicted += u64::from(
                matches!(told, Told::Settled(_, Class::Cancelled { cause, .. }, _) if cause == Cause::EVICTED),
            );
        }
        self.counts.unsettled = (self.model.queued() + self.model.running()) as u64;
        let Counts { contained_panics, .. } = worker.counts();
        let totals = &self.model.totals;
        self.counts.contained_panics = contained_panics;
        (self.counts.rejected, self.counts.late_discarded) = (totals.rejected, totals.late_discarded);
        assert_eq!(worker.counts(), self.counts, "the books");
        for (number, part) in self.parts.iter().enumerate() {
            if let Hold::Handle(handle) = &part.hold {
                let here = matches!(self.model.jobs[number].place, Place::Queue | Place::Lane);
                assert_eq!(handle.is_finished(), !here, "the handle of {number}");
            }
        }
    }

    /// All gates open, all times go by: everything ends before anybody shuts down (L6).
    fn end(mut self) {
        for number in 0..self.parts.len() {
            self.open(number);
            self.settle_down();
        }
        assert_eq!((self.model.queued(), self.model.running()), (0, 0), "something waits for nothing");
        let mut drained = self.bench.worker.shutdown(Shutdown::Drain);
        self.model.close();
        self.settle_down();
        let report = take(&mut drained);
        assert!(report.counts.balances() && report.survivors.is_empty(), "{report:?}");
        drop(drained);
        let Self { bench, parts, alive, parents, .. } = self;
        assert!(parents.iter().all(|parent| parent.is_cancelled() || parent.cause().is_none()));
        drop((parts, parents));
        assert_eq!(Arc::strong_count(&alive), 1, "something that a job captured is there still (X2)");
        let host = Arc::downgrade(&bench.host);
        drop(bench);
        assert_eq!(host.strong_count(), 0, "something of the worker is there still (X4)");
    }
}

impl Part {
    /// Whether a submit that waited in line is over now.
    fn enters(&mut self) -> bool {
        let Hold::Entering(entering) = &mut self.hold else { return false };
        match entering.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => return false,
            Poll::Ready(Ok(handle)) => self.hold = Hold::Handle(handle),
            Poll::Ready(Err(reason)) => {
                assert_eq!(reason, RejectReason::Closed);
                self.hold = Hold::Gone;
            }
        }
        true
    }

    /// Reads the outcome, if there is a handle still.
    fn read(&mut self, number: usize, class: Class, late: bool, has_value: bool) {
        let Hold::Handle(handle) = &mut self.hold else { return };
        let outcome = take(handle);
        assert_eq!(outcome.class(), class);
        let value = match outcome {
            Outcome::Completed(value) | Outcome::Failed(value) => Some(value),
            Outcome::TimedOut { late: value, .. } => {
                assert_eq!(value.is_some(), late);
                value
            }
            _ => None,
        };
        assert_eq!(value, has_value.then_some(number));
        self.hold = Hold::Gone;
    }
}

fn units(many: u64) -> Duration {
    UNIT * u32::try_from(many).expect("short")
}

fn order(told: &Told) -> (usize, usize) {
    match *told {
        Told::Submitted(number) => (number, 0),
        Told::Started(number) => (number, 1),
        Told::Evicted(number) => (number, 2),
        Told::Settled(number, ..) => (number, 3),
    }
}

fn count(counts: &mut Counts, class: Class) {
    match class {
        Class::Completed => counts.completed += 1,
        Class::Failed => counts.failed += 1,
        Class::Cancelled { .. } => counts.cancelled += 1,
        Class::TimedOut(phase) => {
            counts.timed_out += 1;
            counts.timed_out_queued += u64::from(phase == Phase::Queued);
        }
        Class::Panicked => counts.panicked += 1,
        Class::Abandoned => counts.abandoned += 1,
    }
}

/// A job that was not accepted goes, whatever its destructor does.
fn came_back<J>(reason: RejectReason, job: J) -> RejectReason {
    quietly(job);
    reason
}

fn quietly<T>(value: T) {
    // A planned panic.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
}

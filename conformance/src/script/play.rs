//! Plays a script on a host, step by step, and writes down what is seen.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use countermand_core::{
    Handle, Job, JobInfo, JobState, Outcome, Report, Shutdown, ShutdownWait, SubmitResult, Token, Work, Worker,
};

use super::plan::{Act, End, PARENTS, Plan, STEP, Script, UNIT};
use super::trace::Recorder;
use crate::{Bench, Flaw, Gate, ensure};

/// What a job of a script gives: its number, or its number as an error.
type Yield = usize;

/// A submit under way.
type Entering = Pin<Box<dyn Future<Output = Result<Handle<Yield, Yield>, String>>>>;

/// A job of a script, as the script sees it.
struct Part {
    name: String,
    gate: Gate,
    is_call: bool,
    /// Set once its closure is on its thread.
    entered: Arc<AtomicBool>,
    state: State,
}

enum State {
    /// In line for a place.
    Entering(Entering),
    Accepted(Handle<Yield, Yield>),
    /// The handle gave its outcome, was dropped, or there never was one.
    Gone,
}

/// A waker that only remembers; the script polls what it holds anyway.
struct Mute;

impl Wake for Mute {
    fn wake(self: Arc<Self>) {}
}

/// Tells when it is dropped, and may panic then.
struct Ballast {
    recorder: Recorder,
    name: String,
    panics: bool,
}

impl Drop for Ballast {
    fn drop(&mut self) {
        self.recorder.note(&self.name, "dropped");
        assert!(!self.panics, "a destructor that panics");
    }
}

/// Plays `script`; gives what was seen.
///
/// # Errors
///
/// When something that must come does not, or the books do not add up.
pub(crate) async fn play(bench: &Bench, script: &Script) -> Result<Vec<String>, Flaw> {
    let recorder = Recorder::default();
    let worker = bench.worker(script.setup.config().observer(Arc::new(recorder.clone())))?;
    let parents = std::array::from_fn(|_| Token::new());
    let mut stage = Stage { bench, worker, recorder, parents, parts: Vec::new(), waits: Vec::new(), lines: Vec::new() };
    for act in &script.acts {
        stage.lines.push(format!("> {act}"));
        if let Act::Advance(units) = act {
            let until = bench.now().checked_add(UNIT * *units);
            while Some(bench.now()) < until {
                bench.tick(STEP);
                stage.settle_down().await?;
            }
        } else {
            stage.act(act);
            stage.settle_down().await?;
        }
    }
    stage.end().await
}

impl Part {
    /// Polls its submit or its handle; true if that is over.
    fn look(&mut self, recorder: &Recorder, cx: &mut Context<'_>) -> bool {
        self.state = match &mut self.state {
            State::Entering(entering) => match entering.as_mut().poll(cx) {
                Poll::Pending => return false,
                Poll::Ready(Ok(handle)) => {
                    recorder.note(&format!("{}+", self.name), format!("accepted as {}", handle.id()));
                    State::Accepted(handle)
                }
                Poll::Ready(Err(why)) => {
                    recorder.note(&self.name, format!("came back: {why}"));
                    State::Gone
                }
            },
            State::Accepted(handle) => match Pin::new(handle).poll(cx) {
                Poll::Pending => return false,
                Poll::Ready(outcome) => {
                    recorder.note(&self.name, tell(&outcome));
                    State::Gone
                }
            },
            State::Gone => return false,
        };
        true
    }
}

struct Stage<'a> {
    bench: &'a Bench,
    worker: Worker,
    recorder: Recorder,
    parents: [Token; PARENTS],
    parts: Vec<Part>,
    waits: Vec<ShutdownWait>,
    lines: Vec<String>,
}

impl Stage<'_> {
    fn act(&mut self, act: &Act) {
        let parts = self.parts.len();
        let part = |number: &usize| (parts != 0).then(|| number % parts);
        match act {
            Act::Submit(plan) => self.submit(plan),
            Act::Open(number) => {
                if let Some(part) = part(number) {
                    self.parts[part].gate.open();
                }
            }
            Act::Cancel(number) => {
                if let Some(State::Accepted(handle)) = part(number).map(|part| &self.parts[part].state) {
                    let first = handle.cancel();
                    self.lines.push(format!("cancelled {}, first: {first}", handle.name()));
                }
            }
            Act::CancelParent(number) => {
                let first = self.parents[number % PARENTS].cancel();
                self.lines.push(format!("cancelled the parent, first: {first}"));
            }
            Act::Drop(number) => {
                if let Some(part) = part(number) {
                    quietly(std::mem::replace(&mut self.parts[part].state, State::Gone));
                }
            }
            Act::Advance(_) => {}
            Act::Close => self.worker.close(),
            Act::ShutDown(how) => self.waits.push(self.worker.shutdown(*how)),
        }
    }

    fn submit(&mut self, plan: &Plan) {
        let number = self.parts.len();
        let name = format!("j{number:02}");
        let (gate, entered) = (Gate::new(), Arc::new(AtomicBool::new(false)));
        if plan.open {
            gate.open();
        }
        let ballast = Ballast {
            recorder: self.recorder.clone(),
            name: name.clone(),
            panics: matches!(plan.end, End::PanicInDrop),
        };
        let end = plan.end;
        let (door, inside) = (gate.clone(), entered.clone());
        let entering = if plan.is_call {
            let job = Job::fallible_call(move |cx| {
                let _ballast = ballast;
                inside.store(true, Ordering::SeqCst);
                door.wait_blocking();
                finish(end, number, cx.token())
            });
            self.enter(job, plan, &name)
        } else {
            let job = Job::fallible_with(move |cx| async move {
                let _ballast = ballast;
                door.wait().await;
                finish(end, number, cx.token())
            });
            self.enter(job, plan, &name)
        };
        let mut part = Part { name, gate, is_call: plan.is_call, entered, state: State::Entering(entering) };
        part.look(&self.recorder, &mut Context::from_waker(&Waker::from(Arc::new(Mute))));
        self.parts.push(part);
    }

    fn enter<W>(&self, job: Job<W>, plan: &Plan, name: &str) -> Entering
    where
        W: Work<Value = Yield, Error = Yield>,
    {
        let mut job = job.name(name.to_owned()).priority(plan.priority).late(plan.late);
        for (limit, set) in [
            (plan.run_timeout, Job::run_timeout as fn(Job<W>, Duration) -> Job<W>),
            (plan.queue_timeout, Job::queue_timeout),
            (plan.grace, Job::grace),
        ] {
            if let Some(limit) = limit {
                job = set(job, limit);
            }
        }
        if let Some(at) = plan.deadline.and_then(|after| self.worker.now().checked_add(after)) {
            job = job.deadline(at);
        }
        if let Some(parent) = plan.parent {
            job = job.parent(&self.parents[parent]);
        }
        if plan.cancel_on_drop {
            job = job.cancel_on_drop();
        }
        if plan.abandonable {
            job = job.abandonable();
        }
        let submit = self.worker.submit(job);
        Box::pin(async move {
            let result: SubmitResult<W> = submit.await;
            result.map_err(|rejected| {
                let why = format!("{:?}, label {:?}", rejected.reason, rejected.job.label());
                quietly(rejected);
                why
            })
        })
    }

    /// Waits until nothing more happens by itself, and writes down what did.
    async fn settle_down(&mut self) -> Result<(), Flaw> {
        loop {
            let calls_wait = "the calls are at their gates, or off their lanes";
            self.bench.until(calls_wait, || self.calls_are_where_they_wait()).await?;
            self.bench.quiet(&self.worker).await?;
            // The worker may have given another call to a thread. One look at a time: what comes of it may change what the next
            // would see.
            if self.calls_are_where_they_wait() && !self.look() {
                break;
            }
        }
        let (queued, running) = (self.worker.queued(), self.worker.running());
        self.lines.extend(self.recorder.take());
        self.lines.push(format!("{queued} queued, {running} running, {:?}", self.worker.counts()));
        Ok(())
    }

    /// Polls what the script waits for until something comes of it; false if nothing does.
    fn look(&mut self) -> bool {
        let waker = Waker::from(Arc::new(Mute));
        let cx = &mut Context::from_waker(&waker);
        if self.parts.iter_mut().any(|part| part.look(&self.recorder, cx)) {
            return true;
        }
        for place in 0..self.waits.len() {
            if let Poll::Ready(report) = Pin::new(&mut self.waits[place]).poll(cx) {
                drop(self.waits.remove(place));
                self.lines.push(tell_report(&report));
                return true;
            }
        }
        false
    }

    /// Whether each call that was given to a thread is at its gate, or through it and off its lane.
    fn calls_are_where_they_wait(&self) -> bool {
        let lanes_taken = self.worker.running();
        let running: Vec<JobInfo> =
            self.worker.jobs().into_iter().filter(|job| job.state == JobState::Running).collect();
        let here = |part: &&Part| part.is_call && running.iter().any(|job| job.name == part.name);
        let at_gates =
            self.parts.iter().filter(here).all(|part| part.entered.load(Ordering::SeqCst) && !part.gate.is_open());
        let on_lanes = self.parts.iter().filter(|part| Self::is_on_a_lane(part, &running)).count();
        // Nothing came or went between the looks.
        at_gates && lanes_taken == on_lanes && self.worker.running() == lanes_taken
    }

    /// Whether the job holds a lane for as long as its gate is shut: it has started, and nobody took it away.
    fn is_on_a_lane(part: &Part, running: &[JobInfo]) -> bool {
        if part.is_call {
            return part.entered.load(Ordering::SeqCst) && !part.gate.is_open();
        }
        running.iter().any(|job| job.name == part.name)
    }

    /// Lets everything finish, without a shutdown first (L6), then shuts down and compares the books.
    async fn end(mut self) -> Result<Vec<String>, Flaw> {
        self.lines.push("> let everything finish".to_owned());
        for number in 0..self.parts.len() {
            self.parts[number].gate.open();
            self.settle_down().await?;
        }
        self.bench.tick(Duration::from_secs(1));
        self.settle_down().await?;
        let stuck: Vec<&str> =
            self.parts.iter().filter(|part| !matches!(part.state, State::Gone)).map(|part| &*part.name).collect();
        ensure!(stuck.is_empty(), "with every gate open and every time-out due, {stuck:?} never settled");
        self.lines.push("> drain".to_owned());
        self.waits.push(self.worker.shutdown(Shutdown::Drain));
        self.settle_down().await?;
        ensure!(self.waits.is_empty(), "a worker without jobs did not drain");
        let counts = self.worker.counts();
        ensure!(counts.balances() && counts.unsettled == 0, "the books do not add up: {counts:?}");
        let settled = self.lines.iter().filter(|line| line.contains(" settled ")).count() as u64;
        ensure!(
            settled == counts.accepted,
            "{} jobs were accepted, {settled} terminal events were seen: {counts:?}",
            counts.accepted
        );
        Ok(self.lines)
    }
}

/// Drops what may have a destructor that panics.
fn quietly<T>(value: T) {
    // It told that it was dropped before it panicked.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
}

fn finish(end: End, number: usize, token: &Token) -> Result<Yield, Yield> {
    match end {
        End::Value | End::PanicInDrop => Ok(number),
        End::Error => Err(number),
        End::Panic => panic!("a planned panic of {number}"),
        End::CancelItself => {
            token.cancel();
            Ok(number)
        }
    }
}

fn tell(outcome: &Outcome<Yield, Yield>) -> String {
    match outcome {
        Outcome::Panicked(panic) => format!("gave a panic: {:?}", panic.message()),
        other => format!("gave {other:?}"),
    }
}

fn tell_report(report: &Report) -> String {
    let names = |jobs: &[JobInfo]| {
        let mut names: Vec<String> = jobs.iter().map(|job| job.name.to_string()).collect();
        names.sort();
        names
    };
    let (cut_off, survivors) = (names(&report.cut_off), names(&report.survivors));
    format!("report {:?}, cut off {cut_off:?}, survivors {survivors:?}", report.counts)
}

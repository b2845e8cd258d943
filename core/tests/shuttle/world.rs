//! A worker among threads that are scheduled, a ledger that does not ask it, and how a scenario ends.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use countermand_core::{
    Alarm, Assembly, Call, Class, Counts, Handle, Host, Instant, JobInfo, Observer, Outcome, Settled, Shutdown, Worker,
    WorkerConfig,
};
use shuttle::future::block_on;
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::sync::{Condvar, Mutex};
use shuttle::thread::{self, JoinHandle};

pub(crate) const UNIT: Duration = Duration::from_millis(1);

/// A clock that the scenario moves, alarms that ring when it has, and a thread for each call.
#[derive(Clone, Default)]
pub(crate) struct Clock(Arc<Works>);

#[derive(Default)]
struct Works {
    nanos: AtomicU64,
    set: Mutex<Vec<(Instant, Waker)>>,
    calls: Mutex<Vec<JoinHandle<()>>>,
}

impl Clock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.nanos.fetch_add(by.as_nanos() as u64, Ordering::SeqCst);
        let now = self.now();
        let mut due = Vec::new();
        self.0.set.lock().unwrap().retain(|(at, waker)| {
            let is_due = *at <= now;
            if is_due {
                due.push(waker.clone());
            }
            !is_due
        });
        due.into_iter().for_each(Waker::wake);
    }
}

impl Host for Clock {
    type Alarm = Set;

    fn now(&self) -> Instant {
        Instant::from_nanos(self.0.nanos.load(Ordering::SeqCst))
    }

    fn alarm(&self) -> Set {
        Set(self.clone())
    }

    fn offload(&self, call: Call) -> Result<(), Call> {
        let thread = thread::spawn(move || call.run());
        self.0.calls.lock().unwrap().push(thread);
        Ok(())
    }

    fn has_threads(&self) -> bool {
        true
    }
}

pub(crate) struct Set(Clock);

impl Alarm for Set {
    fn poll_at(self: Pin<&mut Self>, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        self.0.0.set.lock().unwrap().push((at, cx.waker().clone()));
        if self.0.now() >= at { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// What was seen of the jobs outside of the worker.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<(Mutex<Lines>, Condvar)>);

#[derive(Clone, Copy, Debug, Default)]
struct Lines {
    accepted: u64,
    rejected: u64,
    /// Terminal events, by class.
    told: [u64; 6],
    /// Outcomes that were read from handles, by class.
    read: [u64; 6],
    /// Handles that were dropped, or never read.
    let_go: u64,
}

fn column(class: Class) -> usize {
    match class {
        Class::Completed => 0,
        Class::Failed => 1,
        Class::Cancelled { .. } => 2,
        Class::TimedOut(_) => 3,
        Class::Panicked => 4,
        Class::Abandoned => 5,
    }
}

impl Observer for Ledger {
    fn settled(&self, _: &JobInfo, settled: &Settled) {
        self.0.0.lock().unwrap().told[column(settled.class)] += 1;
        self.0.1.notify_all();
    }
}

impl Ledger {
    fn change(&self, f: impl FnOnce(&mut Lines)) {
        f(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }

    pub(crate) fn rejected(&self) {
        self.change(|lines| lines.rejected += 1);
    }
}

/// See the head of the file. A clone is the same world.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) worker: Worker,
    pub(crate) clock: Clock,
    pub(crate) ledger: Ledger,
    /// Whatever jobs capture is a clone of it.
    pub(crate) alive: Arc<()>,
}

/// The attendants, each in a thread.
pub(crate) struct Attendants(Vec<JoinHandle<()>>);

impl World {
    pub(crate) fn new(config: WorkerConfig) -> (Self, Attendants) {
        let (clock, ledger) = (Clock::default(), Ledger::default());
        let config = config.watchdog(None).observer(Arc::new(ledger.clone()));
        let assembly = Assembly::new(config, Arc::new(clock.clone())).expect("a good configuration");
        let (worker, attendants) = assembly.into_parts();
        let spawned = attendants.into_iter().map(|attendant| thread::spawn(move || block_on(attendant))).collect();
        (Self { worker, clock, ledger, alive: Arc::new(()) }, Attendants(spawned))
    }

    /// A handle of a job that was accepted.
    pub(crate) fn accepted<T, E, R>(&self, result: Result<Handle<T, E>, R>) -> Option<Handle<T, E>> {
        match result {
            Ok(handle) => {
                self.ledger.change(|lines| lines.accepted += 1);
                Some(handle)
            }
            Err(rejected) => {
                drop(rejected);
                self.ledger.rejected();
                None
            }
        }
    }

    /// Waits for the outcome, as the scenario's own thread does, and enters it.
    pub(crate) fn outcome<T, E>(&self, handle: Handle<T, E>) -> Outcome<T, E> {
        let outcome = block_on(handle);
        self.ledger.change(|lines| lines.read[column(outcome.class())] += 1);
        outcome
    }

    pub(crate) fn let_go<T, E>(&self, handle: Handle<T, E>) {
        drop(handle);
        self.ledger.change(|lines| lines.let_go += 1);
    }

    /// Liveness, audit, shutdown, census. All other threads of the scenario must have been joined.
    pub(crate) fn end(self, attendants: Attendants) {
        let Self { worker, clock, ledger, alive } = self;
        // Everything finishes, and nobody has asked for an end: if not, all threads wait, and that is a deadlock.
        let mut lines = ledger.0.0.lock().unwrap();
        while lines.told.iter().sum::<u64>() < lines.accepted {
            lines = ledger.0.1.wait(lines).unwrap();
        }
        let seen = *lines;
        drop(lines);
        let report = block_on(worker.shutdown(Shutdown::Drain));
        assert!(report.counts.balances() && report.survivors.is_empty(), "{report:?}");
        // What is turned away after the end is in no report.
        audit(&seen, &worker.counts());
        for attendant in attendants.0 {
            attendant.join().expect("an attendant panicked");
        }
        let calls = std::mem::take(&mut *clock.0.calls.lock().unwrap());
        calls.into_iter().for_each(|call| call.join().expect("a call panicked"));
        drop(worker);
        // Wakers of alarms that are set no more are the alarms', not the worker's.
        clock.0.set.lock().unwrap().clear();
        assert_eq!(Arc::strong_count(&alive), 1, "what jobs captured is there still");
        assert_eq!(Arc::strong_count(&clock.0), 1, "the worker still has its host");
        assert_eq!(Arc::strong_count(&ledger.0), 1, "the worker still has its observer");
    }
}

/// The worker's own counts against what was seen, line by line.
fn audit(seen: &Lines, counts: &Counts) {
    let own = [counts.completed, counts.failed, counts.cancelled, counts.timed_out, counts.panicked, counts.abandoned];
    assert_eq!(own, seen.told, "the books, against the events");
    assert_eq!((counts.accepted, counts.rejected), (seen.accepted, seen.rejected), "the books, against the door");
    assert!(own.iter().zip(seen.read).all(|(own, read)| *own >= read), "{own:?} are fewer than {seen:?}");
    assert_eq!(seen.read.iter().sum::<u64>() + seen.let_go, seen.accepted, "an outcome was read by nobody");
}

/// A gate that opens once.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<(bool, Vec<Waker>)>>);

impl Gate {
    pub(crate) fn open(&self) {
        let waiting = {
            let mut gate = self.0.lock().unwrap();
            gate.0 = true;
            std::mem::take(&mut gate.1)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn pass(&self) -> impl Future<Output = ()> + Send + 'static {
        let gate = self.0.clone();
        std::future::poll_fn(move |cx| {
            let mut gate = gate.lock().unwrap();
            if gate.0 {
                return Poll::Ready(());
            }
            gate.1.push(cx.waker().clone());
            Poll::Pending
        })
    }
}

/// Panics without a word: it is planned.
pub(crate) fn planned() -> ! {
    resume_unwind(Box::new("planned"))
}

/// Panics when it is dropped.
pub(crate) struct Mine;

impl Drop for Mine {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            planned();
        }
    }
}

//! The smallest host there is: one thread that gives a turn to whoever was woken, and to nobody else, a clock that the test moves, and calls that run when
//! the test says so.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use countermand_core::{Alarm, Assembly, Call, Drive, Host, Instant, Worker, WorkerConfig};

/// The alarms that are set, each under its number.
type Alarms = Arc<Mutex<BTreeMap<usize, (Instant, Waker)>>>;

/// A clock that the test moves, and the calls that it has not run yet.
#[derive(Default)]
pub(crate) struct Hand {
    time: Arc<AtomicU64>,
    alarms: Alarms,
    /// How many alarms it has given.
    given: AtomicUsize,
    /// `None` where there are no threads.
    calls: Mutex<Option<Vec<Call>>>,
}

impl Hand {
    pub(crate) fn with_threads() -> Self {
        Self { calls: Mutex::new(Some(Vec::new())), ..Self::default() }
    }

    /// Lets time pass, and nobody have a turn.
    pub(crate) fn pass(&self, by: Duration) {
        self.time.fetch_add(u64::try_from(by.as_nanos()).expect("short"), Ordering::SeqCst);
    }

    /// How many alarms are set.
    pub(crate) fn alarms(&self) -> usize {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Rings the alarms that are due.
    pub(crate) fn ring(&self) {
        let now = self.now();
        let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        let due: Vec<_> = alarms.iter().filter(|(_, (at, _))| *at <= now).map(|(number, _)| *number).collect();
        let due: Vec<_> = due.iter().filter_map(|number| alarms.remove(number)).collect();
        drop(alarms);
        due.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// Drops the calls that were given to it, and runs none.
    pub(crate) fn throw_calls_away(&self) {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner).replace(Vec::new());
        drop(calls);
    }

    /// Runs the calls that were given to it, as threads would.
    pub(crate) fn run_calls(&self) {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner).replace(Vec::new());
        calls.into_iter().flatten().for_each(Call::run);
    }
}

/// One that rings when the test lets somebody have a turn, if it is due by then.
pub(crate) struct Set {
    number: usize,
    time: Arc<AtomicU64>,
    alarms: Alarms,
}

impl Alarm for Set {
    fn poll_at(self: Pin<&mut Self>, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        if at.as_nanos() <= self.time.load(Ordering::SeqCst) {
            alarms.remove(&self.number);
            return Poll::Ready(());
        }
        alarms.insert(self.number, (at, cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Set {
    fn drop(&mut self) {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

impl Host for Hand {
    type Alarm = Set;

    fn now(&self) -> Instant {
        Instant::from_nanos(self.time.load(Ordering::SeqCst))
    }

    fn alarm(&self) -> Set {
        let number = self.given.fetch_add(1, Ordering::SeqCst);
        Set { number, time: Arc::clone(&self.time), alarms: Arc::clone(&self.alarms) }
    }

    fn offload(&self, call: Call) -> Result<(), Call> {
        match &mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(calls) => {
                calls.push(call);
                Ok(())
            }
            None => Err(call),
        }
    }

    fn has_threads(&self) -> bool {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// Whether an attendant was woken since its last turn.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

pub(crate) struct Bench {
    pub(crate) host: Arc<Hand>,
    pub(crate) worker: Worker,
    pub(crate) attendants: Vec<Option<Pin<Box<Drive<Hand>>>>>,
    woken: Vec<Arc<Woken>>,
}

impl Bench {
    pub(crate) fn new(config: WorkerConfig) -> Self {
        Self::on(Hand::default(), config)
    }

    pub(crate) fn with_threads(config: WorkerConfig) -> Self {
        Self::on(Hand::with_threads(), config)
    }

    fn on(host: Hand, config: WorkerConfig) -> Self {
        let host = Arc::new(host);
        let (worker, attendants) = Assembly::new(config, host.clone()).expect("a good config").into_parts();
        let woken = attendants.iter().map(|_| Arc::new(Woken(AtomicBool::new(true)))).collect();
        Self { host, worker, attendants: attendants.into_iter().map(|drive| Some(Box::pin(drive))).collect(), woken }
    }

    /// Polls every attendant once, woken or not: any of them may be at any time.
    pub(crate) fn turn(&mut self) {
        (0..self.attendants.len()).for_each(|index| self.poll(index));
    }

    fn poll(&mut self, index: usize) {
        self.woken[index].0.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&self.woken[index]));
        let Some(drive) = self.attendants.get_mut(index).and_then(Option::as_mut) else { return };
        if drive.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            self.attendants[index] = None;
        }
    }

    /// Polls those that were woken, until nobody is. Then the worker is quiet, or a ring was lost (L5, L6).
    pub(crate) fn run(&mut self) {
        for _ in 0..10_000 {
            self.host.ring();
            let woken: Vec<usize> =
                (0..self.woken.len()).filter(|&index| self.woken[index].0.load(Ordering::SeqCst)).collect();
            if woken.is_empty() {
                assert!(self.worker.is_quiet(), "the worker has something to do, and nobody was woken for it");
                return;
            }
            woken.into_iter().for_each(|index| self.poll(index));
        }
        panic!("the worker does not come to rest");
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.host.pass(by);
        self.run();
    }
}

/// What `future` is ready with.
pub(crate) fn take<F: Future + Unpin>(future: &mut F) -> F::Output {
    match Pin::new(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("not ready"),
    }
}

//! A host of countermand's.

use std::future::Future;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant as Clock;

use countermand_core::{Alarm, Assembly, ConfigError, Host, Instant, Worker, WorkerConfig, WouldDeadlock};

/// A runtime of one thread, as simple as it gets: any wake-up means another turn for everybody. Put yours in its place.
#[derive(Clone)]
pub struct MyHost(Arc<Shared>);

/// Something that runs to its end on this host.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Shared {
    begun: Clock,
    thread: Thread,
    turns: Mutex<Turns>,
}

#[derive(Default)]
struct Turns {
    tasks: Vec<Task>,
    /// The earliest time that anybody asked for since the last turn; in each turn everybody asks again.
    next: Option<Instant>,
}

impl Shared {
    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Instant {
        Instant::ORIGIN.checked_add(self.begun.elapsed()).unwrap_or_default()
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.thread.unpark();
    }
}

impl MyHost {
    /// A host that runs on the calling thread, in [`block_on`](Self::block_on).
    #[must_use]
    pub fn here() -> Self {
        Self(Arc::new(Shared { begun: Clock::now(), thread: thread::current(), turns: Mutex::default() }))
    }

    /// Runs `main` to its end, and everything that was spawned as long as that lasts.
    pub fn block_on(&self, main: impl Future<Output = ()>) {
        let waker = Waker::from(Arc::clone(&self.0));
        let mut cx = Context::from_waker(&waker);
        let mut main = pin!(main);
        while main.as_mut().poll(&mut cx).is_pending() {
            let mut tasks = mem::take(&mut self.0.turns().tasks);
            tasks.retain_mut(|task| task.as_mut().poll(&mut cx).is_pending());
            self.0.turns().tasks.append(&mut tasks);
            let next = self.0.turns().next.take();
            match next {
                Some(at) => thread::park_timeout(at.saturating_since(self.0.now())),
                None => thread::park(),
            }
        }
        // What the tasks drop may want to spawn, so not under the lock.
        let tasks = mem::take(&mut self.0.turns().tasks);
        drop(tasks);
    }

    /// Runs a task beside the others.
    pub fn spawn(&self, task: Task) {
        self.0.turns().tasks.push(task);
        self.0.thread.unpark();
    }

    /// Starts a worker on this host.
    ///
    /// # Errors
    ///
    /// What the core says to the configuration.
    pub fn start(&self, config: WorkerConfig) -> Result<Worker, ConfigError> {
        Assembly::new(config, Arc::new(self.clone())).map(|assembly| self.launch(assembly))
    }

    /// Starts every attendant of the assembly, and gives back the door.
    pub fn launch<H: Host<Alarm: Send>>(&self, assembly: Assembly<H>) -> Worker {
        let (worker, attendants) = assembly.into_parts();
        attendants.into_iter().for_each(|attendant| self.spawn(Box::pin(attendant)));
        worker
    }
}

impl Host for MyHost {
    type Alarm = MyAlarm;

    fn now(&self) -> Instant {
        self.0.now()
    }

    fn alarm(&self) -> MyAlarm {
        MyAlarm(Arc::clone(&self.0))
    }

    fn block(&self, wait: &mut dyn FnMut()) -> Result<(), WouldDeadlock> {
        if thread::current().id() == self.0.thread.id() {
            return Err(WouldDeadlock);
        }
        wait();
        Ok(())
    }
}

/// Wakes whoever polls it, at a time.
pub struct MyAlarm(Arc<Shared>);

impl Alarm for MyAlarm {
    fn poll_at(self: Pin<&mut Self>, at: Instant, _: &mut Context<'_>) -> Poll<()> {
        if at <= self.0.now() {
            return Poll::Ready(());
        }
        let next = &mut self.0.turns().next;
        *next = Some(next.map_or(at, |next| next.min(at)));
        Poll::Pending
    }
}

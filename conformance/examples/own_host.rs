//! Examines a host that is none of ours: one thread, no runtime. Any wake-up means another turn for everybody.
//!
//! ```text
//! cargo run --release -p countermand-conformance --example own_host
//! ```
//!
//! The first part is the host, as its author has it. The second, `impl Examinee`, is all that the suite asks for.

use std::mem;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant as Clock;

use countermand_conformance::{Examinee, LocalFuture, Profile, SendFuture};
use countermand_core::{Alarm, Assembly, Host, Instant, Worker, WouldDeadlock};

struct OneThread {
    begun: Clock,
    thread: Thread,
    turns: Arc<Mutex<Turns>>,
}

#[derive(Default)]
struct Turns {
    tasks: Vec<SendFuture>,
    /// The earliest time that anybody asked for since the last turn; in each turn everybody asks again.
    next: Option<Instant>,
}

impl OneThread {
    fn turns(&self) -> MutexGuard<'_, Turns> {
        lock(&self.turns)
    }

    fn block_on(self: &Arc<Self>, main: impl Future<Output = ()>) {
        let waker = Waker::from(Arc::clone(self));
        let mut cx = Context::from_waker(&waker);
        let mut main = pin!(main);
        while main.as_mut().poll(&mut cx).is_pending() {
            let mut tasks = mem::take(&mut self.turns().tasks);
            tasks.retain_mut(|task| task.as_mut().poll(&mut cx).is_pending());
            self.turns().tasks.append(&mut tasks);
            let next = self.turns().next.take();
            match next {
                Some(at) => thread::park_timeout(at.saturating_since(self.now())),
                None => thread::park(),
            }
        }
        // What the tasks drop may want to spawn, so not under the lock.
        let tasks = mem::take(&mut self.turns().tasks);
        drop(tasks);
    }
}

fn since(begun: Clock) -> Instant {
    Instant::ORIGIN.checked_add(begun.elapsed()).unwrap_or_default()
}

fn lock(turns: &Mutex<Turns>) -> MutexGuard<'_, Turns> {
    turns.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wake for OneThread {
    fn wake(self: Arc<Self>) {
        self.thread.unpark();
    }
}

impl Host for OneThread {
    type Alarm = OneThreadAlarm;

    fn now(&self) -> Instant {
        since(self.begun)
    }

    fn alarm(&self) -> OneThreadAlarm {
        OneThreadAlarm { begun: self.begun, turns: Arc::clone(&self.turns) }
    }

    fn block(&self, wait: &mut dyn FnMut()) -> Result<(), WouldDeadlock> {
        if thread::current().id() == self.thread.id() {
            return Err(WouldDeadlock);
        }
        wait();
        Ok(())
    }
}

struct OneThreadAlarm {
    begun: Clock,
    turns: Arc<Mutex<Turns>>,
}

impl Alarm for OneThreadAlarm {
    fn poll_at(self: Pin<&mut Self>, at: Instant, _: &mut Context<'_>) -> Poll<()> {
        if at <= since(self.begun) {
            return Poll::Ready(());
        }
        let next = &mut lock(&self.turns).next;
        *next = Some(next.map_or(at, |next| next.min(at)));
        Poll::Pending
    }
}

// All that the suite asks for.

struct Examined(Arc<OneThread>);

impl Examinee for Examined {
    const NAME: &'static str = "own";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Host = OneThread;

    fn profile() -> Profile {
        Profile::NONE.alloc().threads().unwind()
    }

    fn run(_seed: u64, main: impl FnOnce(Rc<Self>) -> LocalFuture<'static, ()>) {
        let host = Arc::new(OneThread { begun: Clock::now(), thread: thread::current(), turns: Arc::default() });
        host.block_on(main(Rc::new(Self(Arc::clone(&host)))));
    }

    fn host(&self) -> Arc<OneThread> {
        Arc::clone(&self.0)
    }

    fn launch<H: Host<Alarm: Send>>(&self, assembly: Assembly<H>) -> Worker {
        let (worker, attendants) = assembly.into_parts();
        self.0.turns().tasks.extend(attendants.into_iter().map(|attendant| Box::pin(attendant) as SendFuture));
        Waker::from(Arc::clone(&self.0)).wake();
        worker
    }

    fn spawn(&self, future: SendFuture) -> Result<(), SendFuture> {
        self.0.turns().tasks.push(future);
        Waker::from(Arc::clone(&self.0)).wake();
        Ok(())
    }
}

countermand_conformance::main!(Examined);

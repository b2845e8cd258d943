//! Calls whose threads come late to say that they have ended.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use countermand_core::{Alarm, Assembly, Call, Driver, Host, Instant, Job, Step, WorkerConfig};

/// A clock that the test moves, and calls that it runs.
#[derive(Default)]
struct Hand {
    now: AtomicU64,
    calls: Mutex<Vec<Call>>,
}

struct NoAlarm;

impl Alarm for NoAlarm {
    fn poll_at(self: Pin<&mut Self>, _: Instant, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Host for Hand {
    type Alarm = NoAlarm;

    fn now(&self) -> Instant {
        Instant::from_nanos(self.now.load(Ordering::SeqCst))
    }

    fn alarm(&self) -> NoAlarm {
        NoAlarm
    }

    fn offload(&self, call: Call) -> Result<(), Call> {
        self.calls.lock().expect("nobody panics").push(call);
        Ok(())
    }

    fn has_threads(&self) -> bool {
        true
    }
}

#[derive(Default)]
struct Woken(AtomicU64);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Hand {
    fn call(&self) -> Call {
        self.calls.lock().expect("nobody panics").pop().expect("a call")
    }

    /// Steps until the driver parks.
    fn drive(&self, driver: &mut Driver, waker: &Waker) {
        while driver.step(&mut Context::from_waker(waker), self.now()) == Step::Again {}
    }
}

#[test]
fn l6_a_lane_is_told_of_though_a_thread_before_came_late() {
    let host = Arc::new(Hand::default());
    let assembly = Assembly::new(WorkerConfig::new().lanes(1).drivers(1), host.clone()).expect("it is well set up");
    let (worker, mut drivers, mut keeper) = assembly.into_machine();
    let (driver, woken) = (&mut drivers[0], Arc::new(Woken::default()));
    let waker = Waker::from(woken.clone());

    let late = Job::call(|_| 1).run_timeout(Duration::from_secs(1));
    let first = worker.try_submit(late).expect("a place");
    host.drive(driver, &waker);
    let ended = host.call().run_and_hold();
    assert!(first.is_finished(), "settled by who ran it");
    assert_eq!(worker.running(), 0, "its place is free (J7)");
    host.drive(driver, &waker);
    while keeper.step(&mut Context::from_waker(&waker), host.now()) == Step::Again {}
    assert!(!worker.is_quiet(), "its thread is not through");
    // The driver comes to the lane by itself, as its time is out.
    host.now.store(2_000_000_000, Ordering::SeqCst);
    host.drive(driver, &waker);
    drop(ended);
    host.drive(driver, &waker);

    let second = worker.try_submit(Job::call(|_| 2)).expect("a place");
    host.drive(driver, &waker);
    let next = worker.try_submit(Job::task(async { 3 })).expect("a place");
    host.drive(driver, &waker);
    assert!(!next.is_finished(), "the one lane is taken");
    let before = woken.0.load(Ordering::SeqCst);
    host.call().run();
    assert!(second.is_finished());
    assert!(woken.0.load(Ordering::SeqCst) > before, "the driver is told that its lane is free");
    host.drive(driver, &waker);
    assert!(next.is_finished());
}

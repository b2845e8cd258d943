//! The clock and the alarm: tokio's, paused or not.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use countermand_core::{Alarm, Host, Instant, Job, Outcome, WorkerConfig};
use countermand_tokio::{Tokio, TokioAlarm};
use tokio::runtime::{Builder, Runtime};

const HOUR: Duration = Duration::from_secs(3600);

fn paused() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

#[test]
fn time_outs_follow_a_paused_clock() {
    paused().block_on(async {
        let worker = Tokio::current().expect("inside").start(WorkerConfig::new()).expect("a worker");
        let (begun, really) = (worker.now(), std::time::Instant::now());
        let stuck = worker.submit(Job::task(pending::<()>()).run_timeout(HOUR)).await.expect("a place");
        assert!(matches!(stuck.await, Outcome::TimedOut { .. }));
        let after = worker.now().saturating_since(begun);
        assert!(after >= HOUR && after < HOUR + Duration::from_secs(1), "{after:?}");
        assert!(really.elapsed() < HOUR);
    });
}

#[test]
fn the_paused_clock_is_the_same_from_everywhere() {
    let runtime = paused();
    let host = Tokio::from_handle(runtime.handle().clone());
    runtime.block_on(tokio::time::advance(HOUR));
    let inside = runtime.block_on(async { host.now() });
    let in_a_task = runtime.block_on({
        let host = host.clone();
        async move { tokio::spawn(async move { host.now() }).await.expect("the task passes") }
    });
    let other = Builder::new_current_thread().build().expect("a runtime");
    let inside_of_another = other.block_on(async { host.now() });
    let outside = host.now();
    let foreign = thread::spawn(move || host.now()).join().expect("no panic");
    assert_eq!([in_a_task, inside_of_another, outside, foreign], [inside; 4]);
}

#[test]
fn workers_agree_on_the_time_across_runtimes() {
    let runtimes = [Builder::new_current_thread().build(), Builder::new_current_thread().build()];
    let [first, second] = runtimes.map(|runtime| Tokio::from_handle(runtime.expect("a runtime").handle().clone()));
    let (before, between, after) = (first.now(), second.now(), first.now());
    assert!(before <= between && between <= after);
    assert!(before > Instant::ORIGIN);
}

#[test]
fn a_thread_that_is_ending_can_still_ask() {
    struct Last(Tokio);
    impl Drop for Last {
        fn drop(&mut self) {
            assert!(self.0.now() > Instant::ORIGIN);
        }
    }
    thread_local!(static LAST: std::cell::RefCell<Option<Last>> = const { std::cell::RefCell::new(None) });
    let runtime = paused();
    let host = Tokio::from_handle(runtime.handle().clone());
    let ends = thread::spawn(move || {
        // Made first and so dropped last, after tokio's own.
        LAST.set(Some(Last(host.clone())));
        host.now();
    });
    ends.join().expect("no panic");
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

struct Watched {
    host: Tokio,
    begun: Instant,
    alarm: Pin<Box<TokioAlarm>>,
    woken: Arc<Count>,
}

impl Watched {
    fn new() -> Self {
        let host = Tokio::current().expect("inside");
        let (begun, alarm) = (host.now(), Box::pin(host.alarm()));
        Self { host, begun, alarm, woken: Arc::default() }
    }

    /// Sets the alarm to so long after the beginning.
    fn set(&mut self, after: Duration) -> Poll<()> {
        let at = self.begun.checked_add(after).expect("not that far");
        self.alarm.as_mut().poll_at(at, &mut Context::from_waker(&Waker::from(self.woken.clone())))
    }

    /// Moves the clock to so long after the beginning. How often has the alarm woken so far?
    async fn move_to(&self, after: Duration) -> usize {
        tokio::time::advance(after - self.host.now().saturating_since(self.begun)).await;
        // The runtime rings in its own turn.
        poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::Ready(())
        })
        .await;
        tokio::task::yield_now().await;
        self.woken.0.load(Ordering::SeqCst)
    }
}

#[test]
fn an_alarm_that_rings_early_enough_is_left_and_set_anew_when_it_rang() {
    paused().block_on(async {
        let mut watched = Watched::new();
        assert!(watched.set(HOUR).is_pending());
        assert!(watched.set(HOUR * 3).is_pending());
        assert_eq!(watched.move_to(HOUR).await, 1);
        assert!(watched.set(HOUR * 3).is_pending());
        assert_eq!(watched.move_to(HOUR * 3 - Duration::from_millis(1)).await, 1);
        assert_eq!(watched.move_to(HOUR * 3).await, 2);
        assert!(watched.set(HOUR * 3).is_ready());
    });
}

#[test]
fn an_alarm_that_would_ring_too_late_is_set_anew() {
    paused().block_on(async {
        let mut watched = Watched::new();
        assert!(watched.set(HOUR * 3).is_pending());
        assert!(watched.set(HOUR).is_pending());
        assert_eq!(watched.move_to(HOUR).await, 1);
        assert!(watched.set(HOUR).is_ready());
        assert!(watched.set(HOUR).is_ready());
        assert!(watched.set(HOUR * 2).is_pending());
    });
}

#[test]
fn an_alarm_beyond_the_clock_does_not_ring() {
    paused().block_on(async {
        let mut watched = Watched::new();
        let waker = Waker::from(watched.woken.clone());
        let end = Instant::from_nanos(u64::MAX);
        assert!(watched.alarm.as_mut().poll_at(end, &mut Context::from_waker(&waker)).is_pending());
        assert_eq!(watched.move_to(HOUR * 24 * 400).await, 0); // C4
    });
}

#[test]
fn an_alarm_may_be_made_and_polled_outside_of_its_runtime() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_time().build().expect("a runtime");
    let host = Tokio::from_handle(runtime.handle().clone());
    let mut alarm = Box::pin(host.alarm());
    let at = host.now().checked_add(Duration::from_millis(2)).expect("not that far");
    let this = thread::current();
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(this)));
    while alarm.as_mut().poll_at(at, &mut Context::from_waker(&waker)).is_pending() {
        thread::park();
    }
    assert!(host.now() >= at);
}

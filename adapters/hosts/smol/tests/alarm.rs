//! The alarm rings at its time, and is set anew only where it must.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use async_executor::Executor;
use countermand_core::{Alarm, Host, Instant};
use countermand_smol::{Smol, SmolAlarm};

const HOUR: Duration = Duration::from_secs(3600);

/// How long an alarm is waited for that was set to less than this.
const PATIENCE: Duration = Duration::from_secs(60);

struct Unpark {
    thread: Thread,
    rings: AtomicUsize,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.rings.fetch_add(1, Ordering::SeqCst);
        self.thread.unpark();
    }
}

struct Watched {
    host: Smol,
    begun: Instant,
    alarm: Pin<Box<SmolAlarm>>,
    woken: Arc<Unpark>,
}

impl Watched {
    fn new() -> Self {
        // The alarm needs no executor: async-io has a thread of its own.
        let host = Smol::on(&Arc::new(Executor::new()));
        let woken = Arc::new(Unpark { thread: thread::current(), rings: AtomicUsize::new(0) });
        Self { begun: host.now(), alarm: Box::pin(host.alarm()), host, woken }
    }

    /// Sets the alarm to so long after the beginning.
    fn set(&mut self, after: Duration) -> Poll<()> {
        let at = self.begun.checked_add(after).expect("not that far");
        self.alarm.as_mut().poll_at(at, &mut Context::from_waker(&Waker::from(self.woken.clone())))
    }

    /// Sleeps until the alarm has woken so often.
    fn until_woken(&self, times: usize) {
        let begun = std::time::Instant::now();
        while self.woken.rings.load(Ordering::SeqCst) < times {
            assert!(begun.elapsed() < PATIENCE, "the alarm has not rung {times} times in {PATIENCE:?}");
            thread::park_timeout(PATIENCE);
        }
    }
}

#[test]
fn rings_at_its_time() {
    let mut watched = Watched::new();
    let after = Duration::from_millis(3);
    while watched.set(after).is_pending() {
        watched.until_woken(1);
    }
    assert!(watched.host.now().saturating_since(watched.begun) >= after);
    assert!(watched.set(after).is_ready());
    assert!(watched.set(HOUR).is_pending());
}

#[test]
fn one_that_rings_early_enough_is_left_and_set_anew_when_it_rang() {
    // A machine that is too slow for the question is asked again, more slowly.
    for after in [20, 200, 2_000, 20_000].map(Duration::from_millis) {
        let mut watched = Watched::new();
        if watched.set(after).is_pending() {
            assert!(watched.set(HOUR).is_pending());
            watched.until_woken(1);
            assert!(watched.set(HOUR).is_pending());
            return;
        }
    }
    panic!("an alarm that is set to 20 s from now is due at once");
}

#[test]
fn one_that_would_ring_too_late_is_set_anew() {
    let mut watched = Watched::new();
    assert!(watched.set(HOUR).is_pending());
    while watched.set(Duration::from_millis(3)).is_pending() {
        watched.until_woken(1);
    }
}

#[test]
fn one_beyond_the_clock_does_not_ring() {
    let mut watched = Watched::new();
    let waker = Waker::from(watched.woken.clone());
    let end = Instant::from_nanos(u64::MAX);
    assert!(watched.alarm.as_mut().poll_at(end, &mut Context::from_waker(&waker)).is_pending());
}

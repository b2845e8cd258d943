//! A job's own clock: sleeps, intervals and time-outs on its driver's timers, the same on every host.

use crate::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::Instant;
use crate::clockwork::{Clockwork, Due};
use crate::timers::TimerKey;

/// Ready at a point in time; see [`JobContext::sleep`](crate::JobContext::sleep).
#[must_use = "futures do nothing until awaited"]
pub struct Sleep {
    clockwork: Arc<Clockwork>,
    /// `None`: beyond the clock, so never (D8).
    at: Option<Instant>,
    timer: Option<TimerKey>,
}

impl Sleep {
    pub(crate) fn new(clockwork: Arc<Clockwork>, at: Option<Instant>) -> Self {
        Self { clockwork, at, timer: None }
    }

    /// When it is due; `None` for never.
    #[must_use]
    pub fn at(&self) -> Option<Instant> {
        self.at
    }

    fn withdraw(&mut self) {
        if let Some(key) = self.timer.take() {
            drop(self.clockwork.remove(key));
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        if at.is_due(self.clockwork.now()) {
            if let Some(key) = self.timer.take() {
                self.clockwork.remove_past(key, at);
            }
            return Poll::Ready(());
        }
        let waker = cx.waker();
        match self.timer {
            Some(key) if self.clockwork.would_wake(key, waker) => {}
            Some(key) => match self.clockwork.replace_waker(key, waker.clone()) {
                Ok(old) => drop(old),
                // It fired, early by a clock that was set back: set it again.
                Err(waker) => self.timer = Some(self.clockwork.insert(at, Due::Wake(waker))),
            },
            None => self.timer = Some(self.clockwork.insert(at, Due::Wake(waker.clone()))),
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.withdraw();
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("at", &self.at).finish_non_exhaustive()
    }
}

/// Ticks at a fixed period; see [`JobContext::interval`](crate::JobContext::interval).
#[derive(Debug)]
pub struct Interval {
    sleep: Sleep,
    period: Duration,
}

impl Interval {
    pub(crate) fn new(clockwork: Arc<Clockwork>, period: Duration) -> Self {
        let period = period.max(Duration::from_nanos(1));
        let first = clockwork.now().checked_add(period);
        Self { sleep: Sleep::new(clockwork, first), period }
    }

    /// The next tick: ready at its time, with that time.
    ///
    /// # Cancellation
    ///
    /// Dropping the future loses no tick.
    pub fn tick(&mut self) -> Tick<'_> {
        Tick { interval: self }
    }

    /// The first multiple of the period after `now`, counted from `last`.
    fn next(&self, last: Instant, now: Instant) -> Option<Instant> {
        let missed = now.saturating_since(last).as_nanos() / self.period.as_nanos();
        let ahead = self.period.as_nanos().checked_mul(missed + 1)?;
        last.checked_add(Duration::from_nanos(u64::try_from(ahead).ok()?))
    }
}

/// The next tick of an [`Interval`].
#[derive(Debug)]
#[must_use = "futures do nothing until awaited"]
pub struct Tick<'a> {
    interval: &'a mut Interval,
}

impl Future for Tick<'_> {
    type Output = Instant;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Instant> {
        let interval = &mut *self.interval;
        match (Pin::new(&mut interval.sleep).poll(cx), interval.sleep.at) {
            (Poll::Ready(()), Some(at)) => {
                let clockwork = interval.sleep.clockwork.clone();
                let next = interval.next(at, clockwork.now());
                interval.sleep = Sleep::new(clockwork, next);
                Poll::Ready(at)
            }
            _ => Poll::Pending,
        }
    }
}

/// The time of a [`Timeout`] was out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Elapsed;

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time limit has passed")
    }
}

impl core::error::Error for Elapsed {}

pin_project! {
    /// A future with a limit; see [`JobContext::timeout`](crate::JobContext::timeout).
    #[derive(Debug)]
    #[must_use = "futures do nothing until awaited"]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        #[pin]
        sleep: Sleep,
        begun: bool,
    }
}

impl<F> Timeout<F> {
    pub(crate) fn new(sleep: Sleep, future: F) -> Self {
        Self { future, sleep, begun: false }
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if !*this.begun {
            *this.begun = true;
            // As for a job (D4): what is due before it starts is not started.
            if this.sleep.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(Elapsed));
            }
        }
        // A value beats the limit in the same poll (J3).
        if let Poll::Ready(value) = this.future.poll(cx) {
            return Poll::Ready(Ok(value));
        }
        this.sleep.poll(cx).map(|()| Err(Elapsed))
    }
}

//! Short naps for the suite itself, on a clock and a thread of its own, so that it does not depend on the host's timers.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// Ready after `span` of the suite's own time.
///
/// This is the pause between two looks at a condition, never a thing that a rule waits for.
pub(crate) fn nap(span: Duration) -> Nap {
    Nap { until: Instant::now() + span, bed: None }
}

/// The future of [`nap`].
pub(crate) struct Nap {
    until: Instant,
    bed: Option<Bed>,
}

type Bed = Arc<Mutex<Option<Waker>>>;

struct Booking {
    until: Instant,
    bed: Bed,
}

impl Future for Nap {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.until {
            return Poll::Ready(());
        }
        let until = self.until;
        let bed = self.bed.get_or_insert_with(|| {
            let bed = Bed::default();
            // The house never closes; should it have, the next look at the clock comes with the next poll.
            let _ = house().send(Booking { until, bed: Arc::clone(&bed) });
            bed
        });
        *bed.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        // The bed may have been looked into just before the waker lay in it.
        if Instant::now() >= until {
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

fn house() -> &'static Sender<Booking> {
    static HOUSE: OnceLock<Sender<Booking>> = OnceLock::new();
    HOUSE.get_or_init(|| {
        let (bookings, desk) = channel::<Booking>();
        thread::spawn(move || {
            let mut booked: Vec<Booking> = Vec::new();
            loop {
                let next = booked.iter().map(|booking| booking.until).min();
                let arrival = match next {
                    Some(at) => desk.recv_timeout(at.saturating_duration_since(Instant::now())),
                    None => desk.recv().map_err(|_| RecvTimeoutError::Disconnected),
                };
                match arrival {
                    Ok(booking) => booked.push(booking),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
                let now = Instant::now();
                for booking in booked.extract_if(.., |booking| booking.until <= now) {
                    let waker = booking.bed.lock().unwrap_or_else(PoisonError::into_inner).take();
                    if let Some(waker) = waker {
                        waker.wake();
                    }
                }
            }
        });
        bookings
    })
}

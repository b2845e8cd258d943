//! A token and a worker of two lanes and eight slots: a job with a deadline that waits for the token, which is cancelled with a cause; and its driver.
#![no_std]
#![no_main]

use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use countermand_core::{
    Alarm, Cause, Detail, HeldCancelled, HeldJob, HeldToken, HeldWorker, Host, Instant, Outcome, Priority,
};
use countermand_heapless::weighed;
use countermand_heapless::weighed::{keep, nanos};

static TOKEN: HeldToken<'static> = HeldToken::new();
static WORKER: HeldWorker<2, 8, { size_of::<HeldCancelled<'static>>() }> = HeldWorker::new();

/// The clock that all of these images have.
struct Ticks;

impl Host for Ticks {
    type Alarm = Never;

    fn now(&self) -> Instant {
        Instant::from_nanos(nanos())
    }

    fn alarm(&self) -> Never {
        Never
    }
}

struct Never;

impl Alarm for Never {
    fn poll_at(self: Pin<&mut Self>, _: Instant, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

weighed! {
    waits: {
        if let Some(driver) = WORKER.attend() {
            driver.run(&Ticks).await;
        }
    },
    acts: {
        let job = HeldJob::task(TOKEN.cancelled()).priority(Priority::High).run_timeout(Duration::from_secs(1));
        let Ok(handle) = WORKER.submit(job, Ticks.now()) else { return };
        TOKEN.cancel_with(Cause::REQUESTED.with_code(7));
        if let Outcome::Completed(cause) = handle.await {
            if let Detail::Code(code) = cause.detail() {
                keep(code);
            }
        }
    }
}

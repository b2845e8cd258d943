//! A token and a worker of two lanes and eight slots: a job with a deadline that waits for the token, which is cancelled with a cause; and its driver.
#![no_std]
#![no_main]

use countermand_core::{
    Cause, Detail, HeldCancelled, HeldJob, HeldToken, HeldWorker, Host, Instant, Outcome, Priority,
};
use countermand_heapless::weighed;
use countermand_heapless::weighed::{Ticks, keep};

static TOKEN: HeldToken<'static> = HeldToken::new();
static WORKER: HeldWorker<2, 8, { size_of::<HeldCancelled<'static>>() }> = HeldWorker::new();

weighed! {
    waits: {
        if let Some(driver) = WORKER.attend() {
            driver.run(&Ticks).await;
        }
    },
    acts: {
        let job = HeldJob::task(TOKEN.cancelled()).priority(Priority::High).deadline(Instant::from_nanos(1 << 40));
        let Ok(handle) = WORKER.submit(job, Ticks.now()) else { return };
        TOKEN.cancel_with(Cause::REQUESTED.with_code(7));
        if let Outcome::Completed(cause) = handle.await {
            if let Detail::Code(code) = cause.detail() {
                keep(code);
            }
        }
    }
}

//! What `weigh_worker` has, but that the job has a time-out for its run instead of a deadline: it takes eight bytes of its slot.
#![no_std]
#![no_main]

use core::time::Duration;

use countermand_core::{Cause, Detail, HeldCancelled, HeldJob, HeldToken, HeldWorker, Host, Outcome, Priority};
use countermand_heapless::weighed;
use countermand_heapless::weighed::{Ticks, keep};

static TOKEN: HeldToken<'static> = HeldToken::new();
static WORKER: HeldWorker<2, 8, { size_of::<HeldCancelled<'static>>() + 8 }> = HeldWorker::new();

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

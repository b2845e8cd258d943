//! A worker without an executor: jobs, a time-out, a sleep and a shutdown on the plain loop of `countermand_firmware::superloop`.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::format;
use core::future::{pending, ready};
use core::time::Duration;

use countermand_core::{Job, Outcome, Phase, Priority, Shutdown, WorkerConfig};
use countermand_firmware::stack::Painted;
use countermand_firmware::{Board, clock, line, set_up, superloop};

/// The stack is no deeper than this, with whatever the loop, the drivers, the jobs and `main` have on it.
const DEEPEST: usize = 8_192;

#[cortex_m_rt::entry]
fn entry() -> ! {
    set_up();
    let painted = Painted::new();
    let config = WorkerConfig::new().lanes(2).drivers(1).capacity(8);
    let report = superloop::run::<Board, _>(config, |worker| async move {
        let answer = worker.submit(Job::task(ready(42)).priority(Priority::High)).await.expect("there is a place");
        assert_eq!(answer.await.completed(), Some(42));

        let late = Job::task(pending::<()>()).run_timeout(Duration::from_millis(5));
        let late = worker.submit(late).await.expect("there is a place");
        assert!(matches!(late.await, Outcome::TimedOut { phase: Phase::Running, .. }));

        let begun = clock::now();
        let nap = Job::task_with(|context| async move { context.sleep(Duration::from_millis(20)).await });
        nap_and_cancel(&worker, nap).await;
        assert!(clock::now().saturating_since(begun) >= Duration::from_millis(20), "a sleep was cut short");
        worker.shutdown(Shutdown::Drain).await
    });
    let report = report.expect("the settings can be");
    assert_eq!((report.counts.accepted, report.counts.completed, report.counts.cancelled), (4, 2, 1));
    assert!(painted.spare() > DEEPEST, "the depth that is looked for may be greater");
    let depth = painted.depth();
    line::say(&format!("superloop: 4 jobs settled, on {depth} bytes of stack"));
    line::leave(depth <= DEEPEST)
}

/// The sleep comes to its end, and a job that is stopped meanwhile to its own.
async fn nap_and_cancel<W>(worker: &countermand_core::Worker, nap: Job<W>)
where
    W: countermand_core::Work<Value = ()>,
{
    let stuck = worker.submit(Job::task(pending::<()>())).await.expect("there is a place");
    let nap = worker.submit(nap).await;
    let Ok(nap) = nap else { panic!("there is a place") };
    assert!(stuck.cancel());
    assert!(matches!(stuck.await, Outcome::Cancelled { .. }));
    assert!(matches!(nap.await, Outcome::Completed(())));
}

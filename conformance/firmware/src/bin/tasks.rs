//! A worker on embassy's executor as users start one: its drivers and its keeper are static tasks that `tasks!` declares.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::boxed::Box;
use core::future::{pending, ready};
use core::time::Duration;

use countermand_core::{Cause, Job, Outcome, Phase, Priority, Shutdown, WorkerConfig};
use countermand_embassy::StartError;
use countermand_firmware::{clock, line, set_up};
use embassy_executor::{Executor, Spawner};

countermand_embassy::tasks! {
    /// Starts a worker on two tasks for drivers, and one for its keeper.
    fn start = 3;
}

#[embassy_executor::task]
async fn main(spawner: Spawner) {
    let worker = start(spawner, WorkerConfig::new().lanes(2).drivers(2)).expect("there is a task for each");
    let begun = clock::now();
    let nap = Job::task_with(|context| async move { context.sleep(Duration::from_millis(20)).await });
    let nap = worker.submit(nap).await.expect("there is a place");
    let late = Job::task(pending::<()>()).run_timeout(Duration::from_millis(5));
    let late = worker.submit(late).await.expect("there is a place");
    let answer = worker.submit(Job::task(ready(42)).priority(Priority::High)).await.expect("there is a place");
    let none = start(spawner, WorkerConfig::new()).expect_err("all tasks are taken");
    assert!(matches!(none, StartError::TooFewTasks { free: 0, .. }), "{none:?}");

    assert!(matches!(late.await, Outcome::TimedOut { phase: Phase::Running, .. }));
    assert_eq!(answer.await.completed(), Some(42));
    assert!(matches!(nap.await, Outcome::Completed(())));
    assert!(clock::now().saturating_since(begun) >= Duration::from_millis(20), "a sleep was cut short");
    let stuck = worker.submit(Job::task(pending::<()>())).await.expect("there is a place");
    assert!(stuck.cancel_with(Cause::REQUESTED.with_code(7)));
    assert!(matches!(stuck.await, Outcome::Cancelled { cause, .. } if cause == Cause::REQUESTED.with_code(7)));
    let report = worker.shutdown(Shutdown::Drain).await;
    assert_eq!((report.counts.accepted, report.counts.completed, report.counts.cancelled), (4, 2, 1));
    line::say("tasks: 4 jobs settled on static tasks");
    line::leave(true)
}

#[cortex_m_rt::entry]
fn entry() -> ! {
    set_up();
    // It lives for ever, as this function does.
    let executor: &'static mut Executor = Box::leak(Box::new(Executor::new()));
    executor.run(|spawner| spawner.spawn(main(spawner).expect("there is one main task")))
}

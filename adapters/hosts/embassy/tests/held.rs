//! A worker without a heap on the executor and the real timer of this machine: its driver is a static task.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use countermand_core::{Cause, HeldJob, HeldToken, HeldWorker, Host, Outcome, Phase, Priority, RejectReason, Shutdown};
use countermand_embassy::Embassy;
use embassy_executor::{Executor, Spawner};
use {critical_section as _, embassy_time as _};

static WORKER: HeldWorker<2, 4, 96> = HeldWorker::new();
static MAINS: HeldToken<'static> = HeldToken::new();

const PULLED: Cause = Cause::REQUESTED.with_code(7);

#[embassy_executor::task]
async fn drive() {
    let driver = WORKER.attend().expect("nobody else drives it");
    driver.run(&Embassy::new()).await;
}

#[embassy_executor::task]
async fn main(spawner: Spawner, done: Rc<Cell<bool>>) {
    spawner.spawn(drive().expect("there is one such task"));
    let now = || Embassy::new().now();
    let begun = now();
    let nap = WORKER.submit(HeldJob::task(WORKER.sleep(Duration::from_millis(20))), now()).expect("there is a slot");
    let late = HeldJob::task(pending::<()>()).run_timeout(Duration::from_millis(2));
    let late = WORKER.submit(late, now()).expect("there is a slot");
    // They wait for a lane, and one of them for no more than that.
    let urgent = HeldJob::task(async { 42 }).priority(Priority::High);
    let urgent = WORKER.submit(urgent, now()).expect("there is a slot");
    let under = WORKER.submit(HeldJob::task(pending::<()>()).under(&MAINS), now()).expect("there is a slot");
    let refused = WORKER.submit(HeldJob::task(async {}), now());
    assert!(refused.is_err_and(|back| back.reason == RejectReason::Full));

    assert!(matches!(late.await, Outcome::TimedOut { phase: Phase::Running, .. }));
    assert_eq!(urgent.await.completed(), Some(42));
    assert!(MAINS.cancel_with(PULLED));
    assert!(matches!(under.await, Outcome::Cancelled { cause: PULLED, started: true }));
    assert!(matches!(nap.await, Outcome::Completed(())));
    assert!(now().saturating_since(begun) >= Duration::from_millis(20), "a sleep was cut short");

    // The end comes by the alarm alone: nobody wakes the driver.
    let stuck = WORKER.submit(HeldJob::task(pending::<()>()), now()).expect("there is a slot");
    WORKER.shutdown(Shutdown::DrainFor(Duration::from_millis(2)), now());
    assert!(matches!(stuck.await, Outcome::Cancelled { cause: Cause::SHUTDOWN, started: true }));
    let counts = WORKER.counts();
    assert_eq!((counts.accepted, counts.completed, counts.cancelled, counts.timed_out), (5, 2, 2, 1));
    done.set(true);
}

#[test]
fn its_driver_is_a_task_by_the_clock_and_the_alarm_of_embassy() {
    let done = Rc::new(Cell::new(false));
    let executor: &'static mut Executor = Box::leak(Box::new(Executor::new()));
    let end = Rc::clone(&done);
    executor.run_until(
        move |spawner| spawner.spawn(main(spawner, end).expect("there is one such task")),
        move || done.get(),
    );
    let refused = WORKER.submit(HeldJob::task(async {}), Embassy::new().now());
    assert!(refused.is_err_and(|back| back.reason == RejectReason::Closed));
}

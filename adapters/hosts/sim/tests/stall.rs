//! A run that cannot go on says so, and names who waits.

use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use countermand_sim::{Gate, Sim, StallKind};

#[test]
fn a_deadlock_names_who_waits() {
    let sim = Sim::new(7);
    let (left, right) = (Gate::new(), Gate::new());
    let first = sim.spawn_named("left fork", {
        let (left, right) = (left.clone(), right.clone());
        async move {
            left.wait().await;
            right.open()
        }
    });
    let second = sim.spawn(async move {
        right.wait().await;
        left.open()
    });
    let stalled = sim.try_block_on(async { (first.await, second.await) }).unwrap_err();
    assert_eq!(stalled.kind(), StallKind::Deadlock);
    assert_eq!(stalled.seed(), 7);
    let [a, b, c] = stalled.waiting() else { panic!("{stalled}") };
    assert!(a.starts_with("task 0 `left fork` from ") && a.contains("stall.rs:"), "{a}");
    assert!(b.starts_with("task 1 from ") && b.contains("stall.rs:"), "{b}");
    assert!(c.starts_with("the future of block_on at ") && c.contains("stall.rs:"), "{c}");
    let report = stalled.to_string();
    assert!(report.contains("under seed 7") && report.contains("\n  task 0 `left fork`"), "{report}");
}

#[test]
fn block_on_panics_with_the_report() {
    let sim = Sim::new(11);
    let caught = panic::catch_unwind(AssertUnwindSafe(|| sim.block_on(std::future::pending::<()>())));
    let text = caught.unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains("seed 11") && text.contains("no alarm is set"), "{text}");
}

#[test]
fn a_task_that_spins_ends_the_run_at_the_limit_of_turns() {
    let sim = Sim::new(1);
    sim.set_turn_limit(1_000);
    let own = sim.clone();
    drop(sim.spawn(async move {
        loop {
            own.yield_now().await;
        }
    }));
    let stalled = sim.try_block_on(std::future::pending::<()>()).unwrap_err();
    assert_eq!(stalled.kind(), StallKind::Endless { turns: 1_000 });
    // The limit is of each drive, not of the run's life.
    assert_eq!(sim.try_block_on(async { 1 }), Ok(1));
}

#[test]
fn alarms_without_end_are_no_progress() {
    let sim = Sim::new(1);
    sim.set_turn_limit(500);
    let own = sim.clone();
    drop(sim.spawn(async move {
        loop {
            own.sleep(Duration::from_millis(500)).await;
        }
    }));
    let stalled = sim.try_block_on(std::future::pending::<()>()).unwrap_err();
    assert_eq!(stalled.kind(), StallKind::Endless { turns: 500 });
    assert_eq!(stalled.waiting().len(), 1, "{stalled}");
}

#[test]
fn a_broken_promise_of_an_outsider_is_a_stall_in_the_end() {
    let sim = Sim::new(1);
    sim.set_patience(Duration::from_millis(20));
    let _outsider = sim.outsider();
    assert_eq!(sim.try_block_on(std::future::pending::<()>()).unwrap_err().kind(), StallKind::Deadlock);
}

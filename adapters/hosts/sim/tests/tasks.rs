//! Tasks: they run, they end, they are dropped once.

use std::collections::HashSet;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use countermand_sim::{Gate, Order, Sim, Spawned};

/// Counts its drops.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn drops(count: &Arc<AtomicUsize>) -> usize {
    count.load(Ordering::SeqCst)
}

#[test]
fn a_task_returns_its_value_and_a_detached_one_goes_on() {
    let sim = Sim::new(1);
    let count = Arc::new(AtomicUsize::new(0));
    let (own, held) = (sim.clone(), Counted(Arc::clone(&count)));
    drop(sim.spawn(async move {
        let _held = held;
        own.yield_now().await;
    }));
    let value = sim.spawn(async { 7 });
    assert!(!value.is_finished());
    assert_eq!(sim.block_on(value), Ok(7));
    sim.run_until_idle();
    assert_eq!(drops(&count), 1);
}

#[test]
fn the_future_of_block_on_may_stay_on_its_thread() {
    let sim = Sim::new(1);
    let local = std::rc::Rc::new(3);
    let other = sim.spawn(async { 4 });
    assert_eq!(sim.block_on(async { *local + other.await.unwrap() }), 7);
}

#[test]
fn fifo_keeps_the_order_and_seeds_differ() {
    let order_of = |seed, order: Option<Order>| {
        let sim = Sim::new(seed);
        if let Some(order) = order {
            sim.set_order(order);
        }
        let seen = Arc::new(Mutex::new(Vec::new()));
        for task in 0..6 {
            let seen = Arc::clone(&seen);
            drop(sim.spawn(async move { seen.lock().unwrap().push(task) }));
        }
        assert_eq!(sim.run_until_idle(), 6);
        seen.lock().unwrap().clone()
    };
    assert_eq!(order_of(1, Some(Order::Fifo)), [0, 1, 2, 3, 4, 5]);
    for order in [None, Some(Order::Uniform), Some(Order::Biased)] {
        let distinct: HashSet<_> = (0..50).map(|seed| order_of(seed, order)).collect();
        assert!(distinct.len() > 30, "{order:?}: {} orders from 50 seeds", distinct.len());
    }
}

#[test]
fn an_aborted_task_is_dropped_before_abort_returns() {
    let sim = Sim::new(1);
    let count = Arc::new(AtomicUsize::new(0));
    let held = Counted(Arc::clone(&count));
    let task = sim.spawn(async move {
        let _held = held;
        std::future::pending::<()>().await;
    });
    sim.run_until_idle();
    assert_eq!(drops(&count), 0);
    task.abort();
    assert_eq!(drops(&count), 1);
    task.abort();
    assert!(sim.block_on(task).is_err());
    assert_eq!(drops(&count), 1);
}

#[test]
fn a_task_that_aborts_itself_is_dropped_after_its_turn() {
    let sim = Sim::new(1);
    let count = Arc::new(AtomicUsize::new(0));
    let own = Arc::new(Mutex::new(None::<Spawned<()>>));
    let (task, held) = (Arc::clone(&own), Counted(Arc::clone(&count)));
    let spawned = sim.spawn(async move {
        task.lock().unwrap().as_ref().unwrap().abort();
        assert_eq!(drops(&held.0), 0);
        std::future::pending().await
    });
    *own.lock().unwrap() = Some(spawned);
    sim.run_until_idle();
    assert_eq!(drops(&count), 1);
    assert!(own.lock().unwrap().as_ref().unwrap().is_finished());
}

#[test]
fn dropping_the_owner_drops_every_task_once_and_clones_do_not() {
    let count = Arc::new(AtomicUsize::new(0));
    let sim = Sim::new(3);
    for _ in 0..5 {
        // Each holds a handle on its own run, which must not keep the run alive.
        let (own, held) = (sim.clone(), Counted(Arc::clone(&count)));
        drop(sim.spawn(async move {
            own.sleep(Duration::from_secs(1)).await;
            drop(held);
        }));
    }
    sim.run_until_idle();
    let clone = sim.clone();
    drop(sim.clone());
    assert_eq!(drops(&count), 0);
    drop(sim);
    assert_eq!(drops(&count), 5);
    assert!(clone.is_stopped());
    let held = Counted(Arc::clone(&count));
    let refused = clone.spawn(async move { drop(held) });
    assert_eq!(drops(&count), 6);
    assert!(clone.block_on(refused).is_err());
}

#[test]
fn a_waker_outlives_the_run() {
    let sim = Sim::new(1);
    let kept: Arc<Mutex<Option<Waker>>> = Arc::default();
    let keep = Arc::clone(&kept);
    drop(sim.spawn(std::future::poll_fn(move |cx| {
        keep.lock().unwrap().replace(cx.waker().clone());
        Poll::<()>::Pending
    })));
    sim.run_until_idle();
    let waker = kept.lock().unwrap().take().unwrap();
    waker.wake_by_ref();
    waker.wake_by_ref();
    assert_eq!(sim.run_until_idle(), 1, "two wakes before a turn are one");
    drop(sim);
    waker.wake_by_ref();
    waker.wake();
}

#[test]
fn the_panic_of_a_task_comes_out_of_block_on_and_the_run_can_go_on() {
    let sim = Sim::new(9);
    let count = Arc::new(AtomicUsize::new(0));
    let held = Counted(Arc::clone(&count));
    let bad: Spawned<()> = sim.spawn(async move {
        let _held = held;
        panic!("the task's own words")
    });
    let caught = panic::catch_unwind(AssertUnwindSafe(|| sim.block_on(std::future::pending::<()>())));
    assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"the task's own words"));
    assert_eq!(drops(&count), 1);
    assert!(sim.block_on(bad).is_err());
    assert_eq!(sim.block_on(async { 1 }), 1);
}

#[test]
fn threads_may_spawn_and_wake_while_an_outsider_is_promised() {
    let sim = Sim::new(1);
    let gate = Gate::new();
    let outsider = sim.outsider();
    let (own, open) = (sim.clone(), gate.clone());
    let thread = thread::spawn(move || {
        let task = own.spawn(async move { open.open() });
        drop(outsider);
        task
    });
    sim.block_on(gate.wait());
    sim.run_until_idle();
    assert!(thread.join().unwrap().is_finished());
}

#[test]
fn a_task_cannot_drive_its_own_sim_but_another() {
    let sim = Sim::new(1);
    let inner = sim.clone();
    let caught = panic::catch_unwind(AssertUnwindSafe(|| sim.block_on(async move { inner.block_on(async {}) })));
    assert!(caught.is_err());
    let value = sim.block_on(async { Sim::new(2).block_on(async { (Sim::current().unwrap().seed(), 5) }) });
    assert_eq!(value, (2, 5));
    assert!(Sim::current().is_none());
}

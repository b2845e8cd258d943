//! Calls: closures on threads, one at a time, in the order of the seed.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use countermand_core::Host;
use countermand_sim::{Gate, Sim, StallKind};

#[test]
fn a_call_runs_on_another_thread_and_returns_its_value() {
    let sim = Sim::new(1);
    let here = thread::current().id();
    let there = sim.block_on(sim.spawn_call(|| thread::current().id())).unwrap();
    assert_ne!(here, there);
}

#[test]
fn nobody_else_has_a_turn_while_a_call_runs() {
    Sim::explore(0..20, |sim| {
        let inside = Arc::new(AtomicBool::new(false));
        let mut ends = Vec::new();
        for _ in 0..3 {
            let (own, inside) = (sim.clone(), Arc::clone(&inside));
            ends.push(sim.spawn_call(move || {
                for _ in 0..3 {
                    assert!(!inside.swap(true, Ordering::SeqCst), "two calls ran at once");
                    thread::yield_now();
                    assert!(inside.swap(false, Ordering::SeqCst));
                    own.block_on(own.yield_now());
                }
            }));
        }
        let (own, seen) = (sim.clone(), Arc::clone(&inside));
        let watcher = sim.spawn(async move {
            for _ in 0..10 {
                assert!(!seen.load(Ordering::SeqCst), "a task had a turn inside a call's");
                own.yield_now().await;
            }
        });
        sim.block_on(async {
            for end in ends {
                end.await.unwrap();
            }
            watcher.await.unwrap();
        });
    });
}

#[test]
fn time_stands_while_a_call_runs_and_goes_while_it_sleeps() {
    let sim = Sim::new(2);
    let own = sim.clone();
    let call = sim.spawn_call(move || {
        let begun = own.now();
        // Long enough, in real time, for a clock that did not wait.
        (0..200).for_each(|_| thread::yield_now());
        assert_eq!(own.now(), begun);
        own.block_on(own.sleep(Duration::from_secs(60)));
        own.now().saturating_since(begun)
    });
    let own = sim.clone();
    drop(sim.spawn(async move { own.sleep(Duration::from_secs(1)).await }));
    assert_eq!(sim.block_on(call), Ok(Duration::from_secs(60)));
}

#[test]
fn a_gate_lets_tasks_and_calls_meet() {
    Sim::explore(0..30, |sim| {
        let (there, back) = (Gate::new(), Gate::new());
        let call = sim.spawn_call({
            let (there, back) = (there.clone(), back.clone());
            move || {
                there.wait_blocking();
                assert!(!back.is_open());
                back.open();
            }
        });
        sim.block_on(async {
            sim.yield_now().await;
            there.open();
            back.wait().await;
            call.await.unwrap();
        });
        assert_eq!(there.waiting() + back.waiting(), 0);
    });
}

#[test]
fn a_call_that_says_it_blocks_holds_nobody_up() {
    let sim = Sim::new(1);
    let (sender, receiver) = mpsc::channel();
    let call = sim.spawn_call(move || Sim::blocking(|| receiver.recv().unwrap()) + 1);
    let value = sim.block_on(async {
        sim.yield_now().await;
        sim.sleep(Duration::from_secs(5)).await;
        sender.send(41).unwrap();
        call.await
    });
    assert_eq!(value, Ok(42));
}

#[test]
fn a_call_that_blocks_without_a_word_is_let_go_after_the_patience() {
    let sim = Sim::new(1);
    sim.set_patience(Duration::from_millis(50));
    let (sender, receiver) = mpsc::channel();
    let own = sim.clone();
    let call = sim.spawn_call(move || {
        let got = receiver.recv().unwrap();
        // It finds back into the order as soon as it waits in a way the sim knows.
        own.block_on(own.sleep(Duration::from_secs(3)));
        got
    });
    let value = sim.block_on(async {
        sim.sleep(Duration::from_secs(1)).await;
        // From here on it is certain to come back, however busy this machine is.
        sim.set_patience(Duration::from_secs(60));
        sender.send(5).unwrap();
        call.await
    });
    assert_eq!(value, Ok(5));
    assert!(sim.now().as_nanos() >= 4_000_000_000);
}

#[test]
fn calls_that_wait_for_each_other_are_a_stall_that_names_them() {
    let sim = Sim::new(1);
    let (left, right) = (Gate::new(), Gate::new());
    let first = sim.spawn_call({
        let (left, right) = (left.clone(), right.clone());
        move || {
            left.wait_blocking();
            right.open()
        }
    });
    let second = sim.spawn_call({
        let (left, right) = (left.clone(), right.clone());
        move || {
            right.wait_blocking();
            left.open()
        }
    });
    let stalled = sim.try_block_on(async { (first.await, second.await) }).unwrap_err();
    assert_eq!(stalled.kind(), StallKind::Deadlock);
    assert_eq!(stalled.waiting().iter().filter(|line| line.ends_with("waiting in block_on")).count(), 2, "{stalled}");
    left.open();
    right.open();
    sim.run_until_idle();
}

#[test]
fn the_panic_of_a_call_comes_out_of_the_drive() {
    let sim = Sim::new(1);
    let call = sim.spawn_call(|| panic!("the call's own words"));
    let caught = panic::catch_unwind(AssertUnwindSafe(|| sim.run_until_idle()));
    assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"the call's own words"));
    let call: countermand_sim::Spawned<()> = call;
    assert!(call.is_finished());
}

#[test]
fn a_stopped_run_drops_calls_not_begun_and_lets_others_end() {
    let sim = Sim::new(1);
    let gate = Gate::new();
    let held = Arc::new(());
    let begun = sim.spawn_call({
        let (gate, held) = (gate.clone(), Arc::clone(&held));
        move || {
            gate.wait_blocking();
            drop(held);
            1
        }
    });
    sim.run_until_idle();
    let fresh = sim.spawn_call({
        let held = Arc::clone(&held);
        move || drop(held)
    });
    sim.stop();
    assert_eq!(Arc::strong_count(&held), 2);
    assert!(fresh.is_finished() && !begun.is_finished());
    assert!(sim.block_on(sim.spawn_call(|| ())).is_err());
    gate.open();
    assert_eq!(sim.block_on(begun), Ok(1));
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn dropping_the_owner_unwinds_calls_that_wait() {
    let held = Arc::new(AtomicUsize::new(0));
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let sim = Sim::new(1);
    for _ in 0..3 {
        let counted = Counted(Arc::clone(&held));
        drop(sim.spawn_call(move || {
            Gate::new().wait_blocking();
            drop(counted);
        }));
    }
    sim.run_until_idle();
    assert_eq!(held.load(Ordering::SeqCst), 0);
    drop(sim);
    assert_eq!(held.load(Ordering::SeqCst), 3);
}

#[test]
fn a_blocking_wait_is_refused_where_nobody_would_drive() {
    let sim = Sim::new(1);
    let mut ran = false;
    assert!(sim.block(&mut || ran = true).is_err(), "the thread that made the sim");
    sim.block_on(async { assert!(sim.block(&mut || ran = true).is_err(), "the thread that drives") });
    assert!(!ran);
    let own = sim.clone();
    thread::spawn(move || own.block(&mut || ())).join().unwrap().unwrap();
    let (sender, receiver) = mpsc::channel();
    let receiver = Mutex::new(receiver);
    let own = sim.clone();
    let call = sim.spawn_call(move || own.block(&mut || receiver.lock().unwrap().recv().unwrap()).is_ok());
    let waited = sim.block_on(async {
        sim.sleep(Duration::from_secs(1)).await;
        sender.send(()).unwrap();
        call.await
    });
    assert_eq!(waited, Ok(true));
}

#[test]
fn a_wait_inside_a_declared_block_finds_back_and_leaves_again() {
    let sim = Sim::new(1);
    let own = sim.clone();
    let (sender, receiver) = mpsc::channel();
    let call = sim.spawn_call(move || {
        Sim::blocking(|| {
            own.block_on(own.sleep(Duration::from_secs(1)));
            receiver.recv().unwrap()
        })
    });
    let value = sim.block_on(async {
        sim.sleep(Duration::from_secs(2)).await;
        sender.send(3).unwrap();
        call.await
    });
    assert_eq!(value, Ok(3));
}

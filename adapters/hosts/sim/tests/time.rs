//! Virtual time: it jumps, it stands still, it is late, and it never runs by itself.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use countermand_core::Instant;
use countermand_sim::{Sim, StallKind};

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Instant {
    Instant::from_nanos(seconds * 1_000_000_000)
}

#[test]
fn four_hundred_days_pass_at_once() {
    let sim = Sim::new(1);
    sim.block_on(sim.sleep(400 * 86_400 * SECOND));
    assert_eq!(sim.now(), at(400 * 86_400));
    assert_eq!(sim.trace().turns(), 2);
    assert_eq!(sim.alarms_set(), 0);
}

#[test]
fn sleepers_wake_in_the_order_of_their_times() {
    for seed in 0..20 {
        let sim = Sim::new(seed);
        let woke = Arc::new(Mutex::new(Vec::new()));
        for seconds in [3, 1, 2, 5, 4] {
            let (own, woke) = (sim.clone(), Arc::clone(&woke));
            drop(sim.spawn(async move {
                own.sleep_until(at(seconds)).await;
                woke.lock().unwrap().push((seconds, own.now()));
            }));
        }
        sim.block_on(sim.sleep(10 * SECOND));
        let expected: Vec<_> = (1..=5).map(|seconds| (seconds, at(seconds))).collect();
        assert_eq!(*woke.lock().unwrap(), expected);
    }
}

#[test]
fn sleepers_of_one_time_wake_in_an_order_of_the_seed() {
    let order = |seed| {
        let sim = Sim::new(seed);
        let woke = Arc::new(Mutex::new(Vec::new()));
        for task in 0..4 {
            let (own, woke) = (sim.clone(), Arc::clone(&woke));
            drop(sim.spawn(async move {
                own.sleep_until(at(1)).await;
                woke.lock().unwrap().push(task);
            }));
        }
        sim.block_on(sim.sleep(2 * SECOND));
        woke.lock().unwrap().clone()
    };
    assert_eq!(order(5), order(5));
    let distinct: std::collections::HashSet<_> = (0..40).map(order).collect();
    assert!(distinct.len() > 8, "{}", distinct.len());
}

#[test]
fn a_dropped_sleep_leaves_no_alarm() {
    let sim = Sim::new(1);
    let task = sim.spawn(sim.sleep(SECOND));
    sim.run_until_idle();
    assert_eq!(sim.alarms_set(), 1);
    task.abort();
    assert_eq!(sim.alarms_set(), 0);
}

#[test]
fn advance_skips_the_times_between_and_run_for_does_not() {
    let ticks_in = |pass: fn(&Sim)| {
        let sim = Sim::new(4);
        let ticks = Arc::new(Mutex::new(Vec::new()));
        let (own, seen) = (sim.clone(), Arc::clone(&ticks));
        drop(sim.spawn(async move {
            loop {
                own.sleep(SECOND).await;
                seen.lock().unwrap().push(own.now());
            }
        }));
        sim.run_until_idle();
        pass(&sim);
        assert_eq!(sim.now(), Instant::from_nanos(3_500_000_000));
        ticks.lock().unwrap().clone()
    };
    assert_eq!(ticks_in(|sim| assert_eq!(sim.run_for(Duration::from_millis(3_500)), 3)), [at(1), at(2), at(3)]);
    let skipped = ticks_in(|sim| {
        sim.advance(Duration::from_millis(3_500));
        assert_eq!(sim.run_until_idle(), 1);
    });
    assert_eq!(skipped, [Instant::from_nanos(3_500_000_000)]);
}

#[test]
fn time_that_stands_still_is_a_stall_and_not_a_hang() {
    let sim = Sim::new(1);
    sim.set_auto_advance(false);
    let stalled = sim.try_block_on(sim.sleep(SECOND)).unwrap_err();
    assert_eq!(stalled.kind(), StallKind::Frozen { next: at(1) });
    let end = sim.block_on(async {
        let sleep = sim.sleep(SECOND);
        sim.advance(SECOND);
        sleep.await;
        sim.now()
    });
    assert_eq!(end, at(1));
    // Null control: time that goes on is no stall.
    sim.set_auto_advance(true);
    assert_eq!(sim.try_block_on(sim.sleep(SECOND)), Ok(()));
}

#[test]
fn alarms_ring_late_but_within_the_bound() {
    let mut latest = Duration::ZERO;
    Sim::explore(0..50, |sim| {
        sim.set_lateness(SECOND);
        sim.block_on(sim.sleep(SECOND));
        let late = sim.now().saturating_since(at(1));
        assert!(late <= SECOND);
        latest = latest.max(late);
    });
    assert!(latest > Duration::from_millis(700), "{latest:?}");
    // Null control: without the fault there is none.
    let sim = Sim::new(0);
    sim.block_on(sim.sleep(SECOND));
    assert_eq!(sim.now(), at(1));
}

#[test]
fn turns_can_take_time() {
    let turns_in_a_second = |cost| {
        let sim = Sim::new(1);
        sim.set_turn_cost(cost);
        sim.set_turn_limit(2_000);
        let own = sim.clone();
        sim.try_block_on(async move {
            let deadline = own.now().checked_add(SECOND).unwrap();
            let mut turns = 0_u32;
            while !deadline.is_due(own.now()) {
                own.yield_now().await;
                turns += 1;
            }
            turns
        })
    };
    let turns = turns_in_a_second(Duration::from_millis(2)).unwrap();
    assert!((900..1_100).contains(&turns), "{turns}");
    // Null control: without a cost the second never comes.
    let stalled = turns_in_a_second(Duration::ZERO).unwrap_err();
    assert_eq!(stalled.kind(), StallKind::Endless { turns: 2_000 });
}

#[test]
fn overflowing_sleeps_are_for_ever_and_the_clock_stays_at_its_end() {
    let sim = Sim::new(1);
    assert_eq!(sim.try_block_on(sim.sleep(Duration::MAX)).unwrap_err().kind(), StallKind::Deadlock);
    sim.advance(Duration::MAX);
    sim.advance(SECOND);
    assert_eq!(sim.now(), Instant::from_nanos(u64::MAX));
    sim.block_on(sim.sleep(Duration::ZERO));
}

//! Equal seeds give equal runs, and exploring finds what an order breaks.

use std::panic::{self, AssertUnwindSafe};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countermand_sim::{Gate, Sim, Trace};

/// A bit of everything: tasks, sleeps, calls, gates, random numbers.
fn busy(sim: &Sim) -> u64 {
    let total = Arc::new(AtomicU64::new(1));
    let gate = Gate::new();
    for step in 1..=4_u64 {
        let (own, total, gate) = (sim.clone(), Arc::clone(&total), gate.clone());
        let nap = Duration::from_millis(sim.random(3));
        drop(sim.spawn_call({
            let (own, total) = (sim.clone(), Arc::clone(&total));
            move || {
                own.block_on(own.sleep(Duration::from_millis(step)));
                gate.wait_blocking();
                let seen = total.load(Ordering::SeqCst);
                own.block_on(own.yield_now());
                total.store(seen.wrapping_mul(31).wrapping_add(step), Ordering::SeqCst);
            }
        }));
        drop(sim.spawn(async move {
            own.sleep(nap).await;
            let seen = total.load(Ordering::SeqCst);
            own.yield_now().await;
            total.store(seen.wrapping_mul(17).wrapping_add(step), Ordering::SeqCst);
        }));
    }
    let own = sim.clone();
    sim.block_on(async move {
        own.sleep(Duration::from_millis(2)).await;
        gate.open();
        own.sleep(Duration::from_secs(1)).await;
    });
    let total = total.load(Ordering::SeqCst);
    sim.note(total.to_string());
    total
}

#[test]
fn equal_seeds_are_equal_runs_with_threads_and_all() {
    let mut totals = std::collections::HashSet::new();
    for seed in 0..30 {
        let mut seen = Vec::new();
        let trace = Sim::assert_replays(seed, |sim| seen.push(busy(sim)));
        assert_eq!(seen[0], seen[1]);
        assert!(trace.turns() > 20, "{trace}");
        totals.insert(seen[0]);
    }
    assert!(totals.len() > 20, "30 seeds gave {} results only", totals.len());
}

#[test]
fn a_trace_is_the_same_in_every_build() {
    // Pins the generator, the order and the trace: a change here is a change of what every seed means.
    let trace = |seed| {
        let sim = Sim::new(seed);
        let _ = busy(&sim);
        sim.trace()
    };
    let pinned: Vec<(u64, u64)> = [0, 1].map(trace).map(|trace: Trace| (trace.hash(), trace.turns())).to_vec();
    assert_eq!(pinned, PINNED);
}

const PINNED: [(u64, u64); 2] = [(0x50df_0422_a38a_e672, 29), (0xa85a_09c1_969b_a18d, 28)];

/// Two tasks add one each, by reading, yielding and writing.
fn lost_update(sim: &Sim) -> u64 {
    let total = Arc::new(AtomicU64::new(0));
    let adders: Vec<_> = (0..2)
        .map(|_| {
            let (own, total) = (sim.clone(), Arc::clone(&total));
            sim.spawn(async move {
                let seen = total.load(Ordering::SeqCst);
                own.yield_now().await;
                total.store(seen + 1, Ordering::SeqCst);
            })
        })
        .collect();
    sim.block_on(async {
        for adder in adders {
            adder.await.expect("nobody stops the run");
        }
    });
    total.load(Ordering::SeqCst)
}

#[test]
fn a_race_is_found_and_its_seed_finds_it_again() {
    let mut last = 0;
    let caught = panic::catch_unwind(AssertUnwindSafe(|| {
        Sim::explore(0..100, |sim| {
            last = sim.seed();
            assert_eq!(lost_update(sim), 2, "an update was lost");
        })
    }));
    assert!(caught.is_err(), "no seed of a hundred found the race");
    assert_eq!(lost_update(&Sim::new(last)), 1);
    // And some order hides it, or there would be nothing to explore.
    assert!((0..100).any(|seed| lost_update(&Sim::new(seed)) == 2));
}

#[test]
fn exploring_counts_what_it_saw() {
    let explored = Sim::explore(0..64, |sim| {
        lost_update(sim);
    });
    // Alone in the environment, 64 runs; with a seed named there (see below), one.
    if std::env::var_os("COUNTERMAND_SIM_SEED").is_some() {
        println!("alone: {} run", explored.runs);
        assert_eq!(explored.runs, 1);
        return;
    }
    assert_eq!(explored.runs, 64);
    assert!((4..=64).contains(&explored.schedules), "{explored:?}");
    assert!(explored.turns > 64 * 4, "{explored:?}");
}

#[test]
fn a_seed_in_the_environment_runs_alone() {
    if std::env::var_os("COUNTERMAND_SIM_SEED").is_some() {
        return;
    }
    let run = |seed: &str| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "exploring_counts_what_it_saw", "--nocapture"]).env("COUNTERMAND_SIM_SEED", seed);
        let output = child.output().unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (fine, text) = run("0x11");
    assert!(fine && text.contains("alone: 1 run"), "{text}");
    let (fine, text) = run("eleven");
    assert!(!fine && text.contains("COUNTERMAND_SIM_SEED is \"eleven\""), "{text}");
}

/// Fails if the environment says how, for the test below.
#[test]
fn fails_when_told() {
    match std::env::var("SIM_TEST_FAILS").as_deref() {
        Ok("exploring") => drop(Sim::explore(5..10, |sim| assert!(sim.block_on(async { sim.seed() != 7 })))),
        Ok("alone") => Sim::new(77).block_on(async { panic!("on purpose") }),
        _ => assert_eq!(Sim::explore(5..10, |sim| assert!(sim.seed() != 77)).runs, 5),
    }
}

#[test]
fn a_failure_tells_its_seed_once() {
    let run = |how: &str| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child
            .args(["--exact", "fails_when_told", "--nocapture"])
            .env("SIM_TEST_FAILS", how)
            .env_remove("COUNTERMAND_SIM_SEED");
        let output = child.output().unwrap();
        assert_eq!(output.status.success(), how == "not");
        let text = String::from_utf8(output.stderr).unwrap();
        text.lines().filter(|line| line.starts_with("countermand-sim: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let told = run("exploring");
    let expected = "countermand-sim: seed 7 failed, after 2 that did not; to replay it alone: COUNTERMAND_SIM_SEED=7 cargo test fails_when_told";
    assert_eq!(told, [expected]);
    let told = run("alone");
    assert!(told.len() == 1 && told[0].contains("had seed 77 and panicked at 0ns"), "{told:?}");
    assert_eq!(run("not"), [""; 0]);
}

#[test]
fn the_log_tells_every_turn() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "fails_when_told", "--nocapture"]).env("SIM_TEST_FAILS", "exploring");
    child.env("COUNTERMAND_SIM_SEED", "7").env("COUNTERMAND_SIM_LOG", "1");
    let text = String::from_utf8(child.output().unwrap().stderr).unwrap();
    let turns: Vec<_> = text.lines().filter(|line| line.starts_with("countermand-sim: turn ")).collect();
    assert_eq!(turns.len(), 1, "{text}");
    assert!(turns[0].starts_with("countermand-sim: turn 1 at 0ns: the future of block_on at "), "{text}");
}

#[test]
fn exploring_nothing_is_a_failure() {
    let caught = panic::catch_unwind(|| Sim::explore([], |_| {}));
    assert!(caught.is_err());
}

#[test]
fn what_depends_on_more_than_the_seed_is_told() {
    let mut run = 0_u32;
    let caught = panic::catch_unwind(AssertUnwindSafe(|| {
        Sim::assert_replays(3, |sim| {
            run += 1;
            sim.note(run.to_string());
        })
    }));
    let text = caught.unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains("seed 3 does not replay"), "{text}");
}

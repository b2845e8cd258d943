//! A race that is found, replayed from its seed, and mended.
//!
//! Two payments from one account look at the balance, ask the bank, and write the balance. In a test on a real clock this goes well for years.
//!
//! ```sh
//! cargo run -p countermand --example sim --features sim
//! ```

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countermand::hosts::sim::Trace;
use countermand::{Handle, Job, JobContext, Sim, Worker, WorkerConfig};

const BALANCE: u32 = 100;
const SEEDS: u64 = 1_000;

/// What a run came to.
#[derive(Debug, PartialEq)]
struct Run {
    paid: u32,
    steps: Vec<String>,
    trace: Trace,
}

#[derive(Default)]
struct Account {
    balance: u32,
    paid: u32,
    steps: Vec<String>,
}

type Shared = Arc<Mutex<Account>>;

fn main() -> Result<(), Box<dyn Error>> {
    let seed = (0..SEEDS).find(|&seed| run(seed, false).paid > BALANCE).ok_or("no seed finds the race")?;
    println!(
        "Seed {seed} pays out {} of {BALANCE}; {seed} seeds before it did not. Step by step:\n",
        run(seed, false).paid
    );
    let (first, second) = (run(seed, false), run(seed, false));
    first.steps.iter().for_each(|step| println!("  {step}"));
    println!("\nReplayed, it is the same, to the last turn: {}", if first == second { "yes" } else { "no" });
    println!("  {}", first.trace);

    let explored = Sim::explore(0..SEEDS, |sim| assert!(pay_twice(sim, true).0 <= BALANCE));
    println!(
        "\nMended, with the whole payment in one lane: {} runs, {} schedules, no race.",
        explored.runs, explored.schedules
    );
    Ok(())
}

fn run(seed: u64, mended: bool) -> Run {
    let sim = Sim::new(seed);
    let (paid, steps) = pay_twice(&sim, mended);
    Run { paid, steps, trace: sim.trace() }
}

/// Two payments of 80. What was paid, and the steps.
fn pay_twice(sim: &Sim, mended: bool) -> (u32, Vec<String>) {
    let account: Shared = Arc::new(Mutex::new(Account { balance: BALANCE, ..Account::default() }));
    // One lane is one payment at a time.
    let lanes = if mended { 1 } else { 4 };
    let worker = sim.start(WorkerConfig::new().lanes(lanes).drivers(lanes)).expect("valid settings");
    let (rent, food) = (pay(&worker, sim, &account, "rent"), pay(&worker, sim, &account, "food"));
    sim.block_on(async { (rent.await, food.await) });
    let account = std::mem::take(&mut *account.lock().unwrap_or_else(PoisonError::into_inner));
    (account.paid, account.steps)
}

/// Submits a payment of 80, which is made at some time within the next 200 ms, as the seed decides.
fn pay(worker: &Worker, sim: &Sim, account: &Shared, what: &'static str) -> Handle<()> {
    let (account, after) = (account.clone(), Duration::from_millis(sim.random(200)));
    let job = Job::task_with(move |cx| async move {
        cx.sleep(after).await;
        let seen = step(&cx, &account, what, |account| (account.balance, format!("sees {}", account.balance)));
        if seen < 80 {
            return;
        }
        cx.sleep(Duration::from_millis(10)).await; // the bank
        step(&cx, &account, what, |account| {
            account.balance = seen - 80;
            account.paid += 80;
            ((), format!("pays 80, and leaves {}", account.balance))
        });
    });
    worker.try_submit(job.name(what)).expect("an empty queue")
}

fn step<T>(cx: &JobContext, account: &Shared, who: &str, take: impl FnOnce(&mut Account) -> (T, String)) -> T {
    let mut account = account.lock().unwrap_or_else(PoisonError::into_inner);
    let (value, what) = take(&mut account);
    let millis = cx.now().as_nanos() / 1_000_000;
    account.steps.push(format!("{millis:>4} ms  {who} {what}"));
    value
}

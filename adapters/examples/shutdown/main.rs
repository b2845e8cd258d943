//! How a service ends: Ctrl-C lets what runs finish, a second Ctrl-C or the limit cuts it off, and the report says what became of everything.
//!
//! ```sh
//! cargo run -p countermand --example shutdown --features runtime-tokio,runtime-smol,runtime-blocking -- --host smol
//! ```

mod args;
mod host;
mod table;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use clap::Parser as _;
use countermand::{Job, Priority, Report, Shutdown, Token, Worker, WorkerConfig};

use crate::args::Args;
use crate::host::Host;
use crate::table::Table;

/// How often the table is drawn anew.
const FRAME: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::from(130), // as after every Ctrl-C
        Err(error) => {
            eprintln!("shutdown: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let (asked, asks) = channel();
    ctrlc::set_handler(move || {
        let _ = asked.send(()); // nobody asks any more once it is over
    })?;
    let host = Host::new(args.host)?;
    let lanes = args.polite + args.stubborn;
    let worker = host.start(WorkerConfig::new().name("service").lanes(lanes).capacity((lanes + args.queued).max(1)))?;
    let table = Table::new(&worker);
    let closing = Token::new();
    let started = submit(&worker, args, &closing)?;

    if watch(&asks, &table, || started.load(Ordering::SeqCst) == lanes) == Watched::So {
        table.say("ready: press Ctrl-C to let the jobs finish, and once more to cut them off");
        watch(&asks, &table, || false);
    }
    drop(worker.shutdown(Shutdown::DrainFor(args.limit)));
    closing.cancel();
    table.say(&format!("draining, for at most {:?}", args.limit));
    // Over when it is over; a second request makes it an abort.
    let over = worker.clone();
    let (ended, end) = channel();
    std::thread::spawn(move || drop(ended.send(over.shutdown_blocking(Shutdown::Drain))));
    let mut left = usize::MAX;
    let report = loop {
        match end.recv_timeout(FRAME) {
            Ok(report) => break report?,
            Err(RecvTimeoutError::Disconnected) => return Err("the shutdown has no report".into()),
            Err(RecvTimeoutError::Timeout) => {}
        }
        table.draw();
        let now = worker.queued() + worker.running();
        if now != left {
            left = now;
            table.say(&format!("{left} left"));
        }
        if asks.try_recv().is_ok() {
            table.say("cutting them off");
            drop(worker.shutdown(Shutdown::Abort));
        }
    };
    table.clear();
    tell(&report);
    Ok(())
}

/// What ended a watch.
#[derive(PartialEq)]
enum Watched {
    Asked,
    So,
}

/// Draws until it is so, or somebody asks for the end.
fn watch(asks: &Receiver<()>, table: &Table, so: impl Fn() -> bool) -> Watched {
    loop {
        table.draw();
        match asks.recv_timeout(FRAME) {
            Ok(()) => return Watched::Asked,
            Err(_) if so() => return Watched::So,
            Err(_) => {}
        }
    }
}

/// Polite jobs end soon after the service is told to; stubborn ones never do; queued ones wait for a lane. How many have started.
fn submit(worker: &Worker, args: &Args, closing: &Token) -> Result<Arc<AtomicUsize>, Box<dyn Error>> {
    let started = Arc::new(AtomicUsize::new(0));
    for number in 1..=args.polite {
        let (started, closing) = (started.clone(), closing.clone());
        let job = Job::task_with(move |cx| async move {
            started.fetch_add(1, Ordering::SeqCst);
            closing.cancelled().await;
            cx.sleep(Duration::from_millis(200) * number as u32).await; // what it has begun
        });
        drop(worker.try_submit(job.name(format!("polite {number}")).priority(Priority::High))?);
    }
    for number in 1..=args.stubborn {
        let started = started.clone();
        let job = Job::task_with(move |cx| async move {
            started.fetch_add(1, Ordering::SeqCst);
            let mut ticks = cx.interval(Duration::from_millis(50));
            loop {
                ticks.tick().await;
            }
        });
        drop(worker.try_submit(job.name(format!("stubborn {number}")))?);
    }
    for number in 1..=args.queued {
        let job = Job::task_with(|cx| async move { cx.sleep(Duration::from_millis(100)).await });
        drop(worker.try_submit(job.name(format!("queued {number}")).priority(Priority::Low))?);
    }
    Ok(started)
}

fn tell(report: &Report) {
    let counts = &report.counts;
    println!("{} accepted: {} completed, {} cancelled", counts.accepted, counts.completed, counts.cancelled);
    let mut cut_off: Vec<&str> = report.cut_off.iter().map(|job| &*job.name).collect();
    cut_off.sort_unstable();
    println!("cut off: {}", if cut_off.is_empty() { String::from("nobody") } else { cut_off.join(", ") });
    println!("the books balance: {}", if counts.balances() { "yes" } else { "no" });
}

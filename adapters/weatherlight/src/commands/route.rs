//! `route`: routes a recording that ends, and prints what went where and the ledger.

use std::collections::VecDeque;
use std::io::{Write as _, stderr, stdout};
use std::path::{Path, PathBuf};
use std::time::Duration;

use countermand::config::Environment;
use countermand::{Job, JobContext, Ledger, Payload, Router, Shutdown, Sink, Source, Stream, Worker, WorkerConfig};
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::alarms::Alarms;
use crate::args::{RouteArgs, Show};
use crate::body::Body;
use crate::figures;
use crate::house::{HostName, House};
use crate::intake::{Clerk, Taken};
use crate::progress::Progress;
use crate::recording::{self, Stuck};
use crate::routing::{self, DEAD_LETTERS, EMERGENCY, NORMAL};
use crate::setup::Setup;
use crate::sift::Sift;
use crate::status::{BAD, FAILED, GOOD, Status, Trouble};
use crate::store::Store;
use crate::tally::{Memory, Tally};

/// How many packets are on their way at a time: fewer than there is room for, so that none is shed.
const WINDOW: usize = 1_024;

/// How long the end waits for what is on its way.
const PATIENCE: Duration = Duration::from_secs(60);

/// A line or packet of a file that is no packet.
struct Bad {
    file: PathBuf,
    fault: String,
}

/// Routes the files, in memory or, if a journal is named, into that.
pub(crate) fn route(args: &RouteArgs, environment: &Environment) -> Status {
    let mut setup = Setup::load(&args.config, environment).map_err(Trouble::Bad)?;
    // Whatever is set up: a recording is routed whole, and slower than it is read.
    let own = &mut setup.config.weatherlight;
    for room in [&mut own.room_low, &mut own.room_normal, &mut own.room_high, &mut own.room_critical] {
        *room = (*room).max(4 * WINDOW as u32);
    }
    own.room_mebibytes = own.room_mebibytes.max((own.packet_kibibytes / 1_024 + 1) * WINDOW as u32);
    let house = House::new(HostName::Threads).map_err(Trouble::Failed)?;
    let worker = house.start(WorkerConfig::new().name("route").lanes(4).drivers(1)).map_err(Trouble::Failed)?;
    let router = routing::router(&setup.config.weatherlight, &setup.config.telemetry).map_err(Trouble::Bad)?;
    let tally = Tally::default();
    // Without being asked to keep anything it keeps nothing: a first look leaves no file behind.
    let kept = args.config.journal.is_some() || !args.config.config.is_empty();
    match kept.then(|| Store::open(setup.journal(), &setup.config)).transpose().map_err(Trouble::Failed)? {
        None => {
            for (name, place) in outlets() {
                serve(&worker, &router, name, tally.before(place, Memory))?;
            }
        }
        Some((Store { journal }, recovery)) => {
            if !recovery.is_clean() {
                writeln!(stderr(), "weatherlight: {}: {recovery}", setup.journal().display())?;
            }
            for (name, place) in outlets() {
                match name {
                    DEAD_LETTERS => serve(&worker, &router, name, tally.before(place, journal.dead_letter_sink()))?,
                    _ => serve(&worker, &router, name, tally.before(place, journal.sink(name)))?,
                }
            }
        }
    }
    let clerk = Clerk { router: router.clone(), limits: setup.limits(), alarms: Alarms::default() };
    let read = read(args, &clerk);
    router.close();
    let report = worker.shutdown_blocking(Shutdown::DrainFor(PATIENCE));
    report.map_err(|error| Trouble::Failed(error.to_string()))?;
    let bad = read?;
    let ledger = router.ledger();
    print(args.format, &tally, &bad, &ledger)?;
    let all_kept = ledger.pending.iter().sum::<u64>() == 0
        && [ledger.shed, ledger.expired].iter().flatten().all(|count| *count == 0);
    Ok(match (bad.is_empty(), ledger.balances() && all_kept) {
        (_, false) => FAILED,
        (false, true) => BAD,
        (true, true) => GOOD,
    })
}

/// The names of the outlets, and what is said of where they lead.
const fn outlets() -> [(&'static str, &'static str); 3] {
    [(EMERGENCY, Stream::Emergency.name()), (NORMAL, Stream::Normal.name()), (DEAD_LETTERS, "dead letters")]
}

fn serve<S>(worker: &Worker, router: &Router<Body>, name: &'static str, sink: S) -> Result<(), Trouble>
where
    S: Sink<Payload, Delivery: Send + 'static> + Send + 'static,
{
    let outlet = router.outlet(name).ok_or_else(|| Trouble::Failed(format!("{name} is served already")))?;
    let job = Job::task_with(move |cx: JobContext| async move {
        outlet.run(cx, Sift::before(sink)).await;
    });
    match worker.try_submit(job.name(name)) {
        Ok(handle) => {
            drop(handle);
            Ok(())
        }
        Err(rejected) => Err(Trouble::Failed(rejected.to_string())),
    }
}

/// Reads all files into the router, and tells of what is no packet as soon as it is known.
fn read(args: &RouteArgs, clerk: &Clerk) -> Result<Vec<Bad>, Trouble> {
    let progress = Progress::over(&args.files);
    let mut bad = Vec::new();
    let mut open = VecDeque::new();
    for path in &args.files {
        let from = Source::of(path.display());
        let done = recording::read(path, args.input, clerk.limits.bytes, &progress, |format, frame| {
            let taken = match frame {
                Ok((number, bytes)) => clerk.take(format, number, bytes, from),
                Err(error) => clerk.broken(format, &error, from),
            };
            if let Some(fault) = &taken.fault {
                progress.tell(format_args!("{}: {fault}", path.display()))?;
                bad.push(Bad { file: path.clone(), fault: fault.clone() });
            }
            open.push_back(taken);
            if open.len() >= WINDOW {
                settle(&mut open, WINDOW / 2);
            }
            Ok(())
        });
        match done {
            Ok(()) => {}
            Err(Stuck::Unreadable(path, error)) => {
                let fault = format!("it cannot be read: {error}");
                progress.tell(format_args!("{}: {fault}", path.display()))?;
                bad.push(Bad { file: path, fault });
            }
            Err(Stuck::Enough(error)) => return Err(Trouble::Said(error)),
        }
    }
    settle(&mut open, 0);
    Ok(bad)
}

/// Waits until no more than `most` are on their way.
fn settle(open: &mut VecDeque<Taken>, most: usize) {
    while open.len() > most {
        if let Some(taken) = open.pop_front() {
            block_on(taken);
        }
    }
}

fn print(format: Show, tally: &Tally, bad: &[Bad], ledger: &Ledger) -> std::io::Result<()> {
    let mut out = stdout().lock();
    let counts = tally.counts();
    match format {
        Show::Json => {
            let went = counts.iter().map(|((place, priority, source), packets)| {
                json!({ "to": place, "priority": priority.name(), "source": source.as_str(), "packets": packets })
            });
            let bad = bad.iter().map(|Bad { file, fault }| json!({ "file": shown(file), "fault": fault }));
            let report = json!({
                "went": went.collect::<Value>(),
                "bad": bad.collect::<Value>(),
                "ledger": figures::ledger(ledger),
            });
            writeln!(out, "{report}")
        }
        Show::Table => {
            let mut table = figures::plain(["to", "priority", "source", "packets"]);
            for ((place, priority, source), packets) in &counts {
                // A source is what a sender says of itself.
                let source: String = source.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
                table.add_row([(*place).to_owned(), priority.name().to_owned(), source, packets.to_string()]);
            }
            figures::right(&mut table, 3);
            writeln!(out, "{table}\n\n{}", figures::table(&figures::ledger(ledger)["by_priority"]))?;
            if !bad.is_empty() {
                writeln!(out, "\n{} that are no packets are dead letters", bad.len())?;
            }
            writeln!(out, "{}", if ledger.balances() { "the ledger balances" } else { "THE LEDGER DOES NOT BALANCE" })
        }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

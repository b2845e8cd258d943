//! `sha256sum` of a whole tree, as jobs of a worker on the host of your choice.
//!
//! What it shows of the library: blocking calls with names, priorities and a time-out; an abort for Ctrl-C;
//! an observer that draws progress; a program that is the same on every host but for the lines that start it.
//!
//! ```sh
//! cargo run --release -p countermand --example checksum --features runtime-tokio,runtime-smol,runtime-blocking -- --host smol DIR
//! ```

mod args;
mod digest;
mod jobs;
mod line;
mod progress;
mod report;
mod tree;

use std::error::Error;
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use clap::Parser as _;
use countermand::{Blocking, Cause, Discipline, Shutdown, Smol, Token, Tokio, Worker, WorkerConfig};

use crate::args::{Args, Runtime};
use crate::progress::Progress;
use crate::report::report;
use crate::tree::walk;

/// Nothing could be begun.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    run(&Args::parse()).unwrap_or_else(|error| {
        eprint!("checksum: {error}");
        let mut reason = error.source();
        while let Some(deeper) = reason {
            eprint!(": {deeper}");
            reason = deeper.source();
        }
        eprintln!();
        UNUSABLE.into()
    })
}

fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let stop = Token::new();
    let interrupt = stop.clone();
    ctrlc::set_handler(move || {
        if !interrupt.cancel_with(Cause::REQUESTED.with_text("interrupted")) {
            std::process::exit(130); // asked a second time
        }
    })?;

    let kind = args.root.symlink_metadata().map_err(|error| format!("{}: {error}", args.root.display()))?.file_type();
    if !kind.is_dir() && !kind.is_file() {
        return Err(format!("{}: neither a directory nor a regular file", args.root.display()).into());
    }
    let found = walk(&args.root, &stop);
    let progress = Arc::new(Progress::new(found.files.len(), args.verbose));
    let lanes = args.jobs.unwrap_or_else(|| processors().get());
    let config = WorkerConfig::new()
        .name("checksum")
        .lanes(lanes)
        .discipline(Discipline::Strict) // small files first, all of them: nothing is submitted for ever
        .observer(progress.clone());
    let settled =
        on_host(args.host, config, |worker| jobs::checksums(worker, found.files, args.timeout, &progress, &stop))?;
    progress.clear();
    let unseen = found.cut_short.then_some(&*args.root);
    Ok(report(settled, found.unreadable, unseen, stop.is_cancelled())?)
}

fn processors() -> NonZero<usize> {
    thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

/// Starts a worker on the host that was asked for, and lends it to `work`.
fn on_host<R>(host: Runtime, config: WorkerConfig, work: impl FnOnce(&Worker) -> R) -> Result<R, Box<dyn Error>> {
    match host {
        Runtime::Tokio => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build()?;
            let result = lend(&Tokio::from_handle(runtime.handle().clone()).start(config)?, work);
            runtime.shutdown_background(); // a read that does not come back must not keep the program
            result
        }
        Runtime::Smol => lend(&Smol::with_threads(processors())?.start(config)?, work),
        Runtime::Blocking => lend(&Blocking::new().start(config)?, work),
    }
}

/// Lends `worker` to `work`, and shuts it down after.
fn lend<R>(worker: &Worker, work: impl FnOnce(&Worker) -> R) -> Result<R, Box<dyn Error>> {
    let result = work(worker);
    worker.shutdown_blocking(Shutdown::AbortWithin(jobs::GRACE))?;
    Ok(result)
}

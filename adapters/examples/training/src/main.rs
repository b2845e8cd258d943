//! A training run of three services on one worker, reporting into `weatherlight`.
//!
//! Tolaria trains. In each epoch it asks Tamiyo for a decision, which is worth nothing after 5 ms, and has Kasmina fetch kernels ahead, each for a
//! training run that must be named. All that they do are jobs of one worker; what they may do without, and how long things may take, stands
//! in `training.toml`. A decision comes too late, a kernel too, a command is replayed, a prefetch is for no run, the loss explodes, and
//! everything is stopped: all of that is told to the supervisor, which is a process of its own, and the play ends with what stands in its streams.
//!
//! ```sh
//! cargo run -p training -- --host smol
//! ```
//!
//! It is the same on every host and every machine, down to the last packet: the worker's clock is moved by the play (see `clock`), and what must be slow
//! waits at a gate (see `gate`). So five milliseconds are five milliseconds, however busy the machine is.

mod args;
mod clock;
mod gate;
mod house;
mod kasmina;
mod ledger;
mod play;
mod reports;
mod service;
mod socket;
mod story;
mod supervisor;
mod tamiyo;
mod telemetry;
mod tolaria;

use std::process::ExitCode;

use clap::Parser as _;
use countermand::config::Environment;

use crate::args::Args;

/// The ledger does not balance, or the supervisor did not end well.
const FAILED: u8 = 1;
/// The configuration or the call is wrong, or something could not be begun.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    // The supervisor is this program too: so there is no other to look for.
    let mut arguments = std::env::args_os().skip(1).peekable();
    if arguments.peek().is_some_and(|first| first == "weatherlight") {
        return weatherlight::run(arguments, &Environment::empty()).into();
    }
    match play::run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => FAILED.into(),
        Err(error) => {
            eprintln!("training: {error}");
            UNUSABLE.into()
        }
    }
}

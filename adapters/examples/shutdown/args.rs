//! What the command line may say.

use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Runs jobs until Ctrl-C, and shows how they end.
///
/// The first Ctrl-C lets them finish, for a limited time; the second cuts them off. The exit status is 130, as after every Ctrl-C, or 2 if
/// nothing could be begun.
#[derive(Debug, Parser)]
#[command(name = "shutdown", version)]
pub(crate) struct Args {
    /// Where the jobs run.
    #[arg(long, value_enum, default_value_t = HostName::Tokio)]
    pub(crate) host: HostName,

    /// How many jobs end when they are told to.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) polite: usize,

    /// How many never do.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) stubborn: usize,

    /// How many more wait in the queue.
    #[arg(long, value_name = "N", default_value_t = 6)]
    pub(crate) queued: usize,

    /// How long they may take to finish.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "1min")]
    pub(crate) limit: Duration,
}

/// The hosts that there are.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum HostName {
    /// A multi-thread runtime of tokio's.
    Tokio,
    /// smol's executor, on threads of its own.
    Smol,
    /// Plain threads, no runtime.
    Blocking,
}

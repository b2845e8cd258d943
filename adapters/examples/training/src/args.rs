//! What the command line may say.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Plays a training run of three services on one worker, and shows what the supervisor was told.
///
/// The exit status is 0 if the ledger balances, 1 if it does not, and 2 if nothing could be begun.
#[derive(Debug, Parser)]
#[command(name = "training", version)]
pub(crate) struct Args {
    /// Where the jobs run.
    #[arg(long, value_enum, default_value_t = HostName::Tokio)]
    pub(crate) host: HostName,

    /// The configuration [default: the one that comes with the example].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Where the supervisor keeps its journal and listens [default: a directory that is removed at the end].
    #[arg(long, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
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

//! What the command line may say.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Prints the SHA-256 of every regular file below a directory, in the format of `sha256sum`, sorted by path.
///
/// Symbolic links are not followed. The exit status is 0 if every file was read, 1 if not, 2 if nothing could be begun,
/// and 130 after Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "checksum", version)]
pub(crate) struct Args {
    /// Where the jobs run.
    #[arg(long, value_enum, default_value_t = Runtime::Tokio)]
    pub(crate) host: Runtime,

    /// How many files are read at once [default: as many as the machine has processors].
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,

    /// How long the reading of one file may take, such as 5s or 2min [default: as long as it takes].
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Option<Duration>,

    /// Name each file on the error output when its reading starts.
    #[arg(long, short)]
    pub(crate) verbose: bool,

    /// The directory; a single file will do.
    #[arg(value_name = "DIR")]
    pub(crate) root: PathBuf,
}

/// The hosts this program was built with.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Runtime {
    /// Tasks and the blocking pool of a tokio runtime.
    Tokio,
    /// smol's executor, and threads for the blocking calls.
    Smol,
    /// Plain threads, no runtime.
    Blocking,
}

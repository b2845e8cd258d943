//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::house::HostName;
use crate::voice::LogFormat;

/// What is said of the exit status at the end of every help.
const EXIT_STATUS: &str = "\
Exit status:
  0  everything is as it should be
  1  it could not be done: not everything was taken, something is damaged, a ledger does not balance
  2  the input, the configuration or the call is wrong, and what is wrong was said";

/// Takes telemetry packets in, routes them by priority, and keeps them.
#[derive(Debug, Parser)]
#[command(name = "weatherlight", version, after_help = EXIT_STATUS)]
pub(crate) struct Weatherlight {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// What the log on standard error is written in.
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(crate) log_format: LogFormat,
}

/// What there is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Takes packets in until it is told to end (SIGTERM, SIGINT), and then keeps what was taken in. SIGHUP has it load its configuration again.
    #[command(after_help = EXIT_STATUS)]
    Run(RunArgs),
    /// Routes a recording that ends, and prints what went where and the ledger.
    #[command(after_help = EXIT_STATUS)]
    Route(RouteArgs),
    /// Sends packets to a supervisor that runs, and waits until each is kept.
    #[command(after_help = EXIT_STATUS)]
    Send(SendArgs),
    /// Gives back what is kept, each packet as it came in.
    #[command(after_help = EXIT_STATUS)]
    Tail(TailArgs),
    /// Shows what became of all packets.
    #[command(after_help = EXIT_STATUS)]
    Ledger(LedgerArgs),
    /// Looks after the packets that nobody would have.
    #[command(after_help = EXIT_STATUS)]
    Deadletter(DeadletterArgs),
    /// Looks through a journal for damage.
    #[command(after_help = EXIT_STATUS)]
    Verify {
        /// The journal.
        #[arg(value_name = "FILE")]
        journal: PathBuf,
    },
    /// Looks at, explains and writes out the configuration.
    #[command(disable_help_flag = true)]
    Config {
        /// What the command `config` is told.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
        arguments: Vec<OsString>,
    },
    /// Prints completions for a shell.
    Completions {
        /// Which one.
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Prints the manual page.
    Man,
}

/// Where the configuration comes from.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ConfigArgs {
    /// Files ending in .toml or .json, later ones over earlier ones.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Vec<PathBuf>,
    /// A value over all others, as in weatherlight.packet_kibibytes=64.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// As this subsystem has it.
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) subsystem: Option<String>,
    /// The journal, over weatherlight.journal.
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// The Unix socket, over weatherlight.socket.
    #[arg(long, value_name = "FILE")]
    pub(crate) socket: Option<PathBuf>,
}

/// How packets lie in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Input {
    /// Length-prefixed protobuf in files ending in .pb, .bin or .protobuf; else JSON lines.
    #[default]
    Auto,
    /// One packet of protobuf-JSON a line.
    Json,
    /// Packets of protobuf, each after its length.
    Protobuf,
}

/// How something is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Show {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// What `run` is told.
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// What it runs on.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) host: HostName,
    /// What is read from standard input, and answered on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) stdin: Stdin,
    /// Ends when standard input ends.
    #[arg(long)]
    pub(crate) until_eof: bool,
}

/// What is read from standard input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stdin {
    /// Nothing.
    #[default]
    None,
    /// One packet of protobuf-JSON a line.
    Json,
    /// Packets of protobuf, each after its length.
    Protobuf,
}

/// What `route` is told.
#[derive(Args, Debug)]
pub(crate) struct RouteArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// How the result is shown.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Show,
    /// How packets lie in the files.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) input: Input,
    /// Recordings; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// What `send` is told.
#[derive(Args, Debug)]
pub(crate) struct SendArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Over TCP, to this address, with the configured secret; else over the Unix socket.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) tcp: Option<std::net::SocketAddr>,
    /// How packets lie in the files.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) input: Input,
    /// Recordings; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// A stream of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StreamName {
    /// Of all that is not CRITICAL.
    Normal,
    /// Of what is CRITICAL.
    Emergency,
}

/// What `tail` is told.
#[derive(Args, Debug)]
pub(crate) struct TailArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Which stream; both, one after the other, if it is not said.
    #[arg(long, value_enum)]
    pub(crate) stream: Option<StreamName>,
    /// Goes on with what comes, from a supervisor that runs.
    #[arg(long, requires = "stream")]
    pub(crate) follow: bool,
    /// Gives packets that came in protobuf as lines of JSON too.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `ledger` is told.
#[derive(Args, Debug)]
pub(crate) struct LedgerArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// How it is shown.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Show,
}

/// What `deadletter` is told.
#[derive(Args, Debug)]
pub(crate) struct DeadletterArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    #[command(subcommand)]
    pub(crate) command: Deadletter,
}

/// What there is to do with dead letters.
#[derive(Debug, Subcommand)]
pub(crate) enum Deadletter {
    /// Lists them, with the reason of each.
    List {
        /// How they are shown.
        #[arg(long, value_enum, default_value_t)]
        format: Show,
    },
    /// Gives one back as it came in.
    Show {
        /// Its number in the list.
        number: u64,
    },
    /// Gives them to the router once more; what it keeps is no dead letter any more.
    Replay(Which),
    /// Throws them away.
    Purge(Which),
}

/// Which dead letters.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// Their numbers in the list.
    pub(crate) numbers: Vec<u64>,
    /// All of them.
    #[arg(long)]
    pub(crate) all: bool,
}

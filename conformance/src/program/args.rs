//! What the program can be asked.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::report::USUAL_BUDGET;
use crate::{script, soak};

/// What is said of the exit status at the end of every help.
const EXIT_STATUS: &str = "\
Exit status:
  0  all rules hold, nothing differs
  1  a rule is broken, traces, reports or books differ
  2  the suite, its surroundings or the call are at fault
  3  something stayed inconclusive, or nothing applied";

/// Checks the rules of the countermand contract on hosts.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = EXIT_STATUS)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Errand>,
    /// Only this host (may be repeated); a board under the emulator is examined only if it is named, as cortex-m3 and cortex-m0 are
    #[arg(long, value_name = "NAME")]
    pub(super) host: Vec<String>,
    /// Only this rule, such as J4 (may be repeated)
    #[arg(long, value_name = "ID")]
    pub(super) rule: Vec<String>,
    /// Only this group of rules, such as J (may be repeated)
    #[arg(long, value_name = "G")]
    pub(super) group: Vec<String>,
    /// Where everything random comes from [default: the time]
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Roughly how long all of it may take on two cores; more time, more runs of what races
    #[arg(long, value_name = "SECONDS", default_value_t = USUAL_BUDGET, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(super) budget: u64,
    /// List hosts and rules, and examine nothing
    #[arg(long)]
    pub(super) list: bool,
    /// Say what a rule says and how it is examined
    #[arg(long, value_name = "ID")]
    pub(super) explain: Option<String>,
    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
    /// Write the report to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Play so many random gated scripts on every host, and compare their traces event by event
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1000",
          conflicts_with_all = ["mutants", "format", "rule", "group", "budget"])]
    pub(super) scripts: Option<u64>,
    /// Of each script, play only the steps at these places, such as 0,3,7
    #[arg(long, value_name = "PLACES", requires = "scripts", default_value = "", hide_default_value = true)]
    pub(super) keep: script::Keep,
    /// Switch this defect on, on every host but the reference; only a build with mutants has any
    #[arg(long, value_name = "NAME", requires = "scripts", default_value = "", hide = true)]
    pub(super) mutant: String,
    /// Plant one defect at a time, in the core or in a host, and show which rule sees it
    #[arg(long)]
    pub(super) mutants: bool,
    /// Of these defects, only those of hosts: each breaks one promise of a host, and the rules must see it
    #[arg(long, conflicts_with_all = ["mutants", "scripts"])]
    pub(super) lying_hosts: bool,
    /// Of each rule about a race, show how many rounds it takes to see its mutants, and that the ordinary run makes enough
    #[arg(long, conflicts_with_all = ["mutants", "lying_hosts", "scripts"])]
    pub(super) power: bool,
    /// Put the kill table that --mutants --format json wrote into the HTML report
    #[arg(long, value_name = "FILE", conflicts_with_all = ["mutants", "lying_hosts", "scripts", "power"])]
    pub(super) kills: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Errand {
    /// Run very many jobs of every kind on each host, and audit the books
    ///
    /// Each host has a process of its own. What each job and each handle saw is compared with the worker's own counts and metrics; memory
    /// must be flat; threads, files, alarms, wakers and the heap must be what they were; and then come storms.
    #[command(after_help = EXIT_STATUS)]
    Soak(soak::Args),
    /// Compare two reports that were written with --format json
    #[command(after_help = EXIT_STATUS)]
    Compare {
        /// The one before
        old: PathBuf,
        /// The one now
        new: PathBuf,
    },
    /// Print completions for a shell
    #[command(after_help = EXIT_STATUS)]
    Completions {
        /// Which one
        #[arg(value_enum)]
        shell: Shell,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Format {
    Table,
    Json,
    Junit,
    Html,
}

//! The program: what is asked for on its command line, and in which order it is done.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use clap::{Parser, ValueEnum};

use crate::curves::Drawn;
use crate::question::Question;
use crate::report::soak::Soak;
use crate::report::table::Style;
use crate::report::{document, json, table};
use crate::rounds::{self, Effort};
use crate::{curves, instructions, questions};

/// What is said of the exit status at the end of the help.
const EXIT_STATUS: &str = "\
Exit status:
  0  everything was measured, and a check holds
  1  something could not be done, or a path costs more than what is recorded
  2  the call is wrong";

/// Times countermand against what people would use otherwise, all in one run.
#[derive(Debug, Parser)]
#[command(name = "countermand-benches", version, after_help = EXIT_STATUS)]
struct Args {
    /// Fewer and shorter rounds, and curves that end earlier: for a look
    #[arg(long)]
    quick: bool,
    /// Only this question, such as J1; may be given several times
    #[arg(long = "question", value_name = "Q", value_parser = question)]
    questions: Vec<&'static Question>,
    /// How the figures are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Draws the curves into this directory, as SVG; the questions are then asked only with --question or --results
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Writes the figures into this file, as Markdown, too
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Puts into that file what a soak of the conformance suite wrote with --format json, too
    #[arg(long, value_name = "FILE", requires = "results")]
    soak: Option<PathBuf>,
    /// Counts the instructions of the core's paths, with valgrind, instead of asking the questions
    #[arg(long, conflicts_with_all = ["questions", "plots", "results"])]
    instructions: bool,
    /// Fails if a path costs a tenth more than what is recorded
    #[arg(long, requires = "instructions")]
    check: bool,
    /// Records what was counted
    #[arg(long, requires = "instructions", conflicts_with = "check")]
    record: bool,
    /// Counts this instead: a path, or a case of a question, as QUESTION/GROUP/CASE
    #[arg(long, requires = "instructions", value_name = "PATH", conflicts_with_all = ["check", "record"])]
    only: Vec<String>,
    /// Runs one path so many times, or one case so many rounds; what valgrind is given to run
    #[arg(long, hide = true, num_args = 2, value_names = ["PATH", "TIMES"])]
    walk: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

fn question(id: &str) -> Result<&'static Question, String> {
    questions::named(id).ok_or_else(|| {
        let known: Vec<_> = questions::ALL.iter().map(|question| question.id).collect();
        format!("there is no such question; there are {}", known.join(", "))
    })
}

/// Does what the command line asks for, and fails if a check does.
pub fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<bool, Box<dyn Error>> {
    if let Some([path, times]) = args.walk.as_deref() {
        instructions::walk(path, times)?;
        return Ok(true);
    }
    if args.instructions && !args.only.is_empty() {
        instructions::count_only(&args.only)?;
        return Ok(true);
    }
    if args.instructions {
        let what = match (args.check, args.record) {
            (true, _) => instructions::What::Check,
            (_, true) => instructions::What::Record,
            _ => instructions::What::Show,
        };
        return instructions::count(what, args.format == Format::Json);
    }
    if cfg!(debug_assertions) {
        eprintln!("warning: this build is not optimized, and its figures mean nothing; use --release");
    }
    // Read first: who named the wrong file does not wait to hear of it.
    let soak = args.soak.as_deref().map(Soak::read).transpose()?;
    let mut drawn = Vec::new();
    if let Some(plots) = &args.plots {
        drawn = curves::draw_all(plots, args.quick)?;
    }
    if args.format == Format::Table {
        drawn.iter().for_each(|drawn| println!("{}", table::curve(drawn, Style::Terminal)));
    }
    // Who asks for plots alone does not wait for the questions.
    if args.plots.is_none() || args.results.is_some() || !args.questions.is_empty() {
        ask(args, &drawn, soak.as_ref())?;
    }
    Ok(true)
}

fn ask(args: &Args, drawn: &[Drawn], soak: Option<&Soak>) -> Result<(), Box<dyn Error>> {
    let effort = if args.quick { Effort::QUICK } else { Effort::WHOLE };
    let asked = if args.questions.is_empty() { &questions::ALL[..] } else { &args.questions[..] };
    let mut answers = Vec::with_capacity(asked.len());
    let mut out = io::stdout();
    for (at, question) in asked.iter().enumerate() {
        eprintln!("{}/{} {}: {} …", at + 1, asked.len(), question.id, question.title);
        let answer = rounds::measure(question, effort);
        if args.format == Format::Table {
            writeln!(out, "{}", table::of(&answer, Style::Terminal))?;
        }
        answers.push(answer);
    }
    match args.format {
        Format::Table => writeln!(out, "{}", table::goals(&answers, Style::Terminal))?,
        Format::Json => {
            let cases: Vec<_> = answers.iter().flat_map(json::of).collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&cases)?)?;
        }
    }
    if let Some(file) = &args.results {
        let beside = file.parent().unwrap_or(Path::new(""));
        let text = document::of(&answers, drawn, soak, effort, &command(), beside);
        fs::write(file, text).map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
        eprintln!("written: {}", file.display());
    }
    Ok(())
}

/// How to do the same again.
fn command() -> String {
    let arguments: Vec<String> = env::args().skip(1).collect();
    format!("cargo run --release -p countermand-benches -- {}", arguments.join(" ")).trim_end().to_owned()
}

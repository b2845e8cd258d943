//! The command `config`, for a program of its own or as a subcommand of another.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::environment::Environment;
use crate::export::Export;
use crate::format::Format;
use crate::listing::Listing;
use crate::loaded::Loaded;
use crate::loader::Loader;
use crate::schema::schema;
use crate::template::template;

/// What the command says if everything is right.
const GOOD: u8 = 0;
/// What it says if the input, or how it was called, is not.
const BAD: u8 = 2;

/// What is said of the exit status at the end of every help.
const EXIT_STATUS: &str = "\
Exit status:
  0  everything is right
  2  the input or the call is wrong, and what is wrong was said; or the output could not be written";

/// Looks at, explains and writes out the configuration of a countermand service.
#[derive(Debug, Parser)]
#[command(name = "config", version, after_help = EXIT_STATUS)]
struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Loads files and variables as a service does, and says everything that is wrong with them.
    #[command(after_help = EXIT_STATUS)]
    Check {
        #[command(flatten)]
        input: Input,
    },
    /// Shows every value that is in force.
    #[command(after_help = EXIT_STATUS)]
    Show {
        #[command(flatten)]
        input: Input,
        /// Where each value came from.
        #[arg(long)]
        origin: bool,
        /// What it is written in.
        #[arg(long, value_enum, default_value_t = Style::Toml)]
        format: Style,
        /// Secrets too. Look twice at where the output goes.
        #[arg(long)]
        reveal_secrets: bool,
    },
    /// Prints the JSON Schema (2020-12) of a configuration file, for editors and validators.
    #[command(after_help = EXIT_STATUS)]
    Schema,
    /// Prints a TOML file with every setting, its default, its meaning and its unit.
    #[command(after_help = EXIT_STATUS)]
    Init,
    /// Writes out what a training process applies of the torch section.
    #[command(after_help = EXIT_STATUS)]
    Export {
        #[command(flatten)]
        input: Input,
        /// What it is written as.
        #[arg(long, value_enum)]
        format: ExportStyle,
        /// As this subsystem has it.
        #[arg(long, value_name = "NAME")]
        subsystem: Option<String>,
    },
    /// Prints completions for a shell.
    #[command(after_help = EXIT_STATUS)]
    Completions {
        /// Which one.
        #[arg(value_enum)]
        shell: Shell,
    },
}

#[derive(Debug, Args)]
struct Input {
    /// Files ending in .toml or .json, later ones over earlier ones.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A value over all others, as in worker.lanes=8.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// A file with NAME=value lines, in the place of the variables of this process.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Refuse variables under their old names.
    #[arg(long)]
    strict: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Style {
    Toml,
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ExportStyle {
    Env,
    Json,
    Python,
}

/// Runs the command. `arguments` begin with the name it was called by; `environment` is used unless they name another; what was asked
/// for goes to `out`, what is wrong and what is deprecated to `err`.
///
/// # Returns
///
/// The exit status: 0 if everything is right, 2 if the input or the call is not, or the output cannot be written.
///
/// ```
/// use countermand_config::{Environment, run};
/// let (mut out, mut err) = (Vec::new(), Vec::new());
/// let status = run(["config", "check", "--set", "worker.lanes=0"], &Environment::empty(), &mut out, &mut err);
/// assert_eq!(status, 2);
/// assert!(String::from_utf8(err).unwrap().contains("worker.lanes: must be from 1 to"));
/// ```
pub fn run<A: Into<OsString> + Clone>(
    arguments: impl IntoIterator<Item = A>,
    environment: &Environment,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let done = match Config::try_parse_from(arguments) {
        Ok(config) => config.command.run(environment, out, err),
        Err(error) if error.use_stderr() => write!(err, "{error}").map(|()| BAD),
        Err(help) => write!(out, "{help}").map(|()| GOOD),
    };
    done.and_then(|status| out.flush().map(|()| status)).unwrap_or(BAD)
}

impl Command {
    fn run(&self, environment: &Environment, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
        let text = match self {
            Self::Schema => format!("{:#}\n", schema()),
            Self::Init => template(),
            Self::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(*shell, &mut Config::command(), "config", &mut script);
                String::from_utf8_lossy(&script).into_owned()
            }
            Self::Check { input } | Self::Show { input, .. } | Self::Export { input, .. } => {
                match input.load(environment, err)? {
                    Some(loaded) => self.text(&loaded),
                    None => return Ok(BAD),
                }
            }
        };
        out.write_all(text.as_bytes())?;
        Ok(GOOD)
    }

    /// What is asked of a configuration that is right.
    fn text(&self, loaded: &Loaded) -> String {
        match self {
            Self::Show { origin, format, reveal_secrets, .. } => {
                let listing = Listing { origins: *origin, reveal_secrets: *reveal_secrets };
                let format = match format {
                    Style::Toml => Format::Toml,
                    Style::Json => Format::Json,
                };
                listing.text(loaded, format)
            }
            Self::Export { format, subsystem, .. } => {
                let config = match subsystem {
                    Some(name) => loaded.config().for_subsystem(name),
                    None => loaded.config().clone(),
                };
                let export = match format {
                    ExportStyle::Env => Export::Env,
                    ExportStyle::Json => Export::Json,
                    ExportStyle::Python => Export::Python,
                };
                export.text(&config.torch)
            }
            Self::Check { .. } | Self::Schema | Self::Init | Self::Completions { .. } => {
                String::from("all of it is right\n")
            }
        }
    }
}

impl Input {
    /// The configuration, or nothing if what is wrong was told.
    fn load(&self, environment: &Environment, err: &mut dyn Write) -> io::Result<Option<Loaded>> {
        let environment = match &self.env_file {
            None => environment.clone(),
            Some(path) => match fs::read_to_string(path) {
                Ok(text) => Environment::from_text(&path.display().to_string(), &text),
                Err(error) => {
                    writeln!(err, "{}: it cannot be read: {error}", path.display())?;
                    return Ok(None);
                }
            },
        };
        let mut loader = Loader::new().environment(environment).strict(self.strict);
        for file in &self.files {
            loader = loader.file(file);
        }
        for set in &self.set {
            let Some((key, value)) = set.split_once('=') else {
                writeln!(err, "--set wants KEY=VALUE, as in worker.lanes=8")?;
                return Ok(None);
            };
            loader = loader.flag(key, value);
        }
        match loader.load() {
            Ok(loaded) => {
                for deprecation in loaded.deprecations() {
                    writeln!(err, "warning: {deprecation}")?;
                }
                Ok(Some(loaded))
            }
            Err(error) => {
                writeln!(err, "{error}")?;
                Ok(None)
            }
        }
    }
}

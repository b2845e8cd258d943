//! The program: what it was called with, what it does, what it says at the end.

use std::ffi::OsString;
use std::io::{self, Write, stderr, stdout};

use clap::{CommandFactory as _, Parser as _};
use clap_mangen::Man;
use countermand::config::Environment;

use crate::args::{Command, Weatherlight};
use crate::commands;
use crate::status::{BAD, FAILED, GOOD, Status, Trouble};

/// Runs the program. `arguments` begin with the name that it was called by.
///
/// # Returns
///
/// The exit status: 0 if everything is as it should be, 1 if something could not be done, 2 if the input, the configuration or the call is
/// wrong.
pub fn run<A: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = A>, environment: &Environment) -> u8 {
    let done = match Weatherlight::try_parse_from(arguments) {
        Ok(weatherlight) => dispatch(weatherlight, environment),
        Err(error) => error.print().map(|()| if error.use_stderr() { BAD } else { GOOD }).map_err(Trouble::Said),
    };
    match done {
        Ok(status) => status,
        // Whoever reads has had enough.
        Err(Trouble::Said(error)) if error.kind() == io::ErrorKind::BrokenPipe => GOOD,
        Err(trouble) => {
            let (status, text) = match trouble {
                Trouble::Bad(text) => (BAD, text),
                Trouble::Failed(text) => (FAILED, text),
                Trouble::Said(error) => (FAILED, format!("the output cannot be written: {error}")),
            };
            // Where this cannot be said there is nobody to tell.
            let _ = writeln!(stderr(), "weatherlight: {}", text.trim_end());
            status
        }
    }
}

fn dispatch(weatherlight: Weatherlight, environment: &Environment) -> Status {
    match weatherlight.command {
        Command::Run(args) => commands::run(&args, weatherlight.log_format, environment),
        Command::Route(args) => commands::route(&args, environment),
        Command::Send(args) => commands::send(&args, environment),
        Command::Tail(args) => commands::tail(&args, environment),
        Command::Ledger(args) => commands::ledger(&args, environment),
        Command::Deadletter(args) => commands::deadletter(&args, environment),
        Command::Verify { journal } => commands::verify(&journal),
        Command::Config { arguments } => {
            let arguments = [OsString::from("config")].into_iter().chain(arguments);
            Ok(countermand_config::run(arguments, environment, &mut stdout().lock(), &mut stderr().lock()))
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Weatherlight::command(), "weatherlight", &mut script);
            stdout().write_all(&script)?;
            Ok(GOOD)
        }
        Command::Man => {
            let mut page = Vec::new();
            Man::new(Weatherlight::command()).render(&mut page)?;
            stdout().write_all(&page)?;
            Ok(GOOD)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Weatherlight::command().debug_assert();
    }
}

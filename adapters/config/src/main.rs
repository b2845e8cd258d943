//! The program `config`: looks at, explains and writes out the configuration of a countermand service.

use std::io::{stderr, stdout};
use std::process::ExitCode;

use countermand_config::{Environment, run};

fn main() -> ExitCode {
    run(std::env::args_os(), &Environment::from_process(), &mut stdout().lock(), &mut stderr().lock()).into()
}

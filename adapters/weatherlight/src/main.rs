//! The program `weatherlight`: takes telemetry packets in, routes them by priority, keeps them durably.

use std::process::ExitCode;

use countermand::config::Environment;

fn main() -> ExitCode {
    weatherlight::run(std::env::args_os(), &Environment::from_process()).into()
}

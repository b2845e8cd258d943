//! The signals that the program hears: SIGTERM and SIGINT are its end, SIGHUP has it load its configuration again.

use std::io::{self, Write as _, stderr};
use std::os::unix::net::UnixStream;
use std::thread;

use countermand::{Cause, Token};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::pipe;

use crate::status::FAILED;

/// See the head of the file.
#[derive(Debug)]
pub(crate) struct Heard {
    /// Cancelled by the first signal that is the end. A second one ends the process at once.
    pub(crate) end: Token,
    /// Has something to read once there was a SIGHUP.
    pub(crate) hangups: UnixStream,
}

/// Hears signals from here on.
///
/// # Errors
///
/// If the system does not let them be heard.
pub(crate) fn hear() -> io::Result<Heard> {
    let (hangups, said) = UnixStream::pair()?;
    hangups.set_nonblocking(true)?;
    pipe::register(SIGHUP, said)?;
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let end = Token::new();
    let signalled = end.clone();
    let wait = move || {
        for _ in signals.forever() {
            if !signalled.cancel_with(Cause::REQUESTED.with_text("a signal")) {
                // What was acknowledged is durable already.
                let _ = writeln!(stderr(), "weatherlight: told to end a second time");
                std::process::exit(FAILED.into());
            }
        }
    };
    thread::Builder::new().name("weatherlight-signals".to_owned()).spawn(wait)?;
    Ok(Heard { end, hangups })
}

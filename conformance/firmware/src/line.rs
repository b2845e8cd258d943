//! The line to the emulator: the command line in, text out, and the exit status.
#![allow(unsafe_code, reason = "semihosting is a call out of the program; this file makes one")]

use alloc::string::String;
use alloc::vec;
use core::fmt::Write as _;

use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::{hio, nr, syscall};

/// A longer command line is not taken.
const LONGEST: usize = 512;

/// What the image was called with, without its name.
#[must_use]
pub fn arguments() -> String {
    let mut text = vec![0_u8; LONGEST];
    let mut block = [text.as_mut_ptr().addr(), text.len()];
    // SAFETY: the block says where the emulator may write, and how much; both live through the call, and it writes the length back into the block.
    let refused = unsafe { syscall(nr::GET_CMDLINE, &mut block) };
    if refused != 0 {
        return String::new();
    }
    text.truncate(block[1]);
    let line = String::from_utf8(text).unwrap_or_default();
    let line = line.trim_end_matches('\0');
    line.split_once(' ').map_or_else(String::new, |(_, arguments)| arguments.into())
}

/// Prints a line.
pub fn say(text: &str) {
    // Where nobody listens there is nobody to tell.
    let _ = hio::hstdout().map(|mut out| out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")));
}

/// Complains of what ends the image.
pub fn complain(what: &dyn core::fmt::Display) {
    let _ = hio::hstderr().map(|mut err| writeln!(err, "{what}"));
}

/// Ends the image: status 0, or 1.
pub fn leave(well: bool) -> ! {
    loop {
        debug::exit(if well { EXIT_SUCCESS } else { EXIT_FAILURE });
    }
}

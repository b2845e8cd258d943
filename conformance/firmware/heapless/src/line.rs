//! The line to the emulator: the command line in, text out, and the exit status.
#![allow(unsafe_code, reason = "semihosting is a call out of the program; this file makes one")]

use core::fmt::{Arguments, Write as _};
use core::str;

use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::{hio, nr, syscall};

/// A longer command line is not taken.
pub const LONGEST: usize = 128;

/// What the image was called with, without its name.
#[must_use]
pub fn arguments(text: &mut [u8; LONGEST]) -> &str {
    let mut block = [text.as_mut_ptr().addr(), text.len()];
    // SAFETY: the block says where the emulator may write, and how much; both live through the call, and it writes the length back into the block.
    let refused = unsafe { syscall(nr::GET_CMDLINE, &mut block) };
    let line = text.get(..block[1]).filter(|_| refused == 0).unwrap_or_default();
    let line = str::from_utf8(line).unwrap_or_default().trim_end_matches('\0');
    line.split_once(' ').map_or("", |(_, arguments)| arguments)
}

/// Prints a line.
pub fn say(what: Arguments<'_>) {
    // Where nobody listens there is nobody to tell.
    let _ = hio::hstdout().map(|mut out| writeln!(out, "{what}"));
}

/// Complains of what ends the image.
pub fn complain(what: Arguments<'_>) {
    let _ = hio::hstderr().map(|mut err| writeln!(err, "{what}"));
}

/// Ends the image: status 0, or 1.
pub fn leave(well: bool) -> ! {
    loop {
        debug::exit(if well { EXIT_SUCCESS } else { EXIT_FAILURE });
    }
}

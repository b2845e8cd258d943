//! Mishaps: a panic and a fault of the hardware are told, and end the image with status 1.
#![allow(unsafe_code, reason = "the handler of a fault is one by the runtime's attribute, which wants it unsafe")]

use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};

use crate::line;

#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    line::complain(info);
    line::leave(false)
}

// SAFETY: it changes nothing, and does not return.
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    line::complain(&format_args!("HardFault at {:#010x}", frame.pc()));
    line::leave(false)
}

//! Fails as it is told to, so that the checks see that they would: an assertion, a fault of the hardware, and no end at all.
#![no_std]
#![no_main]
#![allow(unsafe_code, reason = "a fault of the hardware is what nothing safe brings about")]

use countermand_firmware::{line, set_up};

#[cortex_m_rt::entry]
fn entry() -> ! {
    set_up();
    match line::arguments().as_str() {
        "assertion" => assert_eq!(1 + 1, 3, "as it was told to"),
        "hardfault" => {
            // SAFETY: nothing is there, so that nothing is harmed: the processor faults.
            let _ = unsafe { core::ptr::read_volatile(0xF000_0000_usize as *const u32) };
        }
        "hang" => loop {
            cortex_m::asm::nop();
        },
        other => panic!("it fails by assertion, hardfault or hang, not by {other:?}"),
    }
    line::leave(true)
}

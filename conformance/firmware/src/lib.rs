//! What the images have in common: a clock, a heap, the line to the emulator, and an end for every mishap.
#![no_std]

extern crate alloc;

pub mod clock;
mod faults;
mod heap;
pub mod line;
#[path = "../heapless/src/stack.rs"]
pub mod stack;
#[path = "../../../adapters/examples/superloop/host.rs"]
pub mod superloop;

/// This board under the loop of `superloop`: its tick is that of the clock, which comes each millisecond.
#[derive(Debug)]
pub struct Board;

impl superloop::Board for Board {
    fn now() -> countermand_core::Instant {
        clock::now()
    }

    fn sleep() {
        cortex_m::asm::wfe();
    }

    fn ring() {
        cortex_m::asm::sev();
    }
}

/// Sets the board up: the heap, and the clock from its origin.
///
/// # Panics
///
/// The second time.
pub fn set_up() {
    set_up_heap();
    let peripherals = cortex_m::Peripherals::take().expect("the board is set up once");
    clock::start(peripherals.SYST);
}

/// Sets up the heap alone, once: for an image with a clock of its own.
pub fn set_up_heap() {
    heap::set_up();
}

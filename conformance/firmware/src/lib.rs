//! What the images have in common: a clock, a heap, the line to the emulator, and an end for every mishap.
#![no_std]

extern crate alloc;

pub mod clock;
mod faults;
mod heap;
pub mod line;
pub mod superloop;

/// Sets the board up: the heap, and the clock from its origin.
///
/// # Panics
///
/// The second time.
pub fn set_up() {
    heap::set_up();
    let peripherals = cortex_m::Peripherals::take().expect("the board is set up once");
    clock::start(peripherals.SYST);
}

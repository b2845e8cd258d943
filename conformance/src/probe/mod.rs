//! What rules look through: things that record what is done to them.

mod census;
pub(crate) mod gate;
#[cfg(unix)]
mod interrupt;
mod recorder;
mod tally;

pub use census::{Census, Death, Probe};
pub use gate::{Gate, Pass};
#[cfg(unix)]
pub(crate) use interrupt::under_interrupts;
pub use recorder::{Recorder, Touch};
pub use tally::Tally;

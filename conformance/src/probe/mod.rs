//! What rules look through: things that record what is done to them.

mod census;
pub(crate) mod gate;
#[cfg(all(unix, feature = "std"))]
mod interrupt;
mod recorder;
#[cfg(feature = "std")]
mod tally;
#[cfg(not(feature = "std"))]
#[path = "tally_here.rs"]
mod tally;

pub use census::{Census, Death, Probe};
pub use gate::{Gate, Pass};
#[cfg(all(unix, feature = "std"))]
pub(crate) use interrupt::under_interrupts;
pub use recorder::{Recorder, Touch};
pub use tally::Tally;

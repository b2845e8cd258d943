//! The words in which a service tells what happened, and the trait of whoever takes them in.

mod event;
mod intake;
mod level;

pub use event::Event;
pub use intake::Intake;
pub use level::Level;

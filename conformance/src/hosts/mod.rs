//! The project's own hosts, as the suite examines them. Each file reads like the others.

mod blocking;
mod embassy;
mod sim;
mod smol;
mod tokio;
mod tokio_current_thread;

pub use blocking::Blocking;
pub use embassy::Embassy;
pub use sim::Sim;
pub use smol::Smol;
pub use tokio::Tokio;
pub use tokio_current_thread::TokioCurrentThread;

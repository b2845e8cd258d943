//! Spawns an attendant, under a name that `tokio-console` shows where it can be told one.

use countermand_core::{Drive, Host};
use tokio::runtime::Handle;

use crate::attendant::Attendant;

/// Spawns an attendant of the worker with this name on `runtime`, and lets it go.
#[cfg(all(tokio_unstable, feature = "console"))]
pub(crate) fn spawn<H: Host<Alarm: Send>>(runtime: &Handle, worker: &str, attendant: Drive<H>) {
    let name = match attendant.index() {
        Some(index) => format!("{worker}/driver-{index}"),
        None => format!("{worker}/keeper"),
    };
    // Only a runtime that is shut down could refuse it, and that drops it.
    drop(tokio::task::Builder::new().name(&name).spawn_on(Attendant::new(attendant), runtime));
}

/// Spawns an attendant of a worker on `runtime`, and lets it go.
#[cfg(not(all(tokio_unstable, feature = "console")))]
pub(crate) fn spawn<H: Host<Alarm: Send>>(runtime: &Handle, _worker: &str, attendant: Drive<H>) {
    drop(runtime.spawn(Attendant::new(attendant)));
}

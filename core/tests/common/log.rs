//! An intake that keeps what it is told.

use std::sync::Mutex;

use countermand_core::{Event, Intake};

/// See the head of the file.
#[derive(Default)]
pub(crate) struct Log(Mutex<Vec<Event>>);

impl Intake for Log {
    fn take(&self, event: &Event) {
        self.0.lock().expect("nobody panicked").push(*event);
    }
}

impl Log {
    /// What it was told since the last time.
    pub(crate) fn drain(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().expect("nobody panicked"))
    }

    /// Of each violation that it was told: what it is about, and why.
    pub(crate) fn told(&self) -> Vec<(String, String)> {
        let of = |event: &Event, key| event.attribute(key).unwrap_or_default().to_owned();
        let events = self.0.lock().expect("nobody panicked");
        events.iter().map(|event| (of(event, "identifier"), of(event, "reason"))).collect()
    }
}

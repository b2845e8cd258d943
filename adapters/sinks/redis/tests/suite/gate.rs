//! Whether the server is up, for those who want to wait until it is.

use std::sync::atomic::{AtomicBool, Ordering};

use event_listener::Event;

pub(crate) struct Gate {
    open: AtomicBool,
    opened: Event,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { open: AtomicBool::new(true), opened: Event::new() }
    }

    pub(crate) fn close(&self) {
        self.open.store(false, Ordering::SeqCst);
    }

    pub(crate) fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
        self.opened.notify(usize::MAX);
    }

    pub(crate) async fn pass(&self) {
        while !self.open.load(Ordering::SeqCst) {
            let opened = self.opened.listen();
            if self.open.load(Ordering::SeqCst) {
                return;
            }
            opened.await;
        }
    }
}

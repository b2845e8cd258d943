//! An intake whose events go to a router.

use alloc::boxed::Box;
use core::fmt;

use super::Router;
use super::receipt::Receipt;
use super::refused::Refused;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::telemetry::{Event, Intake, Label, PacketId, Source};
use crate::{Instant, Text};

/// Gives events to a router, as packets of one source; see [`Router::reporter`].
pub struct Reporter<B> {
    router: Router<B>,
    source: Source,
    seed: u64,
    events: AtomicU64,
    refused: AtomicU64,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
}

impl<B: Send + Sync + 'static> Reporter<B> {
    pub(super) fn new(
        router: Router<B>,
        source: Source,
        seed: u64,
        clock: Box<dyn Fn() -> Instant + Send + Sync>,
    ) -> Self {
        Self { router, source, seed, events: AtomicU64::new(0), refused: AtomicU64::new(0), clock }
    }

    /// Gives an event to the router, for somebody who asks what becomes of it.
    ///
    /// # Errors
    ///
    /// As [`Router::offer`].
    pub fn report(&self, event: &Event) -> Result<Receipt, Box<Refused<B>>> {
        let (label, body) = self.write(event);
        self.router.offer((self.clock)(), label, body)
    }

    /// How many events the router did not take that were given through [`Intake::take`], whose caller cannot be told.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn write(&self, event: &Event) -> (Label, B) {
        let number = self.events.fetch_add(1, Ordering::Relaxed);
        // Below the top bit, which is the router's own.
        let id = PacketId::new((u128::from(self.seed) << 64 | u128::from(number)) & !(1 << 127));
        let label = Label::new(id, self.source, event.level()).subject(Text::cut(event.name()));
        let body = (self.router.shared.scribe)(event, &label);
        (label, body)
    }
}

impl<B: Send + Sync + 'static> Intake for Reporter<B> {
    fn take(&self, event: &Event) {
        let (label, body) = self.write(event);
        if self.router.post((self.clock)(), label, body).is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<B> fmt::Debug for Reporter<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").field("source", &self.source).finish_non_exhaustive()
    }
}

//! A packet that is with a sink of a router without a heap.

use core::fmt;

use super::HeldRouter;
use super::line::Labelled;
use crate::Priority;
use crate::telemetry::{Fate, Label};

/// A packet on its way to a sink. Given by [`HeldRouter::take`].
///
/// Dropping it puts it back to its place, where it is the next again, with the same id (E3, E10): a sink that failed, or a delivery that was cancelled, loses nothing.
/// One that is forgotten keeps its place and stops its stream (X5).
#[must_use = "dropping it puts it back"]
pub struct HeldPacket<'r, B, const ROOM: usize> {
    router: &'r HeldRouter<B, ROOM>,
    /// None when it is through.
    packet: Option<Labelled<B>>,
    priority: Priority,
    index: u8,
}

impl<'r, B, const ROOM: usize> HeldPacket<'r, B, ROOM> {
    pub(super) const fn new(
        router: &'r HeldRouter<B, ROOM>,
        packet: Labelled<B>,
        priority: Priority,
        index: u8,
    ) -> Self {
        Self { router, packet: Some(packet), priority, index }
    }

    /// What is known of it.
    #[must_use]
    pub fn label(&self) -> Option<&Label> {
        self.packet.as_ref().map(|packet| &packet.label)
    }

    /// The packet.
    #[must_use]
    pub fn body(&self) -> Option<&B> {
        self.packet.as_ref().map(|packet| &packet.body)
    }

    /// The sink has it, and keeps it.
    pub fn acknowledge(mut self) {
        drop(self.end(Fate::Delivered));
    }

    /// No sink will ever have it: it is the caller's to keep, with the reason.
    #[must_use = "a dead letter is somebody's to keep"]
    pub fn dead_letter(mut self) -> Option<(Label, B)> {
        self.end(Fate::DeadLettered).map(|packet| (packet.label, packet.body))
    }

    fn end(&mut self, fate: Fate) -> Option<Labelled<B>> {
        let packet = self.packet.take();
        self.router.end(self.priority, self.index, fate);
        packet
    }
}

impl<B, const ROOM: usize> Drop for HeldPacket<'_, B, ROOM> {
    fn drop(&mut self) {
        if mutant!(RefusalAdvances) && self.packet.is_some() {
            drop(self.end(Fate::Delivered));
            return;
        }
        if let Some(packet) = self.packet.take() {
            self.router.put_back(self.priority, self.index, packet);
        }
    }
}

impl<B, const ROOM: usize> fmt::Debug for HeldPacket<'_, B, ROOM> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldPacket").field("label", &self.label()).finish_non_exhaustive()
    }
}

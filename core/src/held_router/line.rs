//! The packets of one priority that wait, in places of their own (E15), in the order in which they came in.
#![allow(unsafe_code, reason = "places of which only some have a packet, and which are all zeros in a static")]

use core::mem::MaybeUninit;

use crate::telemetry::Label;

/// A packet, and what its router knows of it.
pub(super) struct Labelled<B> {
    pub(super) label: Label,
    pub(super) body: B,
    /// Whether it tells of the router itself (E16).
    pub(super) own: bool,
}

/// Where a place is in the life of a packet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Free = 0,
    /// A packet is in it.
    Waits,
    /// Its packet is with a sink, and may come back here.
    Out,
}

struct Place<B> {
    stage: Stage,
    /// How many of the packets of the line came in before. Without a gap, so that nothing ever wraps.
    turn: u8,
    /// There while it waits.
    packet: MaybeUninit<Labelled<B>>,
}

/// See the head of the file.
pub(super) struct Line<B, const ROOM: usize> {
    places: [Place<B>; ROOM],
    len: u8,
}

impl<B, const ROOM: usize> Line<B, ROOM> {
    pub(super) const fn new() -> Self {
        Self { places: [const { Place { stage: Stage::Free, turn: 0, packet: MaybeUninit::uninit() } }; ROOM], len: 0 }
    }

    /// How many it has, one that is out among them.
    pub(super) fn len(&self) -> u8 {
        self.len
    }

    pub(super) fn is_full(&self) -> bool {
        usize::from(self.len) == ROOM
    }

    /// Puts a packet behind all others. There must be room.
    pub(super) fn push(&mut self, packet: Labelled<B>) {
        if let Some(place) = self.places.iter_mut().find(|place| place.stage == Stage::Free) {
            place.packet.write(packet);
            place.stage = Stage::Waits;
            place.turn = self.len;
            self.len += 1;
        }
    }

    /// The oldest that waits is out: which place it comes back to, or leaves.
    pub(super) fn take(&mut self) -> Option<(u8, Labelled<B>)> {
        let waiting = (0..).zip(&mut self.places).filter(|(_, place)| place.stage == Stage::Waits);
        let (index, place) = waiting.min_by_key(|(_, place)| place.turn)?;
        place.stage = Stage::Out;
        // SAFETY: it waited, so that there is a packet; nobody looks at it any more.
        Some((index, unsafe { place.packet.assume_init_read() }))
    }

    /// A packet that was out comes back to its place, and so to its turn (E3, E10).
    pub(super) fn put_back(&mut self, index: u8, packet: Labelled<B>) {
        if let Some(place) = self.places.get_mut(usize::from(index)) {
            place.packet.write(packet);
            place.stage = Stage::Waits;
            if mutant!(RefusedGoesLast) {
                let turn = core::mem::replace(&mut place.turn, self.len);
                self.close_up(turn);
            }
        }
    }

    /// A packet that was out does not come back.
    pub(super) fn free(&mut self, index: u8) {
        if let Some(place) = self.places.get_mut(usize::from(index)) {
            place.stage = Stage::Free;
            let turn = place.turn;
            self.close_up(turn);
            self.len -= 1;
        }
    }

    /// Those behind this turn come forward by one.
    fn close_up(&mut self, turn: u8) {
        for behind in self.places.iter_mut().filter(|place| place.turn > turn) {
            behind.turn -= 1;
        }
    }
}

impl<B, const ROOM: usize> Drop for Line<B, ROOM> {
    fn drop(&mut self) {
        while let Some((_, packet)) = self.take() {
            drop(packet);
        }
    }
}

//! Where it is said how the sink of one stream is doing: on the board, in the log, and as a packet when it is let alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countermand::{Event, Intake as _, Level};

use super::Feed;
use crate::supervise::{Board, PartState};
use crate::voice::Voice;

/// See the head of the file. A clone is the same place.
#[derive(Clone, Debug)]
pub(super) struct Place {
    name: &'static str,
    board: Board,
    voice: Voice,
    /// Whether it was said that the sink fails, and nothing was taken since.
    fails: Arc<AtomicBool>,
    /// Whether a packet was made of it. The packet comes to the sink that fails as well, so there is one for each time that it is away, and no
    /// more (E16).
    told: Arc<AtomicBool>,
}

impl Place {
    /// For the stream that is called `name`; `told` is shared by those of one feed.
    pub(super) fn new(feed: &Feed, name: &'static str, told: &Arc<AtomicBool>) -> Self {
        let (board, voice) = (feed.board.clone(), feed.voice.clone());
        board.set(name, PartState::Running);
        Self { name, board, voice, fails: Arc::default(), told: told.clone() }
    }

    /// Where it is said.
    pub(super) const fn voice(&self) -> &Voice {
        &self.voice
    }

    /// The sink takes what it is given.
    pub(super) fn goes_on(&self) {
        self.told.store(false, Ordering::Relaxed);
        if self.fails.swap(false, Ordering::Relaxed) {
            self.board.set(self.name, PartState::Running);
            self.voice.log(&Event::new("weatherlight.sink_recovered", Level::Info).with("sink", self.name));
        }
    }

    /// The sink takes nothing for now, or the journal does not let it go on.
    pub(super) fn rests(&self, why: &str) {
        self.board.set(self.name, PartState::BackingOff { why: why.to_owned() });
        if !self.fails.swap(true, Ordering::Relaxed) {
            let event = Event::new("weatherlight.sink_failed", Level::Warning).describe(why);
            self.voice.log(&event.with("sink", self.name));
        }
    }

    /// Something that the router tells of itself.
    pub(super) fn tell(&self, event: &Event) {
        if self.told.swap(true, Ordering::Relaxed) {
            self.voice.log(event);
        } else {
            self.voice.take(event);
        }
    }
}

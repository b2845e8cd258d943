//! How a sink is doing, said where it is looked for: on the board, in the log, and as a packet when it is let alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countermand::{Event, Intake as _, Level};

use crate::supervise::{Board, PartState};
use crate::voice::Voice;

/// See the head of the file. A clone is of the same sink.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    name: &'static str,
    board: Board,
    voice: Voice,
    /// Whether it was said that the sink fails, and nothing was taken since.
    fails: Arc<AtomicBool>,
    /// Whether the router told of it since then. The packet about that comes to the sink that fails as well, so there is one for each time that it
    /// is away, and no more (E16).
    told: Arc<AtomicBool>,
}

impl Standing {
    /// Of the sink that is called `name`.
    pub(crate) fn new(name: &'static str, board: &Board, voice: &Voice) -> Self {
        board.set(name, PartState::Running);
        Self { name, board: board.clone(), voice: voice.clone(), fails: Arc::default(), told: Arc::default() }
    }

    /// What it is called.
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// Where it is said.
    pub(crate) const fn voice(&self) -> &Voice {
        &self.voice
    }

    /// It takes what it is given.
    pub(crate) fn works(&self) {
        self.told.store(false, Ordering::Relaxed);
        if self.fails.swap(false, Ordering::Relaxed) {
            self.board.set(self.name, PartState::Running);
            self.voice.log(&Event::new("weatherlight.sink_recovered", Level::Info).with("sink", self.name));
        }
    }

    /// It takes nothing for now, or what feeds it cannot go on.
    pub(crate) fn rests(&self, why: &str) {
        self.board.set(self.name, PartState::BackingOff { why: why.to_owned() });
        if !self.fails.swap(true, Ordering::Relaxed) {
            let event = Event::new("weatherlight.sink_failed", Level::Warning).describe(why);
            self.voice.log(&event.with("sink", self.name));
        }
    }

    /// Something that the router in front of it tells of it. The first time it is said, and made a packet of.
    pub(crate) fn tell(&self, event: &Event) {
        if !self.told.swap(true, Ordering::Relaxed) {
            self.voice.take(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_sink_that_is_away_is_a_packet_once_and_on_the_board_all_the_while() {
        let (board, voice) = (Board::default(), Voice::silent());
        let packets = Arc::new(Mutex::new(0));
        let counted = packets.clone();
        voice.also(move |_: &Event| *counted.lock().unwrap() += 1);
        let standing = Standing::new("redis.normal", &board, &voice);
        let failed = Event::new("telemetry.sink_failed", Level::Error);
        for _ in 0..3 {
            standing.rests("gone");
            standing.tell(&failed);
        }
        assert_eq!((*packets.lock().unwrap(), board.health()), (1, "degraded"));
        standing.works();
        assert_eq!((board.health(), board.parts()[0].restarts), ("healthy", 1));
        standing.tell(&failed);
        assert_eq!(*packets.lock().unwrap(), 2);
    }
}

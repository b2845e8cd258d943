//! Which packets of a stream come next, for a reader that has some of them on their way.
//!
//! ```text
//!             nothing more is there
//!   behind ─────────────────────────► level: reads on from where it is
//!      ▲                                │
//!      └────────────────────────────────┘ there is no room for what comes
//! ```
//!
//! Behind, it asks for what was not acknowledged, the most urgent first, and leaves out what is on its way: so what is HIGH does not wait behind
//! an hour of the rest (E2). That reads again what is on its way, so it is done for half the room at a time.

use std::collections::BTreeSet;

use countermand::Stream;
use countermand_journal::{Consumer, Entry, Journal, JournalError, Sequence, WallTime};

/// How many bytes of packets are on their way at the most, but for one page.
const BYTES: u64 = 32 << 20;

/// The fewest packets that are read at a time.
const PAGE: usize = 16;

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Backlog {
    stream: Stream,
    window: usize,
    state: State,
    on_the_way: BTreeSet<Sequence>,
    bytes: u64,
    /// How large the largest packet so far was: by that it is guessed for how many more there is room.
    largest: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is more than it has read; whether it reads at the moment.
    Behind { reads: bool },
    /// It has read everything up to here.
    Level(Option<Sequence>),
}

impl Backlog {
    /// Nothing of this stream is on its way, and so many packets may be.
    pub(super) const fn new(stream: Stream, window: usize) -> Self {
        let state = State::Behind { reads: true };
        Self { stream, window, state, on_the_way: BTreeSet::new(), bytes: 0, largest: None }
    }

    /// What comes next, as far as there is room: all of it is on its way from here on. Empty if it is time to wait.
    ///
    /// # Errors
    ///
    /// What the journal says.
    pub(super) fn next(&mut self, journal: &Journal, consumer: &Consumer) -> Result<Vec<Entry>, JournalError> {
        let room = self.room();
        // Looked at first: what comes between this and the look into the stream wakes the wait.
        let last = journal.last();
        let entries = match self.state {
            State::Level(_) if room == 0 => {
                self.state = State::Behind { reads: false };
                return Ok(Vec::new());
            }
            State::Level(after) => {
                let entries = journal.tail(self.stream, after, room)?;
                let read = entries.last().map(|entry| entry.sequence);
                self.state = State::Level(if entries.len() < room { last.max(read) } else { read });
                entries
            }
            State::Behind { reads: true } if room > 0 => {
                let most = self.on_the_way.len() + room;
                let mut entries = consumer.next(self.stream, most, WallTime::now())?;
                if entries.len() < most {
                    self.state = State::Level(last);
                }
                entries.retain(|entry| !self.on_the_way.contains(&entry.sequence));
                entries
            }
            State::Behind { .. } => {
                self.state = State::Behind { reads: false };
                return Ok(Vec::new());
            }
        };
        for entry in &entries {
            let bytes = entry.payload.bytes().len() as u64;
            self.on_the_way.insert(entry.sequence);
            self.bytes += bytes;
            self.largest = self.largest.max(Some(bytes.max(1)));
        }
        Ok(entries)
    }

    /// After which place something new is worth a look; `None` while there is no room for it.
    pub(super) const fn waits_behind(&self) -> Option<Option<Sequence>> {
        match self.state {
            State::Level(after) => Some(after),
            State::Behind { .. } => None,
        }
    }

    /// A packet of so many bytes is not on its way any more.
    pub(super) fn through(&mut self, sequence: Sequence, bytes: u64) {
        if self.on_the_way.remove(&sequence) {
            self.bytes -= bytes;
        }
        if self.state == (State::Behind { reads: false }) {
            let reads = self.on_the_way.len() <= self.window / 2 && self.bytes <= BYTES / 2;
            self.state = State::Behind { reads };
        }
    }

    /// Something was let go that was not acknowledged: it is to be read once more.
    pub(super) const fn look_again(&mut self) {
        self.state = State::Behind { reads: true };
    }

    /// For how many packets there is room.
    fn room(&self) -> usize {
        let places = self.window.saturating_sub(self.on_the_way.len());
        if places == 0 || self.bytes >= BYTES {
            return 0;
        }
        let page = PAGE.min(places);
        // The first page is a small one, whatever is in it.
        let Some(largest) = self.largest else { return page };
        let fitting = usize::try_from((BYTES - self.bytes) / largest).unwrap_or(usize::MAX);
        fitting.clamp(page, places)
    }
}

#[cfg(test)]
mod tests {
    use countermand::{Format, Label, Level, PacketId, Payload, Source};
    use countermand_journal::JournalConfig;
    use futures::executor::block_on;

    use super::*;

    /// A journal in a directory of its own, and who reads it.
    struct Scene {
        _directory: tempfile::TempDir,
        journal: Journal,
        consumer: Consumer,
        number: u128,
    }

    impl Scene {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let (journal, _) = Journal::open(directory.path().join("a.journal"), JournalConfig::default()).unwrap();
            let consumer = block_on(journal.consumer("reader")).unwrap();
            Self { _directory: directory, journal, consumer, number: 0 }
        }

        fn append(&mut self, level: Level, count: usize) -> Vec<u128> {
            let numbers = (0..count).map(|_| {
                self.number += 1;
                let label = Label::new(PacketId::new(self.number), Source::of("a"), level);
                block_on(self.journal.append(label, Payload::new(Format::Json, *b"{}"))).unwrap();
                self.number
            });
            numbers.collect()
        }

        /// All that comes before it is time to wait.
        fn read(&self, backlog: &mut Backlog) -> Vec<Entry> {
            let mut all = Vec::new();
            loop {
                let entries = backlog.next(&self.journal, &self.consumer).unwrap();
                if entries.is_empty() {
                    return all;
                }
                all.extend(entries);
            }
        }

        fn acknowledge(&self, backlog: &mut Backlog, entries: &[Entry]) {
            let sequences: Vec<Sequence> = entries.iter().map(|entry| entry.sequence).collect();
            block_on(self.consumer.acknowledge(&sequences)).unwrap();
            entries.iter().for_each(|entry| backlog.through(entry.sequence, 2));
        }
    }

    fn numbers(entries: &[Entry]) -> Vec<u128> {
        entries.iter().map(|entry| entry.label.id.number()).collect()
    }

    #[test]
    fn each_packet_comes_once_whatever_is_on_its_way() {
        let mut scene = Scene::new();
        let mut backlog = Backlog::new(Stream::Normal, 40);
        let old = scene.append(Level::Info, 30);
        let first = scene.read(&mut backlog);
        assert_eq!(numbers(&first), old);
        assert!(backlog.waits_behind().is_some());
        // There is room for ten, and then it has fallen behind.
        let new = scene.append(Level::Info, 30);
        let second = scene.read(&mut backlog);
        assert_eq!((numbers(&second), backlog.waits_behind()), (new[..10].to_vec(), None));
        scene.acknowledge(&mut backlog, &first[..19]);
        assert!(scene.read(&mut backlog).is_empty(), "less than half the room is free");
        scene.acknowledge(&mut backlog, &first[19..20]);
        let third = scene.read(&mut backlog);
        assert_eq!((numbers(&third), backlog.waits_behind()), (new[10..].to_vec(), None));
        scene.acknowledge(&mut backlog, &[second, third].concat());
        assert!(scene.read(&mut backlog).is_empty() && backlog.waits_behind().is_some());
    }

    #[test]
    fn what_is_urgent_does_not_wait_behind_a_backlog() {
        let mut scene = Scene::new();
        let mut backlog = Backlog::new(Stream::Normal, 20);
        scene.append(Level::Info, 100);
        let first = scene.read(&mut backlog);
        let urgent = scene.append(Level::Error, 1);
        scene.acknowledge(&mut backlog, &first);
        assert_eq!(numbers(&scene.read(&mut backlog))[..1], urgent);
    }

    #[test]
    fn what_was_let_go_comes_again_and_what_is_on_its_way_does_not() {
        let mut scene = Scene::new();
        let mut backlog = Backlog::new(Stream::Emergency, 100);
        scene.append(Level::Critical, 20);
        let all = scene.read(&mut backlog);
        backlog.through(all[3].sequence, 2);
        backlog.look_again();
        assert_eq!(scene.read(&mut backlog), [all[3].clone()]);
    }
}

//! What the journal knows beside its records: cursors and accounts, kept as one frame and committed with what it counts.

use countermand_core::Priority;

use crate::account::Account;
use crate::codec::Reader;
use crate::frame::{self, Kind};
use crate::ledger::DeadLetterAccount;

/// The layout of the file that this version writes.
pub(crate) const LAYOUT: u32 = 1;

/// What the journal knows beside its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// Rises with every commit, so that the newest of several is known.
    pub(crate) generation: u64,
    /// The next record's place.
    pub(crate) next: u64,
    pub(crate) next_letter: u64,
    pub(crate) next_reader: u32,
    pub(crate) duplicates: u64,
    /// How many bytes the records of each priority take.
    pub(crate) kept_bytes: [u64; Priority::COUNT],
    pub(crate) letters: DeadLetterAccount,
    /// The first stands for the journal as a whole: a record has ended for it when it has for all others.
    pub(crate) readers: Vec<Place>,
}

/// How far somebody has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) id: u32,
    pub(crate) name: String,
    /// By priority: everything up to there has ended for this reader.
    pub(crate) cursors: [u64; Priority::COUNT],
    pub(crate) accounts: [Account; Priority::COUNT],
}

/// Why a frame is no [`State`].
pub(crate) enum NotAState {
    Damaged,
    /// A later version wrote it, with this layout.
    Newer(u32),
}

impl Place {
    pub(crate) fn new(id: u32, name: impl Into<String>) -> Self {
        Self { id, name: name.into(), cursors: [0; Priority::COUNT], accounts: Default::default() }
    }
}

impl State {
    pub(crate) fn new() -> Self {
        Self {
            generation: 0,
            next: 1,
            next_letter: 1,
            next_reader: 1,
            duplicates: 0,
            kept_bytes: [0; Priority::COUNT],
            letters: DeadLetterAccount::default(),
            readers: vec![Place::new(0, "")],
        }
    }

    /// Which of `readers` has this name.
    pub(crate) fn reader(&self, name: &str) -> Option<usize> {
        self.readers.iter().skip(1).position(|place| place.name == name).map(|index| index + 1)
    }

    pub(crate) fn seal(&self) -> Vec<u8> {
        frame::seal(Kind::State, 512 * self.readers.len(), |writer| {
            writer.u32(LAYOUT);
            writer.u64(self.generation);
            writer.u64(self.next);
            writer.u64(self.next_letter);
            writer.u32(self.next_reader);
            writer.u64(self.duplicates);
            self.kept_bytes.iter().for_each(|bytes| writer.u64(*bytes));
            let DeadLetterAccount { received, replayed, purged, shed, kept } = self.letters;
            [received, replayed, purged, shed, kept].iter().for_each(|number| writer.u64(*number));
            writer.u32(u32::try_from(self.readers.len()).unwrap_or(u32::MAX));
            for place in &self.readers {
                writer.u32(place.id);
                writer.bytes(place.name.as_bytes());
                place.cursors.iter().for_each(|cursor| writer.u64(*cursor));
                place.accounts.iter().flat_map(Account::numbers).for_each(|number| writer.u64(number));
            }
        })
    }

    /// The state in this frame.
    pub(crate) fn unseal(bytes: &[u8]) -> Result<Self, NotAState> {
        let reader = &mut Reader::new(frame::open(Kind::State, bytes).ok_or(NotAState::Damaged)?);
        match reader.u32() {
            Some(LAYOUT) => Self::read(reader).ok_or(NotAState::Damaged),
            Some(newer) if newer > LAYOUT => Err(NotAState::Newer(newer)),
            _ => Err(NotAState::Damaged),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut state = Self::new();
        state.generation = reader.u64()?;
        state.next = reader.u64()?;
        state.next_letter = reader.u64()?;
        state.next_reader = reader.u32()?;
        state.duplicates = reader.u64()?;
        state.kept_bytes = numbers(reader)?;
        let [received, replayed, purged, shed, kept] = numbers(reader)?;
        state.letters = DeadLetterAccount { received, replayed, purged, shed, kept };
        state.readers.clear();
        for _ in 0..reader.u32()? {
            let id = reader.u32()?;
            let mut place = Place::new(id, reader.text()?);
            place.cursors = numbers(reader)?;
            for account in &mut place.accounts {
                *account = Account::of_numbers(numbers(reader)?);
            }
            state.readers.push(place);
        }
        state.readers.first().is_some_and(|whole| whole.id == 0).then_some(state)
    }
}

fn numbers<const N: usize>(reader: &mut Reader<'_>) -> Option<[u64; N]> {
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = reader.u64()?;
    }
    Some(numbers)
}

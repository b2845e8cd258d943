//! What there is to tell of a router without a heap: what was shed, and which words about a priority meant nothing, by source.

use crate::Priority;
use crate::telemetry::Source;

/// How many sources are told one by one; the others are together.
const SOURCES: usize = 4;

/// The name of the others; it fits.
const OTHERS: &str = "(others)";

/// What is told of one source, since the router was made. A count stops at the end of its number.
#[derive(Clone, Copy)]
pub(super) struct Note {
    pub(super) source: Source,
    used: bool,
    shed_is_new: bool,
    unclear_is_new: bool,
    /// LOW, NORMAL, HIGH.
    pub(super) shed: [u32; Priority::COUNT - 1],
    pub(super) unclear: u32,
}

/// One for each source, and the last for all others.
pub(super) struct Notes([Note; SOURCES + 1]);

impl Notes {
    pub(super) const fn new() -> Self {
        let none = Note {
            source: Source::new(),
            used: false,
            shed_is_new: false,
            unclear_is_new: false,
            shed: [0; 3],
            unclear: 0,
        };
        Self([none; SOURCES + 1])
    }

    fn note(&mut self, source: &Source, what: impl FnOnce(&mut Note)) {
        let found = self.0.iter().position(|note| note.used && note.source == *source);
        let place = found.or_else(|| self.0.iter().take(SOURCES).position(|note| !note.used)).unwrap_or(SOURCES);
        if let Some(note) = self.0.get_mut(place) {
            if !note.used {
                note.used = true;
                note.source = if place == SOURCES { Source::try_from(OTHERS).unwrap_or_default() } else { *source };
            }
            what(note);
        }
    }

    /// What is the router's own is counted, and is not news (E16).
    pub(super) fn shed(&mut self, source: &Source, priority: Priority, own: bool) {
        if mutant!(ShedIsNotCounted) {
            return;
        }
        self.note(source, |note| {
            note.shed_is_new |= !own || mutant!(RouterFeedsItself);
            if let Some(count) = note.shed.get_mut(priority.index()) {
                *count = count.saturating_add(1);
            }
        });
    }

    pub(super) fn unclear(&mut self, source: &Source) {
        self.note(source, |note| {
            note.unclear_is_new = true;
            note.unclear = note.unclear.saturating_add(1);
        });
    }

    /// The next source of which there is something new, and whether that is what was shed; else what was unclear.
    pub(super) fn news(&mut self) -> Option<(Note, bool)> {
        let note = self.0.iter_mut().find(|note| note.shed_is_new || note.unclear_is_new)?;
        let shed = note.shed_is_new;
        note.shed_is_new = false;
        note.unclear_is_new &= shed;
        Some((*note, shed))
    }
}

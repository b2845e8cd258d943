//! Damage to a journal, and which packets are whole after it.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::base::Base;

/// What a disk has after the damage.
pub(crate) struct Damaged {
    pub(crate) database: Vec<u8>,
    pub(crate) reserve: Vec<u8>,
    /// The packets of which a frame there lies outside of the damage.
    pub(crate) in_database: BTreeSet<u64>,
    /// The same of the reserve.
    pub(crate) in_reserve: BTreeSet<u64>,
}

/// A file, and where something was done to it.
struct File {
    bytes: Vec<u8>,
    touched: Vec<Range<usize>>,
}

impl Damaged {
    /// A file that is nobody's.
    pub(crate) fn foreign(database: Vec<u8>) -> Self {
        Self { database, reserve: Vec::new(), in_database: BTreeSet::new(), in_reserve: BTreeSet::new() }
    }

    /// This journal, damaged as the input says.
    pub(crate) fn new(base: &Base, mut input: &[u8]) -> Self {
        let file = |bytes: &Vec<u8>| File { bytes: bytes.clone(), touched: Vec::new() };
        let (mut database, mut reserve) = (file(&base.database), file(&base.reserve));
        while let Some((deed, rest)) = input.split_first_chunk() {
            let file = if deed[0] & 8 == 0 { &mut database } else { &mut reserve };
            if !file.bytes.is_empty() {
                file.damage(*deed, rest);
            }
            input = rest;
        }
        let (in_database, in_reserve) = (database.whole(&base.in_database), reserve.whole(&base.in_reserve));
        Self { database: database.bytes, reserve: reserve.bytes, in_database, in_reserve }
    }
}

impl File {
    fn damage(&mut self, [kind, at @ .., length, value]: [u8; 6], rest: &[u8]) {
        let bytes = &mut self.bytes;
        let at = u32::from_le_bytes([at[0], at[1], at[2], 0]) as usize % bytes.len();
        let end = (at + (usize::from(length) << (kind >> 4)) + 1).min(bytes.len());
        match kind & 7 {
            0 => bytes[at..end].fill(value),
            1 => bytes[at..end].iter_mut().for_each(|byte| *byte ^= value),
            2 => {
                let there = rest.len().min(end - at);
                bytes[at..at + there].copy_from_slice(&rest[..there]);
            }
            3 => {
                let from = (usize::from(value) * 1024 % bytes.len()).min(bytes.len() - (end - at));
                bytes.copy_within(from..from + (end - at), at);
            }
            4 if at > 0 => {
                bytes.truncate(at);
                self.touched.push(at..usize::MAX);
                return;
            }
            _ => bytes[at] = bytes[at].wrapping_add(value),
        }
        self.touched.push(at..end);
    }

    /// Which of the packets at these places are as they were.
    fn whole(&self, places: &[(u64, Range<usize>)]) -> BTreeSet<u64> {
        let apart = |place: &Range<usize>| {
            self.touched.iter().all(|touched| place.end <= touched.start || touched.end <= place.start)
        };
        places.iter().filter(|(_, place)| apart(place)).map(|(number, _)| *number).collect()
    }
}

//! What is in a journal that was opened.

use std::collections::BTreeSet;

use countermand_core::Stream;
use countermand_journal::{DeadLetter, Entry, Journal};

use crate::base::packet;

/// What can be read of a journal.
#[derive(Debug, PartialEq)]
pub(crate) struct Findings {
    entries: Vec<Entry>,
    letters: Vec<DeadLetter>,
}

impl Findings {
    /// All of it, each packet as it was written and no record twice; the books are right.
    pub(crate) fn of(journal: &Journal) -> Self {
        let read =
            Stream::ALL.into_iter().flat_map(|stream| journal.tail(stream, None, usize::MAX).expect("it can be read"));
        let entries = read.collect::<Vec<_>>();
        let letters = journal.dead_letters(0, usize::MAX).expect("it can be read");
        let of_letters = letters.iter().map(|letter| &letter.entry);
        for entry in entries.iter().chain(of_letters) {
            assert_eq!(
                (entry.label.clone(), entry.payload.clone()),
                packet(number(entry)),
                "none was written like this"
            );
        }
        let places = entries.iter().map(|entry| entry.sequence).collect::<BTreeSet<_>>();
        let ids = entries.iter().map(number).collect::<BTreeSet<_>>();
        assert_eq!((places.len(), ids.len()), (entries.len(), entries.len()), "a record is there twice");
        let reasons = letters.iter().map(|letter| (&*letter.reason.sink, &*letter.reason.reason));
        assert!(reasons.into_iter().all(|reason| reason == ("reader", "unwanted")));
        assert!(journal.ledger().balances(), "{:?}", journal.ledger());
        let wrong = journal.audit().expect("it can be read");
        assert!(wrong.is_empty(), "{wrong:?}");
        Self { entries, letters }
    }

    /// Which packets there are, in the streams and among the dead letters.
    pub(crate) fn packets(&self) -> BTreeSet<u64> {
        self.entries.iter().chain(self.letters.iter().map(|letter| &letter.entry)).map(number).collect()
    }

    /// The same without this packet.
    pub(crate) fn without(&self, packet: u64) -> Self {
        let entries = self.entries.iter().filter(|entry| number(entry) != packet).cloned().collect();
        Self { entries, letters: self.letters.clone() }
    }
}

fn number(entry: &Entry) -> u64 {
    entry.label.id.number() as u64
}

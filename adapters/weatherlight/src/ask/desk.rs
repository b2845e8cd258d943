//! Answers questions about a journal.

use std::io;
use std::time::Duration;

use countermand::{Router, Stream};
use countermand_journal::{DeadLetter, JournalError};
use futures::executor::block_on;
use serde_json::{Value, json};

use super::head::{about, head_of};
use super::question::{Numbers, Question};
use super::watch::Watch;
use crate::body::Body;
use crate::figures;
use crate::intake::{Channel, Got};
use crate::stop::Stop;
use crate::store::Store;

/// How long a question may be.
const LONGEST: usize = 1 << 20;

/// How many records are read from the journal at a time.
const PAGE: usize = 256;

/// See the head of the file.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) store: Store,
    /// The router, where there is one.
    pub(crate) router: Option<Router<Body>>,
    /// What a packet may be when a dead letter is routed once more.
    pub(crate) limits: countermand_wire::Limits,
}

/// Takes one part of an answer: what is said about it, and the bytes of a packet.
pub(crate) type Say<'s> = &'s mut dyn FnMut(&Value, Option<&[u8]>) -> io::Result<()>;

impl Desk {
    /// Answers the question that stands on the next line of a connection.
    ///
    /// # Errors
    ///
    /// What the system says of the connection.
    pub(crate) fn answer(
        &self,
        mut channel: Channel,
        mut begin: Vec<u8>,
        stop: &Stop,
        limit: Duration,
    ) -> io::Result<()> {
        let end = loop {
            if let Some(end) = begin.iter().position(|byte| *byte == b'\n') {
                break end;
            }
            let mut piece = [0; 4_096];
            match channel.read(&mut piece, stop, limit)? {
                Got::Bytes(bytes) if begin.len() + bytes <= LONGEST => begin.extend_from_slice(&piece[..bytes]),
                _ => return Ok(()),
            }
        };
        let gone = channel.another()?;
        let mut say = |head: &Value, packet: Option<&[u8]>| {
            let mut line = head.to_string().into_bytes();
            line.push(b'\n');
            if let Some(packet) = packet {
                line.extend_from_slice(packet);
                line.push(b'\n');
            }
            channel.write(&line, limit)
        };
        match Question::read(&begin[..end]) {
            Ok(question) => {
                // Whoever follows a stream says nothing more: anything to read is its end.
                let watch = Watch::new(stop, gone);
                self.respond(&question, Some(&watch), &mut say)?;
            }
            Err(error) => say(&json!({ "error": error }), None)?,
        }
        channel.close();
        Ok(())
    }

    /// Answers a question. Blocks this thread.
    ///
    /// # Errors
    ///
    /// What `say` says. That the journal does not answer is said as part of the answer.
    pub(crate) fn respond(&self, question: &Question, watch: Option<&Watch<'_>>, say: Say<'_>) -> io::Result<()> {
        let done = match question {
            Question::Ledger => self.ledger(say),
            Question::Tail(stream, follow) => self.tail(*stream, watch.filter(|_| *follow), say),
            Question::DeadLetters => self.dead_letters(say),
            Question::DeadLetter(number) => self.dead_letter(*number, say),
            Question::Replay(which) => self.replay(which, say),
            Question::Purge(which) => self.purge(which, say),
        };
        match done {
            Ok(()) => Ok(()),
            Err(Trouble::Said(error)) => Err(error),
            Err(Trouble::Journal(error)) => say(&json!({ "error": error }), None),
        }
    }

    fn ledger(&self, say: Say<'_>) -> Result<(), Trouble> {
        let router = self.router.as_ref().map(|router| figures::ledger(&router.ledger()));
        Ok(say(&json!({ "journal": self.store.ledger(), "router": router }), None)?)
    }

    fn tail(&self, stream: Stream, watch: Option<&Watch<'_>>, say: Say<'_>) -> Result<(), Trouble> {
        let journal = &self.store.journal;
        let mut after = None;
        loop {
            let before = journal.last();
            let entries = journal.tail(stream, after, PAGE)?;
            for entry in &entries {
                say(&head_of(entry), Some(entry.payload.bytes()))?;
                after = Some(entry.sequence);
            }
            if !entries.is_empty() {
                continue;
            }
            let Some(watch) = watch else { return Ok(()) };
            if watch.until(journal.appended_after(before))? {
                return Ok(());
            }
        }
    }

    fn dead_letters(&self, say: Say<'_>) -> Result<(), Trouble> {
        self.each_letter(|letter| Ok(say(&about(letter), None)?))
    }

    fn each_letter(&self, mut each: impl FnMut(&DeadLetter) -> Result<(), Trouble>) -> Result<(), Trouble> {
        let mut after = 0;
        loop {
            let letters = self.store.journal.dead_letters(after, PAGE)?;
            let Some(last) = letters.last() else { return Ok(()) };
            after = last.number;
            letters.iter().try_for_each(&mut each)?;
        }
    }

    fn dead_letter(&self, number: u64, say: Say<'_>) -> Result<(), Trouble> {
        match self.store.journal.dead_letter(number)? {
            Some(letter) => Ok(say(&about(&letter), Some(letter.entry.payload.bytes()))?),
            None => Err(Trouble::Journal(format!("there is no dead letter {number}"))),
        }
    }

    /// Those that are packets go into their streams; those that are none stay, with the reason.
    fn replay(&self, which: &Numbers, say: Say<'_>) -> Result<(), Trouble> {
        let mut packets = Vec::new();
        for number in self.numbers(which)? {
            let Some(letter) = self.store.journal.dead_letter(number)? else {
                say(&json!({ "number": number, "error": "there is no such dead letter" }), None)?;
                continue;
            };
            let payload = &letter.entry.payload;
            match countermand_wire::read(payload.format(), payload.bytes(), &self.limits) {
                Ok(_) => packets.push(number),
                Err(error) => say(&json!({ "number": number, "error": format!("it stays: {error}") }), None)?,
            }
        }
        let replayed = block_on(self.store.journal.replay(packets))?;
        Ok(say(&json!({ "replayed": replayed }), None)?)
    }

    fn purge(&self, which: &Numbers, say: Say<'_>) -> Result<(), Trouble> {
        let purged = block_on(self.store.journal.purge(self.numbers(which)?))?;
        Ok(say(&json!({ "purged": purged }), None)?)
    }

    fn numbers(&self, which: &Numbers) -> Result<Vec<u64>, Trouble> {
        match which {
            Numbers::These(numbers) => Ok(numbers.clone()),
            Numbers::All => {
                let mut numbers = Vec::new();
                self.each_letter(|letter| {
                    numbers.push(letter.number);
                    Ok(())
                })?;
                Ok(numbers)
            }
        }
    }
}

enum Trouble {
    /// The answer cannot be said.
    Said(io::Error),
    /// The journal does not answer.
    Journal(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Said(error)
    }
}

impl From<JournalError> for Trouble {
    fn from(error: JournalError) -> Self {
        Self::Journal(error.to_string())
    }
}

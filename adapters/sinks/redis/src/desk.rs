//! One stream on the desk of a consumer: what lies there, and what is owed for it.

use std::future::Future;

use countermand_core::{Priority, Refusal, Source, Stream};

use crate::group::Group;
use crate::reply::RawEntry;
use crate::{Entry, EntryId, Fault, Turn};

/// Where a consumer is in one stream.
///
/// 1. `again` is set before anything is read and cleared only when all of it has been dealt with, so whatever cuts a turn short, the next one
///    begins with what the server says is pending here.
/// 2. `owed` are entries that are handled for good. They are acknowledged first thing, and never handled again.
/// 3. While something is in `held`, nothing new is read: it would overtake.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) stream: Stream,
    joined: bool,
    again: bool,
    /// Something that is pending here was not dealt with in this turn.
    left: bool,
    owed: Vec<EntryId>,
    held: Vec<(Source, Priority)>,
    /// Where the search for entries to take over goes on.
    cursor: EntryId,
}

impl Desk {
    pub(crate) fn new(stream: Stream) -> Self {
        let cursor = EntryId::default();
        Self { stream, joined: false, again: true, left: false, owed: Vec::new(), held: Vec::new(), cursor }
    }

    /// Whether something new may be read.
    pub(crate) fn is_clear(&self) -> bool {
        self.joined && self.held.is_empty()
    }

    /// Something is about to be read, and may be lost on the way.
    pub(crate) fn expect(&mut self) {
        self.again = true;
    }

    /// The connection, or the server's memory, is in doubt: begins anew.
    pub(crate) fn leave(&mut self) {
        self.joined = false;
    }

    /// Everything that is older than what nobody has read: what is owed, what others left behind, what is pending here.
    pub(crate) async fn earlier<H, F>(
        &mut self,
        group: &Group,
        handle: &mut H,
        turn: &mut Turn,
        fault: &mut Option<Fault>,
    ) -> Result<(), Fault>
    where
        H: FnMut(Entry) -> F,
        F: Future<Output = Result<(), Refusal>>,
    {
        self.held.clear();
        self.left = false;
        let first = !self.joined;
        if first {
            group.create(self.stream).await?;
            self.cursor = EntryId::default();
            self.again = true;
            self.joined = true;
        }
        self.settle(group).await?;
        loop {
            let (cursor, claimed) = group.claim(self.stream, self.cursor).await?;
            self.cursor = cursor;
            self.again |= claimed > 0;
            turn.claimed += claimed;
            // The first time all of it, later a little each turn.
            if !first || cursor == EntryId::default() {
                break;
            }
        }
        if !self.again {
            return Ok(());
        }
        let mut after = EntryId::default();
        let mut whole = true;
        loop {
            let entries = group.pending(self.stream, after).await?;
            let Some(last) = entries.last() else { break };
            if last.id <= after {
                return Err(Fault::Nonsense("pending entries that were given already".into()));
            }
            after = last.id;
            whole &= self.page(group, entries, handle, turn, fault).await?;
        }
        self.left = !whole;
        self.again = self.left;
        Ok(())
    }

    /// Deals with what has just been read for the first time.
    pub(crate) async fn later<H, F>(
        &mut self,
        group: &Group,
        entries: Vec<RawEntry>,
        handle: &mut H,
        turn: &mut Turn,
        fault: &mut Option<Fault>,
    ) -> Result<(), Fault>
    where
        H: FnMut(Entry) -> F,
        F: Future<Output = Result<(), Refusal>>,
    {
        let whole = self.page(group, entries, handle, turn, fault).await?;
        self.again = self.left || !whole;
        Ok(())
    }

    /// Deals with a page of entries. Whether nothing of it is left pending.
    async fn page<H, F>(
        &mut self,
        group: &Group,
        entries: Vec<RawEntry>,
        handle: &mut H,
        turn: &mut Turn,
        fault: &mut Option<Fault>,
    ) -> Result<bool, Fault>
    where
        H: FnMut(Entry) -> F,
        F: Future<Output = Result<(), Refusal>>,
    {
        let mut whole = true;
        for raw in entries {
            let id = raw.id;
            let Some(fields) = &raw.fields else {
                turn.vanished += 1;
                self.owed.push(id);
                continue;
            };
            let reason = match Entry::read(self.stream, id, fields, group.signer.as_ref()) {
                Err(malformed) => malformed.to_string().into(),
                Ok(entry) => {
                    let lane = (entry.label.source, entry.label.priority);
                    let answer = match self.held.contains(&lane) {
                        true => Err(Refusal::later("one ahead of it was refused")),
                        false => handle(entry).await,
                    };
                    match answer {
                        Ok(()) => {
                            turn.handled += 1;
                            self.owed.push(id);
                            continue;
                        }
                        Err(Refusal::Later(_)) => {
                            turn.refused += 1;
                            whole = false;
                            self.held.push(lane);
                            continue;
                        }
                        Err(Refusal::Never(reason)) => reason,
                    }
                }
            };
            // One that cannot be buried stays pending, and keeps nobody else waiting.
            match group.bury(self.stream, raw, &reason).await {
                Ok(()) => {
                    turn.dead += 1;
                    self.owed.push(id);
                }
                Err(why) => {
                    whole = false;
                    fault.get_or_insert(why);
                }
            }
        }
        self.settle(group).await?;
        Ok(whole)
    }

    async fn settle(&mut self, group: &Group) -> Result<(), Fault> {
        if !self.owed.is_empty() {
            group.acknowledge(self.stream, &self.owed).await?;
            self.owed.clear();
        }
        Ok(())
    }
}

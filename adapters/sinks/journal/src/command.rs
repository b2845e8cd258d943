//! What the committer is asked for.

use countermand_core::{Priority, Refusal};
use futures_channel::oneshot;

use crate::change::Change;
use crate::fault::Fault;
use crate::record::Draft;
use crate::{JournalError, Sequence};

/// What the committer is asked for.
pub(crate) enum Command {
    Append(Append),
    Operate(Box<dyn Operate>),
}

/// Packets to be taken in.
pub(crate) struct Append {
    drafts: Vec<Draft>,
    bytes: usize,
    urgent: bool,
    placed: Vec<Sequence>,
    reply: oneshot::Sender<Vec<Result<Sequence, Refusal>>>,
}

/// Anything else that changes the file.
pub(crate) trait Operate: Send {
    /// Does it. It is done again if the transaction comes to nothing.
    fn apply(&mut self, change: &mut Change<'_>) -> Result<(), Fault>;

    /// Tells whoever asked: what was done is durable, or it was not done.
    fn finish(self: Box<Self>, done: Result<(), JournalError>);
}

impl Append {
    pub(crate) fn new(drafts: Vec<Draft>) -> (Self, oneshot::Receiver<Vec<Result<Sequence, Refusal>>>) {
        let (reply, answer) = oneshot::channel();
        let bytes = drafts.iter().map(|draft| draft.payload.bytes().len() + 128).sum();
        let urgent = drafts.iter().any(|draft| draft.label.priority == Priority::Critical);
        (Self { drafts, bytes, urgent, placed: Vec::new(), reply }, answer)
    }

    pub(crate) fn apply(&mut self, change: &mut Change<'_>) -> Result<(), Fault> {
        self.placed.clear();
        for draft in &self.drafts {
            self.placed.push(Sequence::new(change.append(draft.clone())?));
        }
        Ok(())
    }

    /// Everything is durable.
    pub(crate) fn acknowledge(self) {
        // Whoever asked may have gone.
        let _ = self.reply.send(self.placed.into_iter().map(Ok).collect());
    }

    /// Hands over the packets, and how to answer for them, where the file does not take them.
    pub(crate) fn into_parts(self) -> (Vec<Draft>, oneshot::Sender<Vec<Result<Sequence, Refusal>>>) {
        (self.drafts, self.reply)
    }
}

impl Command {
    /// How many packets it is, and how many bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        match self {
            Self::Append(append) => (append.drafts.len(), append.bytes),
            Self::Operate(_) => (1, 0),
        }
    }

    /// It has something CRITICAL.
    pub(crate) fn is_urgent(&self) -> bool {
        matches!(self, Self::Append(append) if append.urgent)
    }

    /// It may wait for company.
    pub(crate) fn is_patient(&self) -> bool {
        matches!(self, Self::Append(append) if append.drafts.len() == 1 && !append.urgent)
    }

    pub(crate) fn apply(&mut self, change: &mut Change<'_>) -> Result<(), Fault> {
        match self {
            Self::Append(append) => append.apply(change),
            Self::Operate(operation) => operation.apply(change),
        }
    }
}

/// An operation made of a closure.
struct Operation<F, T> {
    work: F,
    /// What was asked for cannot be done, though with the file all is well.
    done: Option<Result<T, Fault>>,
    place: String,
    reply: oneshot::Sender<Result<T, JournalError>>,
}

/// The command that does this, and its answer.
pub(crate) fn operation<F, T>(place: String, work: F) -> (Command, oneshot::Receiver<Result<T, JournalError>>)
where
    F: FnMut(&mut Change<'_>) -> Result<T, Fault> + Send + 'static,
    T: Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Command::Operate(Box::new(Operation { work, done: None, place, reply })), answer)
}

impl<F, T> Operate for Operation<F, T>
where
    F: FnMut(&mut Change<'_>) -> Result<T, Fault> + Send,
    T: Send,
{
    fn apply(&mut self, change: &mut Change<'_>) -> Result<(), Fault> {
        match (self.work)(change) {
            Err(fault) if !fault.is_askers() => Err(fault),
            done => {
                self.done = Some(done);
                Ok(())
            }
        }
    }

    fn finish(self: Box<Self>, durable: Result<(), JournalError>) {
        let Self { done, place, reply, .. } = *self;
        let answer = match (durable, done) {
            (Ok(()), Some(done)) => done.map_err(|fault| fault.at(&place)),
            (Err(error), _) => Err(error),
            (Ok(()), None) => Err(JournalError::Closed),
        };
        let _ = reply.send(answer);
    }
}

//! The journal: what everybody holds who appends, reads or looks after it.

mod replay;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use countermand_core::{Label, Payload, Priority, Refusal, Stream};

use crate::account::Fate;
use crate::audit::audit;
use crate::change::Change;
use crate::command::{Append, Command, operation};
use crate::committer::Committer;
use crate::fault::Fault;
use crate::record::Draft;
use crate::shared::Shared;
use crate::{
    Consumer, DeadLetterSink, Disk, Entry, Files, JournalConfig, JournalError, JournalLedger, JournalSink, Recovery,
    Sequence, Verification, open, reading, verification,
};

/// A journal that is open. Clones are the same journal.
///
/// It works on a thread of its own, which ends with the last clone, sink and consumer: that drop waits until everything that was appended by then
/// is durable, and the file is closed.
#[derive(Clone)]
pub struct Journal {
    core: Arc<Core>,
}

/// Ends the committer when nobody has the journal any more.
struct Core {
    shared: Arc<Shared>,
    committer: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Core {
    fn drop(&mut self) {
        self.shared.queue.close();
        let committer = self.committer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // A waker that the committer calls may drop the last journal; the thread cannot wait for itself.
        if let Some(committer) = committer.filter(|committer| committer.thread().id() != thread::current().id()) {
            let _ = committer.join();
        }
    }
}

impl Journal {
    /// Opens the journal in this file, or creates it, and puts right what has to be: a torn commit, what waits in the reserve, damage (E12).
    ///
    /// It reads the whole file, unless [`JournalConfig::check`] is off, and blocks meanwhile.
    ///
    /// # Errors
    ///
    /// It is in use; it is no journal, or one of a later version; the disk does not let it be read or written. Damage is no error: see
    /// [`Recovery`].
    pub fn open(path: impl AsRef<Path>, config: JournalConfig) -> Result<(Self, Recovery), JournalError> {
        Self::open_on(Arc::new(Files::new(path.as_ref())), config)
    }

    /// Opens the journal on this disk.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open) has them.
    pub fn open_on(disk: Arc<dyn Disk>, config: JournalConfig) -> Result<(Self, Recovery), JournalError> {
        let (opened, recovery) = open::open(&disk, &config)?;
        let place = disk.place();
        let shared = Arc::new(Shared::new(disk, config, opened.state.clone()));
        let committer = Committer::new(shared.clone(), opened);
        let thread = thread::Builder::new().name("countermand-journal".to_owned());
        let thread = thread.spawn(move || committer.run()).map_err(|source| JournalError::Disk { place, source })?;
        Ok((Self { core: Arc::new(Core { shared, committer: Mutex::new(Some(thread)) }) }, recovery))
    }

    /// Looks whether the journal in this file is whole, and changes nothing. It reads the whole file, and blocks meanwhile.
    ///
    /// # Errors
    ///
    /// It is in use, it is no journal, or the disk does not let it be read. Damage is no error: the answer tells of it.
    pub fn verify(path: impl AsRef<Path>) -> Result<Verification, JournalError> {
        verification::verify(path.as_ref())
    }

    /// Takes one packet in, and answers when it is durable (E6). It may wait for company, at most [`JournalConfig::max_age`].
    ///
    /// # Errors
    ///
    /// The refusal, if it is not taken: it is too large for good, or the disk is full for now (E13).
    ///
    /// # Cancellation
    ///
    /// Dropped before it resolves, the packet may be there or not; appended again it is there once.
    pub async fn append(&self, label: Label, payload: Payload) -> Result<Sequence, Refusal> {
        let mut answers = self.append_all(vec![Draft { label, repeats: None, payload }]).await;
        answers.pop().unwrap_or_else(closed)
    }

    pub(crate) async fn append_all(&self, drafts: Vec<Draft>) -> Vec<Result<Sequence, Refusal>> {
        let count = drafts.len();
        let most = self.config().largest_packet.min(32 << 20);
        let too_large = |draft: &Draft| {
            let bytes = draft.payload.bytes().len();
            (bytes > most).then(|| Refusal::never(format!("a packet of {bytes} bytes, where at most {most} fit")))
        };
        let refused = drafts.iter().map(too_large).collect::<Vec<_>>();
        let drafts = drafts.into_iter().zip(&refused).filter(|(_, refused)| refused.is_none()).map(|(draft, _)| draft);
        let (append, answer) = Append::new(drafts.collect());
        let answered = match self.core.shared.queue.push(Command::Append(append)).await {
            Ok(()) => answer.await.unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        let mut answered = answered.into_iter();
        let answers = refused.into_iter().map(|refused| match refused {
            Some(refusal) => Err(refusal),
            None => answered.next().unwrap_or_else(closed),
        });
        let answers = answers.collect::<Vec<_>>();
        debug_assert_eq!(answers.len(), count, "an answer for each packet");
        answers
    }

    /// The sink that appends to this journal. `name` is what a router calls it.
    #[must_use]
    pub fn sink(&self, name: impl Into<String>) -> JournalSink {
        JournalSink::new(self.clone(), name.into())
    }

    /// The sink that keeps what comes to it as dead letters, each with its reason.
    #[must_use]
    pub fn dead_letter_sink(&self) -> DeadLetterSink {
        DeadLetterSink::new(self.clone())
    }

    /// The consumer of this name, which is new if there is none: it begins with the oldest record. One that there was goes on where it was.
    ///
    /// # Errors
    ///
    /// The name is empty or too long; the file cannot be written.
    ///
    /// # Cancellation
    ///
    /// Dropped before it resolves, there may be such a consumer or not.
    pub async fn consumer(&self, name: impl Into<String>) -> Result<Consumer, JournalError> {
        let name = name.into();
        if name.is_empty() || name.len() > 64 {
            return Err(JournalError::Name { length: name.len() });
        }
        let registered = name.clone();
        self.operate(move |change| change.register(&registered)).await?;
        Ok(Consumer::new(self.clone(), name))
    }

    /// Removes a consumer. What only it had not read counts as delivered, and may be removed.
    ///
    /// # Errors
    ///
    /// There is none of this name; the file cannot be written.
    ///
    /// # Cancellation
    ///
    /// Dropped before it resolves, it may have been removed or not.
    pub async fn remove_consumer(&self, name: &str) -> Result<(), JournalError> {
        let name = name.to_owned();
        self.operate(move |change| change.unregister(&name)).await
    }

    /// The records of a stream behind `after`, in the order in which they came; at most `most`. It changes nothing.
    ///
    /// # Errors
    ///
    /// The file cannot be read; a record in it is damaged.
    pub fn tail(&self, stream: Stream, after: Option<Sequence>, most: usize) -> Result<Vec<Entry>, JournalError> {
        self.read(|views| reading::tail(views, stream, after.map_or(0, Sequence::number), most))
    }

    /// Resolves when something is there behind `after`; with [`tail`](Self::tail), to follow a stream. It may resolve for another stream.
    ///
    /// # Cancellation
    ///
    /// Dropped at any time, nothing happens.
    pub async fn appended_after(&self, after: Option<Sequence>) {
        let seen = after.map_or(0, Sequence::number) + 1;
        loop {
            let appended = self.core.shared.appended.listen();
            if self.core.shared.next() > seen {
                return;
            }
            appended.await;
        }
    }

    /// The place of the last record that was taken in.
    #[must_use]
    pub fn last(&self) -> Option<Sequence> {
        self.core.shared.next().checked_sub(1).filter(|last| *last > 0).map(Sequence::new)
    }

    /// What became of everything that is durable (E8).
    #[must_use]
    pub fn ledger(&self) -> JournalLedger {
        let published = self.core.shared.published();
        let (whole, consumers) = match &*published.state.readers {
            [whole, consumers @ ..] => (whole.accounts, consumers),
            [] => Default::default(),
        };
        let mut ledger = JournalLedger {
            total: whole,
            consumers: consumers.iter().map(|place| (place.name.clone(), place.accounts)).collect(),
            dead_letters: published.state.letters,
            duplicates: published.state.duplicates,
            reserved: published.reserved,
        };
        // What waits in the reserve is taken in, and will be in the file.
        let critical = Priority::Critical.index();
        ledger.total[critical].accept(published.reserved);
        if ledger.consumers.is_empty() {
            ledger.total[critical].end(published.reserved, Fate::Delivered);
        }
        ledger.consumers.iter_mut().for_each(|(_, accounts)| accounts[critical].accept(published.reserved));
        ledger
    }

    /// Why nothing can be written at the moment, if so: the disk is full, or does not work. It is tried again by itself.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.core.shared.published().trouble
    }

    /// Counts all records again, and says in words where the ledger is wrong. It reads the whole file, and blocks meanwhile.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn audit(&self) -> Result<Vec<String>, JournalError> {
        self.read(|views| audit(views).map(|(wrong, ..)| wrong))
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.core.shared
    }

    pub(crate) fn config(&self) -> &JournalConfig {
        &self.core.shared.config
    }

    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&crate::tables::Views) -> Result<T, Fault>,
    ) -> Result<T, JournalError> {
        self.core.shared.store.read(work).map_err(|fault| fault.at(&self.core.shared.disk.place()))
    }

    /// Has the committer change something, and waits until it is durable.
    pub(crate) async fn operate<F, T>(&self, work: F) -> Result<T, JournalError>
    where
        F: FnMut(&mut Change<'_>) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let (command, answer) = operation(self.core.shared.disk.place(), work);
        self.core.shared.queue.push(command).await?;
        answer.await.unwrap_or(Err(JournalError::Closed))
    }
}

fn closed<T>() -> Result<T, Refusal> {
    Err(Refusal::later("the journal has been closed"))
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("place", &self.core.shared.disk.place()).finish_non_exhaustive()
    }
}

//! The database in the file: opening it, and holding it so that it can be opened again while others read.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use redb::{BackendError, Builder, Database, ReadableDatabase, StorageBackend, TableHandle};

use crate::fault::{Fault, contain, discard};
use crate::frame::Kind;
use crate::record::Entry;
use crate::scan::scan;
use crate::tables::{MARK, Views};
use crate::{DeadLetter, Disk, JournalConfig};

/// The database, unless it is being opened again.
#[derive(Default)]
pub(crate) struct Store(RwLock<Option<Database>>);

impl Store {
    /// Does something with the database, which stays where it is meanwhile.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, Fault>) -> Result<T, Fault> {
        let database = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let database =
            database.as_ref().ok_or_else(|| Fault::Away("the file could not be opened again yet".to_owned()))?;
        contain(|| work(database))
    }

    /// Reads what is committed.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Views) -> Result<T, Fault>) -> Result<T, Fault> {
        self.with(|database| work(&Views::open(&database.begin_read()?)?))
    }

    /// Closes the database, and puts the one that `open` opens then in its place.
    pub(crate) fn replace<T>(&self, open: impl FnOnce() -> Result<(Database, T), Fault>) -> Result<T, Fault> {
        let mut place = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let old = place.take();
        // What a database does at its end may fail where it failed before.
        let _ = discard(old);
        let (database, more) = open()?;
        *place = Some(database);
        Ok(more)
    }

    /// Closes it for good.
    pub(crate) fn close(&self) {
        let old = self.0.write().unwrap_or_else(PoisonError::into_inner).take();
        let _ = discard(old);
    }
}

/// The newest records and dead letters that are whole in a file, whether committed or not.
#[derive(Debug, Default)]
pub(crate) struct Remains {
    pub(crate) records: BTreeMap<u64, Entry>,
    pub(crate) letters: BTreeMap<u64, DeadLetter>,
    bytes: usize,
}

impl Remains {
    /// More than a commit has.
    const MOST_BYTES: usize = 64 << 20;

    fn look(&mut self, disk: &dyn Disk) -> Result<(), Fault> {
        scan(disk.raw()?, |kind, frame, _| {
            match kind {
                Kind::Record => {
                    if let Some(entry) = Entry::unseal(frame) {
                        self.records.insert(entry.sequence.number(), entry);
                        self.bytes += frame.len();
                    }
                }
                Kind::DeadLetter => {
                    if let Some(letter) = DeadLetter::unseal(frame) {
                        self.letters.insert(letter.number, letter);
                        self.bytes += frame.len();
                    }
                }
                Kind::State => {}
            }
            while self.bytes > Self::MOST_BYTES && self.records.len() + self.letters.len() > 1 {
                let record = self.records.pop_first().map(|(_, entry)| entry.payload.bytes().len());
                let letter = record.or_else(|| Some(self.letters.pop_first()?.1.entry.payload.bytes().len()));
                // What else is in a frame is not counted off, so fewer are kept than could be.
                self.bytes -= letter.unwrap_or(self.bytes).min(self.bytes);
            }
            Ok::<_, Fault>(())
        })?;
        Ok(())
    }
}

/// Opens the database of this disk. What there is of a torn commit is looked for before anything is repaired.
pub(crate) fn open(disk: &Arc<dyn Disk>, config: &JournalConfig, check: bool) -> Result<(Database, Remains), Fault> {
    let found = Arc::new(Mutex::new(None));
    let mut builder = builder(config);
    builder.set_check_integrity_on_open(check);
    let (finds, raw) = (found.clone(), disk.clone());
    builder.set_repair_callback(move |_| {
        let mut found = finds.lock().unwrap_or_else(PoisonError::into_inner);
        if found.is_none() {
            let mut remains = Remains::default();
            *found = Some(remains.look(&*raw).map(|()| remains));
        }
    });
    let database = contain(|| Ok(builder.create_with_backend(Boxed(disk.database()?))?))?;
    let remains = found.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok((database, remains.transpose()?.unwrap_or_default()))
}

/// The file into which a damaged one is rebuilt.
pub(crate) fn fresh(disk: &dyn Disk, config: &JournalConfig) -> Result<Database, Fault> {
    Ok(builder(config).create_with_backend(Boxed(disk.fresh()?))?)
}

fn builder(config: &JournalConfig) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(config.cache);
    builder
}

/// Whether there is a journal in this database; `false` if there is nothing.
pub(crate) fn has_journal(database: &Database) -> Result<bool, Fault> {
    let transaction = database.begin_read()?;
    let mut names = transaction.list_tables()?.map(|table| table.name().to_owned()).peekable();
    match (names.peek().is_none(), names.any(|name| name == MARK)) {
        (true, _) => Ok(false),
        (false, true) => Ok(true),
        (false, false) => Err(Fault::NotAJournal),
    }
}

/// A backend behind a pointer.
#[derive(Debug)]
pub(crate) struct Boxed(pub(crate) Box<dyn StorageBackend>);

impl StorageBackend for Boxed {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.query_lock_range(start, end)
    }
}

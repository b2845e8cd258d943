//! Where a journal lies: a trait, so that a test can have a disk that fails.

use std::fmt;
use std::io::{self, Read};

use redb::StorageBackend;

/// Where a journal lies. [`Files`](crate::Files) is the one for everyday.
///
/// # For implementers
///
/// What was written and then synced MUST be there after any end of the process; nothing else need be.
pub trait Disk: fmt::Debug + Send + Sync + 'static {
    /// What to call it in messages.
    fn place(&self) -> String;

    /// The file of the journal, to read and write; a new one, which is empty, if there is none. It is asked for again after each failure.
    ///
    /// # Errors
    ///
    /// What the disk says.
    fn database(&self) -> io::Result<Box<dyn StorageBackend>>;

    /// The bytes of that file, from the front; [`NotFound`](io::ErrorKind::NotFound) if there is none.
    ///
    /// # Errors
    ///
    /// What the disk says.
    fn raw(&self) -> io::Result<Box<dyn Read + Send>>;

    /// An empty file beside it, into which it is rebuilt. What was left there by an earlier attempt is gone.
    ///
    /// # Errors
    ///
    /// What the disk says.
    fn fresh(&self) -> io::Result<Box<dyn StorageBackend>>;

    /// Removes that file again: it is not to take the other's place.
    fn discard(&self);

    /// Puts the rebuilt file in the place of the damaged one, at one stroke, and keeps the damaged one aside. Answers what that is called now.
    ///
    /// # Errors
    ///
    /// What the disk says.
    fn replace(&self) -> io::Result<String>;

    /// The reserve: a file that has at least so many bytes, which are really on the disk, so that writing over them needs no room. One that is
    /// there keeps what is in it.
    ///
    /// # Errors
    ///
    /// What the disk says.
    fn reserve(&self, bytes: u64) -> io::Result<Box<dyn FixedFile>>;
}

/// A file that is written over in place and does not grow.
pub trait FixedFile: Send {
    /// All that is in it.
    ///
    /// # Errors
    ///
    /// What the disk says.
    fn read(&mut self) -> io::Result<Vec<u8>>;

    /// Writes over what is at this place. It ends inside of the file.
    ///
    /// # Errors
    ///
    /// What the disk says.
    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Returns when everything written is on the disk.
    ///
    /// # Errors
    ///
    /// What the disk says.
    fn sync(&mut self) -> io::Result<()>;
}

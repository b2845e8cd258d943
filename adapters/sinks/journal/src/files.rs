//! The disk for everyday: files in a directory.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use redb::StorageBackend;
use redb::backends::FileBackend;

use crate::disk::{Disk, FixedFile};

/// A journal in a file, with its reserve beside it under the same name with `.reserve` behind it.
///
/// A damaged file that was rebuilt stays there with `.damaged` and a number behind its name.
#[derive(Clone, Debug)]
pub struct Files {
    path: PathBuf,
}

impl Files {
    /// The journal at this path.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(ending);
        name.into()
    }

    /// Makes durable which files there are.
    fn sync_directory(&self) -> io::Result<()> {
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if cfg!(unix) { File::open(parent.unwrap_or(Path::new(".")))?.sync_all() } else { Ok(()) }
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    options
}

fn backend(file: File) -> io::Result<Box<dyn StorageBackend>> {
    Ok(Box::new(FileBackend::new(file).map_err(io::Error::other)?))
}

impl Disk for Files {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn database(&self) -> io::Result<Box<dyn StorageBackend>> {
        let new = !self.path.exists();
        let file = options().create(true).truncate(false).open(&self.path)?;
        if new {
            self.sync_directory()?;
        }
        backend(file)
    }

    fn raw(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(&self.path)?))
    }

    fn fresh(&self) -> io::Result<Box<dyn StorageBackend>> {
        backend(options().create(true).truncate(true).open(self.beside(".rebuilding"))?)
    }

    fn discard(&self) {
        // What stays is overwritten the next time.
        let _ = fs::remove_file(self.beside(".rebuilding"));
    }

    fn replace(&self) -> io::Result<String> {
        let aside = (1..u32::MAX).map(|number| self.beside(&format!(".damaged{number}")));
        let aside = aside.into_iter().find(|path| !path.exists()).ok_or_else(|| io::Error::other("no name is free"))?;
        // Never without a journal under its name: the damaged one has two names until the rebuilt one takes the first.
        if fs::hard_link(&self.path, &aside).is_err() {
            fs::copy(&self.path, &aside)?;
            File::open(&aside)?.sync_all()?;
        }
        fs::rename(self.beside(".rebuilding"), &self.path)?;
        self.sync_directory()?;
        Ok(aside.display().to_string())
    }

    fn reserve(&self, bytes: u64) -> io::Result<Box<dyn FixedFile>> {
        let mut file = options().create(true).truncate(false).open(self.beside(".reserve"))?;
        let length = file.seek(SeekFrom::End(0))?;
        if length < bytes {
            // Written, not only lengthened: a hole has no room of its own.
            if let Err(error) = fill(&mut file, bytes - length) {
                file.set_len(length)?;
                return Err(error);
            }
            self.sync_directory()?;
        }
        Ok(Box::new(file))
    }
}

fn fill(file: &mut File, mut bytes: u64) -> io::Result<()> {
    let zeros = [0; 64 << 10];
    while bytes > 0 {
        let step = bytes.min(zeros.len() as u64);
        file.write_all(&zeros[..usize::try_from(step).unwrap_or(zeros.len())])?;
        bytes -= step;
    }
    file.sync_all()
}

impl FixedFile for File {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        self.seek(SeekFrom::Start(0))?;
        self.read_to_end(&mut all)?;
        Ok(all)
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(at))?;
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

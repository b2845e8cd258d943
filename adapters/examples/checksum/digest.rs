//! Computes the digest of one file, and looks between two reads whether it should go on.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use countermand::{CallContext, Cause};
use sha2::{Digest as _, Sha256};

use crate::line::Digest;

/// How many bytes are read between two looks at the token: what a cancel waits for, at most, on a disk that answers.
const CHUNK: usize = 128 * 1024;

/// Why a file has no digest.
#[derive(Debug)]
pub(crate) enum Problem {
    /// It could not be read.
    Unreadable(io::Error),
    /// The job's token was cancelled, for this cause.
    Stopped(Cause),
}

/// Reads the file to its end.
pub(crate) fn digest(path: &Path, cx: &CallContext) -> Result<Digest, Problem> {
    let mut file = open(path).map_err(Problem::Unreadable)?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        if let Some(cause) = cx.token().cause() {
            return Err(Problem::Stopped(cause));
        }
        match file.read(&mut chunk) {
            Ok(0) => return Ok(hasher.finalize().into()),
            Ok(n) => hasher.update(&chunk[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Problem::Unreadable(error)),
        }
    }
}

/// Opens a regular file. What became a symbolic link or a pipe since the walk saw it is neither followed nor waited for.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("no longer a regular file")) }
}

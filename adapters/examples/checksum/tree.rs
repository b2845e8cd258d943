//! Finds the regular files below a directory, and follows no symbolic link.

use std::io;
use std::path::{Path, PathBuf};

use countermand::{Priority, Token};
use walkdir::WalkDir;

/// A regular file that the walk saw.
#[derive(Debug)]
pub(crate) struct Found {
    /// As `find` prints it: the directory as given, a slash, the way below it.
    pub(crate) path: PathBuf,
    /// Its length in bytes when it was seen.
    pub(crate) size: u64,
}

impl Found {
    /// Small files first: a great one is read after the small ones that are there already.
    pub(crate) fn priority(&self) -> Priority {
        match self.size {
            0..=0xffff => Priority::Critical,
            0x1_0000..=0xf_ffff => Priority::High,
            0x10_0000..=0x3ff_ffff => Priority::Normal,
            _ => Priority::Low,
        }
    }
}

/// What the walk brought home.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// The files, smallest first.
    pub(crate) files: Vec<Found>,
    /// What could not be looked into, and why.
    pub(crate) unreadable: Vec<(PathBuf, io::Error)>,
    /// Whether it was stopped before its end: there may be more files, which nobody has seen.
    pub(crate) cut_short: bool,
}

/// Walks `root` to its end, or until `stop` is cancelled.
pub(crate) fn walk(root: &Path, stop: &Token) -> Walk {
    let mut walk = Walk::default();
    for entry in WalkDir::new(root).follow_links(false).follow_root_links(false) {
        if stop.is_cancelled() {
            walk.cut_short = true;
            break;
        }
        let seen = entry.and_then(|entry| {
            let file = entry.file_type().is_file();
            let size = if file { entry.metadata()?.len() } else { 0 };
            Ok(file.then(|| Found { path: entry.into_path(), size }))
        });
        match seen {
            Ok(found) => walk.files.extend(found),
            Err(error) => {
                let path = error.path().unwrap_or(root).to_owned();
                walk.unreadable.push((path, error.into()));
            }
        }
    }
    walk.files.sort_by(|a, b| a.size.cmp(&b.size).then_with(|| a.path.cmp(&b.path)));
    walk
}

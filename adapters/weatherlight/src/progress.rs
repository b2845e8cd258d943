//! How far files are read, shown on standard error where that is a terminal.

use std::fmt;
use std::io::{self, IsTerminal as _, Read, Write as _, stderr, stdin};
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over the bytes of some files, which is gone when it is dropped. Nobody sees one over what is typed.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// With an end in sight where each of the files has a length.
    pub(crate) fn over(files: &[PathBuf]) -> Self {
        let lengths =
            files.iter().map(|file| file.metadata().ok().filter(|file| file.is_file()).map(|file| file.len()));
        let (length, look) = match lengths.sum::<Option<u64>>() {
            Some(length) => (Some(length), "{bar:40} {bytes}/{total_bytes} {elapsed}"),
            None => (None, "{spinner} {bytes} {elapsed}"),
        };
        let typed = files.iter().any(|file| file.as_os_str() == "-") && stdin().is_terminal();
        // Hidden by itself where standard error is no terminal.
        let target = if typed { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(length, target);
        if let Ok(style) = ProgressStyle::with_template(look) {
            bar.set_style(style);
        }
        bar.tick();
        Self { bar }
    }

    /// Counts what is read.
    pub(crate) fn watch(&self, source: impl Read) -> impl Read {
        self.bar.wrap_read(source)
    }

    /// A line on standard error, above the bar.
    pub(crate) fn tell(&self, line: fmt::Arguments<'_>) -> io::Result<()> {
        self.bar.suspend(|| writeln!(stderr(), "{line}"))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

//! Shows on a terminal how far the worker is, by listening to it.

use std::path::Path;

use countermand::{JobInfo, Observer, Settled};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::line::escaped;

/// A bar that counts the files that have settled. It draws nothing where the error output is not a terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    verbose: bool,
}

impl Progress {
    pub(crate) fn new(files: usize, verbose: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(files as u64), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} files, {elapsed} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, verbose }
    }

    /// Is told by a job that it begins to read.
    pub(crate) fn reading(&self, path: &Path) {
        if self.verbose {
            self.bar.suspend(|| eprintln!("checksum: reading {}", String::from_utf8_lossy(&escaped(path).0)));
        }
    }

    /// Takes the bar off the screen.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Progress {
    fn settled(&self, _: &JobInfo, _: &Settled) {
        self.bar.inc(1);
    }
}

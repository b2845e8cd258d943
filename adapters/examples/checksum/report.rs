//! Prints the list on the output, and on the error output what is missing from it.

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::jobs::{Entry, Verdict};
use crate::line::{escaped, line};

/// A file could not be read, took too long or broke.
const INCOMPLETE: u8 = 1;
/// Ended by Ctrl-C, as a shell reports it.
const INTERRUPTED: u8 = 130;

/// Prints everything, the list sorted by the bytes of the paths. `unseen` is a directory below which not everything was looked at.
///
/// # Errors
///
/// Where the output cannot be written to.
pub(crate) fn report(
    mut settled: Vec<Entry>,
    unreadable: Vec<(PathBuf, io::Error)>,
    unseen: Option<&Path>,
    interrupted: bool,
) -> io::Result<ExitCode> {
    settled.extend(unreadable.into_iter().map(|(path, error)| (path, Verdict::Unreadable(error))));
    settled.sort_by(|(a, _), (b, _)| bytes(a).cmp(bytes(b)));

    let mut list = BufWriter::new(io::stdout().lock());
    for (path, verdict) in &settled {
        if let Verdict::Read(digest) = verdict {
            list.write_all(&line(path, digest))?;
        }
    }
    list.flush()?;

    let mut complaints = BufWriter::new(io::stderr().lock());
    let (mut read, mut incomplete) = (0_usize, 0_usize);
    for (path, verdict) in &settled {
        let what = match verdict {
            Verdict::Read(_) => {
                read += 1;
                continue;
            }
            Verdict::Unreadable(error) => error.to_string(),
            Verdict::TimedOut => "timed out".to_owned(),
            Verdict::Stopped { started: true } => "stopped while it was read".to_owned(),
            Verdict::Stopped { started: false } => "not begun".to_owned(),
            Verdict::Broken(why) => why.clone(),
        };
        incomplete += 1;
        complaints.write_all(b"checksum: ")?;
        complaints.write_all(&escaped(path).0)?;
        writeln!(complaints, ": {what}")?;
    }
    if let Some(root) = unseen {
        complaints.write_all(b"checksum: ")?;
        complaints.write_all(&escaped(root).0)?;
        writeln!(
            complaints,
            ": interrupted while the files below were looked for: there may be more than are named here"
        )?;
    }
    if interrupted {
        writeln!(complaints, "checksum: interrupted: {read} done, {incomplete} not done")?;
    } else if incomplete > 0 {
        writeln!(complaints, "checksum: {read} done, {incomplete} not done")?;
    }
    complaints.flush()?;

    Ok(match (interrupted, incomplete) {
        (true, _) => INTERRUPTED.into(),
        (false, 0) => ExitCode::SUCCESS,
        (false, _) => INCOMPLETE.into(),
    })
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

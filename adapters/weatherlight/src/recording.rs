//! A recording: the packets in files that end, each with its number.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, stdin};
use std::path::{Path, PathBuf};

use countermand::Format;
use countermand_wire::{FrameError, Framing};

use crate::args::Input;
use crate::progress::Progress;

/// How much is read at a time.
const PIECE: usize = 64 << 10;

/// Gives each packet of `path` to `each`, until that has enough, and shows how far it is.
///
/// # Errors
///
/// If the file cannot be read, or what `each` says; with the name of the file.
pub(crate) fn read<E>(
    path: &Path,
    input: Input,
    limit: usize,
    progress: &Progress,
    mut each: impl FnMut(Format, Result<(u64, &[u8]), FrameError>) -> Result<(), E>,
) -> Result<(), Stuck<E>> {
    let is_stdin = path.as_os_str() == "-";
    let unreadable = |error| Stuck::Unreadable(path.to_owned(), error);
    let source: Box<dyn Read> =
        if is_stdin { Box::new(stdin().lock()) } else { Box::new(File::open(path).map_err(unreadable)?) };
    let mut source = progress.watch(source);
    let format = format_of(path, input);
    let mut framing = Framing::new(format, limit);
    let mut buffer = vec![0; PIECE];
    loop {
        let length = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(error)),
        };
        let mut piece = &buffer[..length];
        while let Some(frame) = framing.next(&mut piece) {
            each(format, frame.map(|frame| (frame.number, frame.bytes))).map_err(Stuck::Enough)?;
        }
    }
    match framing.finish() {
        None => Ok(()),
        Some(frame) => each(format, frame.map(|frame| (frame.number, frame.bytes))).map_err(Stuck::Enough),
    }
}

/// Why a recording was not read to its end.
#[derive(Debug)]
pub(crate) enum Stuck<E> {
    /// The file cannot be read.
    Unreadable(PathBuf, io::Error),
    /// Whoever takes the packets takes no more.
    Enough(E),
}

/// In which form the packets of a file are.
pub(crate) fn format_of(path: &Path, input: Input) -> Format {
    match (input, path.extension().and_then(OsStr::to_str)) {
        (Input::Protobuf, _) | (Input::Auto, Some("pb" | "bin" | "protobuf")) => Format::Protobuf,
        (Input::Json | Input::Auto, _) => Format::Json,
    }
}

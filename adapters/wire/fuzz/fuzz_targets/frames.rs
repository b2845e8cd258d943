//! Any bytes as a stream of packets, in pieces of any size: the same is found as in one piece, and nothing is left over.
//!
//! In `adapters/wire`: `cargo +nightly fuzz run -s none frames -- -runs=1000000 -max_len=1024 -timeout=5`.
#![no_main]

use countermand_core::Format;
use countermand_wire::{FrameError, Framing, detect, write_framed};
use libfuzzer_sys::fuzz_target;

/// The longest frame: small, so that inputs go beyond it.
const LIMIT: usize = 40;

fn all<'p>(format: Format, pieces: impl Iterator<Item = &'p [u8]>) -> Vec<Result<(u64, Vec<u8>), FrameError>> {
    let mut framing = Framing::new(format, LIMIT);
    let mut found = Vec::new();
    for mut piece in pieces {
        while let Some(frame) = framing.next(&mut piece) {
            found.push(frame.map(|frame| (frame.number, frame.bytes.to_vec())));
        }
        assert!(piece.is_empty());
    }
    found.extend(framing.finish().map(|frame| frame.map(|frame| (frame.number, frame.bytes.to_vec()))));
    assert!(framing.finish().is_none());
    found
}

fuzz_target!(|bytes: &[u8]| {
    let Some((size, stream)) = bytes.split_first() else { return };
    let size = usize::from(*size).max(1);
    let _ = detect(stream);
    for format in [Format::Protobuf, Format::Json] {
        let found = all(format, std::iter::once(stream));
        assert_eq!(all(format, stream.chunks(size)), found);
        assert!(found.iter().flatten().all(|(_, bytes)| bytes.len() <= LIMIT));
        let last = found.iter().position(|frame| frame.as_ref().is_err_and(FrameError::is_last));
        assert!(last.is_none_or(|last| last + 1 == found.len()));
        // What is found, written again, is found again.
        let mut again = Vec::new();
        let frames: Vec<_> = found.into_iter().flatten().map(|(_, bytes)| bytes).collect();
        frames.iter().for_each(|frame| write_framed(format, frame, &mut again));
        let found: Vec<_> = all(format, std::iter::once(&*again)).into_iter().flatten().map(|(_, bytes)| bytes).collect();
        assert_eq!(found, frames);
    }
});

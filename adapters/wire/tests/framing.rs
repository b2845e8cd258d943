//! Streams that are cut, too long or nonsense: what is whole is found, what is not is told, memory stays bounded.

use countermand_core::Format;
use countermand_wire::{Frame, FrameError, FrameFault, Frames, Framing, Lines, detect};

type Found = Vec<Result<(u64, Vec<u8>), (u64, FrameFault)>>;

fn plain(frame: Result<Frame<'_>, FrameError>) -> Result<(u64, Vec<u8>), (u64, FrameFault)> {
    frame.map(|frame| (frame.number, frame.bytes.to_vec())).map_err(|error| {
        assert_eq!(error.is_last(), !matches!(error.fault, FrameFault::LineTooLong { .. }));
        (error.number, error.fault)
    })
}

/// All that is found in a stream that comes in these pieces.
fn all<'p>(mut framing: Framing, pieces: impl IntoIterator<Item = &'p [u8]>) -> Found {
    let mut found = Vec::new();
    for mut piece in pieces {
        while let Some(frame) = framing.next(&mut piece) {
            found.push(plain(frame));
        }
        assert!(piece.is_empty(), "all of it was looked at");
    }
    found.extend(framing.finish().map(plain));
    found
}

fn lines(limit: usize) -> Framing {
    Framing::Json(Lines::new(limit))
}

fn frames(limit: usize) -> Framing {
    Framing::Protobuf(Frames::new(limit))
}

#[test]
fn a_line_that_is_too_long_is_left_out_wherever_it_is_cut() {
    let stream = b"one\n\r\nfar too long\ntwo\r\nlonger\nthree\n 4";
    let expected = [
        Ok((1, b"one".to_vec())),
        Err((3, FrameFault::LineTooLong { limit: 5 })),
        Ok((4, b"two\r".to_vec())),
        Err((5, FrameFault::LineTooLong { limit: 5 })),
        Ok((6, b"three".to_vec())),
        Ok((7, b" 4".to_vec())),
    ];
    for size in 1..=stream.len() {
        assert_eq!(all(lines(5), stream.chunks(size)), expected, "pieces of {size}");
    }
}

#[test]
fn nothing_but_white_space_is_nothing() {
    assert_eq!(all(lines(9), [&b"\n \n\t\r\n  "[..]]), []);
    assert_eq!(all(frames(9), []), []);
    assert_eq!(detect(b"\n\t \r"), None);
}

#[test]
fn a_length_beyond_the_limit_ends_the_stream() {
    for (header, length) in
        [(&b"\x06"[..], 6), (b"\x80\x80\x80\x20", 64 << 20), (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", u64::MAX)]
    {
        let stream = [b"\x02hi", header, b"\x02yo"].concat();
        let found = all(frames(5), stream.chunks(2));
        assert_eq!(found[0], Ok((1, b"hi".to_vec())));
        assert_eq!(found[1..], [Err((2, FrameFault::PacketTooLong { length, limit: 5 }))]);
    }
}

#[test]
fn a_length_that_is_none_ends_the_stream() {
    for header in [[0xff; 11], [0x80; 11], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0]] {
        let found = all(frames(usize::MAX), [&header[..]]);
        assert_eq!(found, [Err((1, FrameFault::NoLength))]);
    }
}

#[test]
fn a_stream_cut_anywhere_gives_what_is_whole() {
    let stream = b"\x03one\x00\x83\x00two";
    let whole = [Ok((1, b"one".to_vec())), Ok((2, Vec::new())), Ok((3, b"two".to_vec()))];
    assert_eq!(all(frames(3), [&stream[..]]), whole);
    for end in 0..stream.len() {
        let found = all(frames(3), stream[..end].chunks(2));
        let good = found.iter().filter(|frame| frame.is_ok()).count();
        assert_eq!(found[..good], whole[..good]);
        let between = matches!(end, 0 | 4 | 5);
        assert_eq!(found.len() - good, usize::from(!between), "cut after {end}");
        if !between {
            assert_eq!(found[good], Err((good as u64 + 1, FrameFault::CutOff)));
        }
    }
}

#[test]
fn both_forms_are_told_from_each_other() {
    let json: [&[u8]; 4] = [b"{\"", b"{}", b" \r\n{ \"a\"", b"\xef\xbb\xbf{}"];
    let protobuf: [&[u8]; 5] = [b"\x05\x0a", b"\x0a\x0a\x03abc", b" \x0a\x05", b"{\x0a\x24", b"\xef\xbb\x01"];
    for head in json {
        assert_eq!(detect(head), Some(Format::Json), "{head:?}");
    }
    for head in protobuf {
        assert_eq!(detect(head), Some(Format::Protobuf), "{head:?}");
    }
    for head in [&b""[..], b"{", b" \n{", b"\xef", b"\xef\xbb"] {
        assert_eq!(detect(head), None, "{head:?}");
    }
    assert_eq!(Framing::new(Format::Json, 1).format(), Format::Json);
    assert_eq!(Framing::new(Format::Protobuf, 1).format(), Format::Protobuf);
}

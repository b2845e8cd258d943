//! Texts of one owner, one behind the other in one piece of memory.
#![allow(
    unsafe_code,
    reason = "the piece is not written before there is a text, and what was UTF-8 is not looked through again"
)]

use core::fmt;
use core::mem::MaybeUninit;

/// What stands at the end of a text that was cut.
pub(super) const CUT: &str = "…";

/// Where in its arena a text is.
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    start: u16,
    length: u16,
}

impl Span {
    /// Of a text that is not there.
    pub(super) const EMPTY: Self = Self { start: 0, length: 0 };

    pub(super) const fn len(self) -> usize {
        self.length as usize
    }

    /// Moves with the texts behind a removed one.
    pub(super) const fn after_removal(self, removed: Self) -> Self {
        let moved = self.start >= removed.start + removed.length;
        Self { start: if moved { self.start - removed.length } else { self.start }, ..self }
    }
}

/// Room for texts of at most `N` bytes together. Memory that holds no text is never written, so an empty one costs nothing.
#[derive(Clone, Copy)]
pub(super) struct Arena<const N: usize> {
    /// At most `N`.
    length: u16,
    /// The first `length` are written, and are UTF-8.
    bytes: [MaybeUninit<u8>; N],
}

impl<const N: usize> Arena<N> {
    const LIMIT: usize = {
        assert!(N <= u16::MAX as usize, "places in an arena are counted in 16 bits");
        N
    };

    pub(super) const fn new() -> Self {
        let _ = Self::LIMIT;
        Self { length: 0, bytes: [const { MaybeUninit::uninit() }; N] }
    }

    /// All texts.
    fn whole(&self) -> &str {
        // SAFETY: the first `length` bytes, which are at most `N`, are written and are UTF-8: there are none in `new`, `push` puts a
        // whole `str` behind a whole `str`, and `remove` and `truncate` cut between two characters.
        unsafe {
            let bytes = core::slice::from_raw_parts(self.bytes.as_ptr().cast::<u8>(), usize::from(self.length));
            core::str::from_utf8_unchecked(bytes)
        }
    }

    /// The text at `span`.
    #[inline]
    pub(super) fn text(&self, span: Span) -> &str {
        let start = usize::from(span.start);
        self.whole().get(start..start + span.len()).unwrap_or_default()
    }

    /// The bytes of the text at `span`.
    #[inline]
    pub(super) fn bytes(&self, span: Span) -> &[u8] {
        let start = usize::from(span.start);
        self.whole().as_bytes().get(start..start + span.len()).unwrap_or_default()
    }

    /// Writes a text of at most `longest` bytes behind the others; what goes beyond that is cut, and `…` takes its place. There
    /// must be room for `longest` bytes, and for `…` in them.
    #[inline]
    pub(super) fn write(&mut self, longest: usize, text: impl FnOnce(&mut Clip<'_, N>)) -> Span {
        let start = self.length;
        let mut clip = Clip { end: usize::from(start) + longest, cut: false, arena: self };
        text(&mut clip);
        let Clip { end, cut, .. } = clip;
        if cut {
            self.mark(end);
        }
        Span { start, length: self.length - start }
    }

    /// Puts `…` where a text would have gone beyond `end`.
    #[cold]
    fn mark(&mut self, end: usize) {
        let room = floor(self.whole(), end - CUT.len());
        self.truncate(room);
        self.push(CUT);
    }

    /// Takes a text out. Those behind it move.
    pub(super) fn remove(&mut self, span: Span) {
        let start = usize::from(span.start);
        let end = start + span.len();
        let whole = self.whole();
        assert!(whole.is_char_boundary(start) && whole.is_char_boundary(end), "a text is whole characters");
        self.bytes.copy_within(end..usize::from(self.length), start);
        self.length -= span.length;
    }

    /// Becomes a copy of `source`: of its texts, and not of the room behind them.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(super) fn copy_from(&mut self, source: &Self) {
        // In pieces of a length that is known beforehand; what is not written behind the last text comes along.
        const PIECE: usize = 32;
        let pieces = usize::from(source.length).div_ceil(PIECE);
        let (to, from) = (self.bytes.chunks_mut(PIECE), source.bytes.chunks(PIECE));
        for (to, from) in to.zip(from).take(pieces) {
            match (<&mut [_; PIECE]>::try_from(&mut *to), <&[_; PIECE]>::try_from(from)) {
                (Ok(to), Ok(from)) => *to = *from,
                _ => to.copy_from_slice(from),
            }
        }
        self.length = source.length;
    }

    fn truncate(&mut self, length: usize) {
        assert!(self.whole().is_char_boundary(length), "a text is cut between two characters");
        // A boundary is within the length, which is a `u16`.
        self.length = length as u16;
    }

    #[inline]
    fn push(&mut self, more: &str) {
        let start = usize::from(self.length);
        let room = &mut self.bytes[start..start + more.len()];
        // SAFETY: `room` is as long as `more`, and nobody else's while it is borrowed.
        unsafe { core::ptr::copy_nonoverlapping(more.as_ptr(), room.as_mut_ptr().cast::<u8>(), more.len()) };
        // Within `N`, as the slice has shown, and `LIMIT` was looked at in `new`.
        self.length = (start + more.len()) as u16;
    }
}

/// Writes what fits, and remembers whether that was all.
pub(super) struct Clip<'a, const N: usize> {
    arena: &'a mut Arena<N>,
    /// Where in the arena the text must end.
    end: usize,
    cut: bool,
}

impl<const N: usize> Clip<'_, N> {
    #[inline]
    pub(super) fn add(&mut self, more: &str) {
        let length = usize::from(self.arena.length);
        if self.cut {
            return;
        }
        if length + more.len() <= self.end {
            self.arena.push(more);
        } else {
            self.arena.push(&more[..floor(more, self.end - length)]);
            self.cut = true;
        }
    }

    /// The text ends here although it should not.
    pub(super) const fn cut(&mut self) {
        self.cut = true;
    }
}

impl<const N: usize> fmt::Write for Clip<'_, N> {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        self.add(more);
        Ok(())
    }
}

/// The last place in `text` at or before `at` that is not inside of a character.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

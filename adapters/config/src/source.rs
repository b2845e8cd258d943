//! A text that settings were read from, and the places in it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::catalogue::{self, Step};
use crate::origin::Origin;

/// A text, and where the keys in it stand.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: Arc<str>,
    pub(crate) via: Via,
    /// In the order of the text.
    keys: Vec<Key>,
}

/// How a text came to us.
#[derive(Clone, Debug)]
pub(crate) enum Via {
    File,
    /// One variable of the environment, as `NAME=value`.
    Variable(String),
    /// The same, under a name that is on its way out.
    Legacy(String),
    /// One flag, as `NAME=value`.
    Flag(String),
}

/// A key in a text.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) span: Range<usize>,
    /// Its dotted path, each name cut to a length that can be shown.
    pub(crate) path: String,
}

/// A place in a source.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) source: Arc<Source>,
    pub(crate) span: Range<usize>,
}

impl Source {
    pub(crate) fn new(name: impl Into<String>, text: impl Into<Arc<str>>, via: Via, keys: Vec<Key>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into(), via, keys })
    }

    /// A text that is not shown, since nothing is known of what is in it.
    pub(crate) fn unseen(name: impl Into<String>) -> Arc<Self> {
        Self::new(name, "", Via::File, Vec::new())
    }

    /// The path of the last key that begins at `offset` or before: the one that is being written there.
    pub(crate) fn key_at(&self, offset: usize) -> &str {
        let after = self.keys.partition_point(|key| key.span.start <= offset);
        after.checked_sub(1).map_or("(the whole file)", |index| &self.keys[index].path)
    }

    /// The place where the key with this path stands first.
    pub(crate) fn first_of(&self, path: &str) -> Option<&Range<usize>> {
        self.keys.iter().find(|key| key.path == path).map(|key| &key.span)
    }

    /// Whether there is nothing more in the line from `offset` on, but for spaces and a comment.
    pub(crate) fn ends_at(&self, offset: usize) -> bool {
        let rest = &self.text[floor(&self.text, offset)..self.line_at(offset).end.max(floor(&self.text, offset))];
        let rest = rest.trim_ascii_start();
        rest.is_empty() || rest.starts_with('#')
    }

    /// The line at `offset` without its end.
    fn line_at(&self, offset: usize) -> Range<usize> {
        let bytes = self.text.as_bytes();
        let offset = offset.min(bytes.len());
        let start = bytes[..offset].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let end = bytes[offset..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |at| offset + at);
        let end = if end > start && bytes[end - 1] == b'\r' { end - 1 } else { end };
        start..end.max(start)
    }

    /// What of a line is not shown: the values of secrets, and of keys that nobody knows, since a misspelt secret is one too.
    fn masks(&self, line: &Range<usize>) -> Vec<(Range<usize>, &'static str)> {
        let first = self.keys.partition_point(|key| key.span.start < line.start).saturating_sub(1);
        let mut masks = Vec::new();
        for (index, key) in self.keys.iter().enumerate().skip(first) {
            if key.span.start >= line.end {
                break;
            }
            let next = self.keys.get(index + 1).map_or(self.text.len(), |next| next.span.start);
            let mask = match catalogue::find(key.path.split('.')) {
                Some(Step::Leaf(kind)) if kind.is_secret() => "[redacted]",
                Some(_) => continue,
                None => "…",
            };
            // Keys and values may go over several lines.
            let start = key.span.end.clamp(line.start, line.end);
            let value = start..next.clamp(start, line.end);
            // The sign between key and value stays, and what stands before the next key.
            let text = &self.text[value.clone()];
            let from = value.start + text.find(|c: char| !" \t=:\"'".contains(c)).unwrap_or(text.len());
            let to = value.start + text.trim_end_matches([' ', '\t', ',', '{', '}', '"', '\'', '[', ']']).len();
            if from < to {
                masks.push((from..to, mask));
            }
        }
        masks
    }
}

/// A line as it may be shown, with a part of it to point at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    pub(crate) source: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// Counted from 1, in characters.
    pub(crate) column: usize,
    pub(crate) text: String,
    /// In bytes of `text`.
    pub(crate) mark: Range<usize>,
}

/// The most characters of a line that are shown.
const WIDEST: usize = 100;

impl Place {
    pub(crate) fn new(source: &Arc<Source>, span: Range<usize>) -> Self {
        Self { source: Arc::clone(source), span }
    }

    /// Line and column, each counted from 1, the column in characters.
    pub(crate) fn line_and_column(&self) -> (usize, usize) {
        let text = &self.source.text;
        let before = &text[..floor(text, self.span.start)];
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        let column = before[before.rfind('\n').map_or(0, |at| at + 1)..].chars().count() + 1;
        (line, column)
    }

    pub(crate) fn origin(&self) -> Origin {
        let (line, column) = self.line_and_column();
        match &self.source.via {
            Via::File => Origin::File { path: self.source.name.clone(), line, column },
            Via::Variable(name) => Origin::Variable { name: name.clone() },
            Via::Legacy(name) => Origin::Legacy { name: name.clone() },
            Via::Flag(name) => Origin::Flag { name: name.clone() },
        }
    }

    /// The line around this place, without secrets, cut to what can be read.
    pub(crate) fn excerpt(&self) -> Excerpt {
        let (line, column) = self.line_and_column();
        let around = self.source.line_at(self.span.start);
        let start = floor(&self.source.text, self.span.start).clamp(around.start, around.end);
        let end = floor(&self.source.text, self.span.end).clamp(start, around.end);
        let mut shown = Shown { text: String::new(), mark: 0..0 };
        let mut at = around.start;
        for (mask, instead) in self.source.masks(&around) {
            shown.push(&self.source.text[at..mask.start], at, start, end);
            // A mark that points into what is masked points at all of it.
            let marked = start < mask.end && mask.start < end.max(start + 1);
            let from = shown.text.len();
            shown.text.push_str(instead);
            if marked {
                let first = if start >= mask.start { from } else { shown.mark.start };
                shown.mark = first..shown.text.len();
            }
            at = mask.end;
        }
        shown.push(&self.source.text[at..around.end], at, start, end);
        let (text, mark) = shown.cut();
        Excerpt { source: self.source.name.clone(), line, column, text, mark }
    }
}

/// A line that is being put together.
struct Shown {
    text: String,
    mark: Range<usize>,
}

impl Shown {
    /// Appends `part`, which stands at `at`, and moves the mark with the part of `start..end` that lies in it.
    fn push(&mut self, part: &str, at: usize, start: usize, end: usize) {
        let here = self.text.len();
        let last = at + part.len();
        if (at..=last).contains(&start) && (self.mark.is_empty() || start > at) {
            self.mark = here + (start - at)..here + (end.min(last) - at);
        } else if start < at && end > at {
            self.mark.end = here + (end.min(last) - at);
        }
        self.text.push_str(part);
    }

    /// The part of the line around the mark that is wide enough to see.
    fn cut(self) -> (String, Range<usize>) {
        // A control character could change what a terminal shows.
        let clean = |c: char| if c.is_control() && c != '\t' { '\u{fffd}' } else { c };
        let mut before: Vec<char> = self.text[..self.mark.start].chars().rev().take(WIDEST + 1).map(clean).collect();
        before.reverse();
        let marked: Vec<char> = self.text[self.mark.clone()].chars().map(clean).take(WIDEST / 2).collect();
        let after: Vec<char> = self.text[self.mark.end..].chars().take(WIDEST + 1).map(clean).collect();
        // Something must be there to point at, also where something is missing.
        let (marked, after) = match (marked.is_empty(), after.split_first()) {
            (true, None) if before.is_empty() => (marked, Vec::new()),
            (true, None) => (vec![' '], Vec::new()),
            (true, Some((next, after))) => (vec![*next], after.to_vec()),
            (false, _) => (marked, after),
        };
        let room = WIDEST - marked.len();
        let ahead = before.len().min(room.saturating_sub(after.len()).max(room / 2));
        let behind = after.len().min(room - ahead);
        let mut text = String::from(if ahead < before.len() { "…" } else { "" });
        text.extend(&before[before.len() - ahead..]);
        let start = text.len();
        text.extend(&marked);
        let mark = start..text.len();
        text.extend(&after[..behind]);
        text.push_str(if behind < after.len() { "…" } else { "" });
        (text, mark)
    }
}

/// Without the text: it may hold secrets (G8).
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.origin(), f)
    }
}

/// The nearest start of a character at `at` or before.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

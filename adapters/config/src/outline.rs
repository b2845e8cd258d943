//! The keys of a text in a row, counted against the limits before anything is built from it.

use std::ops::Range;

use crate::limits::Limits;
use crate::source::Key;

/// Collects keys while a text is scanned, and notices when it goes beyond a limit.
pub(crate) struct Outline {
    limits: Limits,
    keys: Vec<Key>,
    values: usize,
    pub(crate) beyond: Option<Beyond>,
}

/// Where a text goes beyond a limit, and beyond which.
pub(crate) struct Beyond {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
}

/// The most bytes of a name that a path shows.
const LONGEST_NAME: usize = 64;

impl Outline {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, keys: Vec::new(), values: 0, beyond: None }
    }

    /// Whether scanning should go on.
    pub(crate) fn is_within(&self) -> bool {
        self.beyond.is_none()
    }

    /// A key with its path from the root.
    pub(crate) fn key<'a>(&mut self, span: Range<usize>, path: impl IntoIterator<Item = &'a str>) {
        self.value(span.clone());
        if self.is_within() {
            let names: Vec<&str> = path.into_iter().collect();
            self.depth(span.clone(), names.len());
            self.keys.push(Key { span, path: names.join(".") });
        }
    }

    /// One more thing of which there is a limited number.
    pub(crate) fn value(&mut self, span: Range<usize>) {
        self.values += 1;
        if self.values > self.limits.keys {
            self.stop(span, format!("more than {} keys and values, which is the limit", self.limits.keys));
        }
    }

    /// Something at this depth.
    pub(crate) fn depth(&mut self, span: Range<usize>, depth: usize) {
        if depth > self.limits.depth {
            self.stop(span, format!("nested deeper than {} levels, which is the limit", self.limits.depth));
        }
    }

    fn stop(&mut self, span: Range<usize>, message: String) {
        self.beyond.get_or_insert(Beyond { span, message });
    }

    pub(crate) fn into_keys(self) -> (Vec<Key>, Option<Beyond>) {
        (self.keys, self.beyond)
    }
}

/// A name, cut to a length that can be shown; what is not printable is escaped.
pub(crate) fn shown(name: &str) -> String {
    let escaped = name.chars().take(LONGEST_NAME).flat_map(|c| {
        let plain = !c.is_control();
        plain.then_some(c).into_iter().chain(c.escape_default().filter(move |_| !plain))
    });
    let mut text: String = escaped.collect();
    if name.chars().nth(LONGEST_NAME).is_some() {
        text.push('…');
    }
    text
}

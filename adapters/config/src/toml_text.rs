//! TOML as keys in a row, and as a tree.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_parser::parser::{Event, EventKind, RecursionGuard, parse_document};

use crate::limits::Limits;
use crate::node::{Entry, Node, Raw, number};
use crate::outline::{Outline, shown};

/// What a text that is not of its format has, and where.
pub(crate) struct Fault {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
}

/// The keys of a text, with or without faults in it.
pub(crate) fn outline(text: &str, limits: Limits) -> Outline {
    let source = toml_parser::Source::new(text);
    let tokens = source.lex().into_vec();
    let mut scan = Scan {
        text,
        outline: Outline::new(limits),
        limit: limits.depth,
        header: Vec::new(),
        names: Vec::new(),
        open: Vec::new(),
        last: Vec::new(),
    };
    let mut receiver = |event: Event| scan.event(event);
    // Deeper than the limit nothing is entered: the scan tells of it, and its stack stays small.
    let depth = u32::try_from(limits.depth).unwrap_or(u32::MAX);
    parse_document(&tokens, &mut RecursionGuard::new(&mut receiver, depth), &mut ());
    scan.outline
}

/// Follows where in the tree the text is.
struct Scan<'a> {
    text: &'a str,
    outline: Outline,
    /// How many names a path may have.
    limit: usize,
    /// The names of the last table header.
    header: Vec<String>,
    /// The names of the key that is being read, each with its place.
    names: Vec<(String, Range<usize>)>,
    /// For each inline table and list that is open the path, below the header, of the key whose value it is in.
    open: Vec<Vec<String>>,
    /// The path of the key that was read last, below the header.
    last: Vec<String>,
}

impl Scan<'_> {
    fn event(&mut self, event: Event) {
        let span = event.span().start()..event.span().end();
        if !self.outline.is_within() {
            return;
        }
        match event.kind() {
            EventKind::StdTableOpen | EventKind::ArrayTableOpen => {
                self.header.clear();
                self.names.clear();
                self.open.clear();
            }
            EventKind::StdTableClose | EventKind::ArrayTableClose => self.header = self.close_key(),
            EventKind::SimpleKey => {
                let name = self.text[span.clone()].trim_matches(['"', '\'']);
                self.names.push((shown(name), span));
                // Noticed while the key is read: one that is too long need not be kept.
                if self.header.len() + self.names.len() > self.limit {
                    self.close_key();
                }
            }
            EventKind::KeyValSep => self.last = self.close_key(),
            EventKind::InlineTableOpen | EventKind::ArrayOpen => {
                self.open.push(self.last.clone());
                self.outline.depth(span, self.open.len());
            }
            EventKind::InlineTableClose | EventKind::ArrayClose => self.last = self.open.pop().unwrap_or_default(),
            EventKind::ValueSep => self.outline.value(span),
            _ => {}
        }
    }

    /// The key whose names were read: it is put into the outline, and its path below the header is returned.
    fn close_key(&mut self) -> Vec<String> {
        let first = self.names.first().map(|(_, span)| span.start);
        let last = self.names.last().map(|(_, span)| span.end);
        let mut path = self.open.last().cloned().unwrap_or_default();
        path.extend(self.names.drain(..).map(|(name, _)| name));
        if let (Some(start), Some(end)) = (first, last) {
            self.outline.key(start..end, self.header.iter().chain(&path).map(String::as_str));
        }
        path
    }
}

/// The tree of a text, as far as it is one, and what is wrong with the rest.
pub(crate) fn tree(text: &str) -> (Node, Vec<Fault>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let span = table.span();
    let node = Node { span, raw: table_of(table.into_inner()) };
    let faults = errors.into_iter().map(|error| {
        let end = text.len();
        Fault { span: error.span().unwrap_or(end..end), message: error.message().to_owned() }
    });
    (node, faults.collect())
}

fn table_of(table: DeTable<'_>) -> Raw {
    let entries = table.into_iter().map(|(name, value)| {
        let span = name.span();
        Entry { name: name.into_inner().into_owned(), span, value: node_of(value) }
    });
    Raw::Table(entries.collect())
}

fn node_of(value: Spanned<DeValue<'_>>) -> Node {
    let span = value.span();
    let raw = match value.into_inner() {
        DeValue::String(text) => Raw::Text(text.into_owned()),
        DeValue::Integer(integer) => Raw::Number(number(integer.as_str(), integer.radix())),
        DeValue::Boolean(flag) => Raw::Flag(flag),
        DeValue::Array(list) => Raw::List(list.into_iter().map(node_of).collect()),
        DeValue::Table(table) => table_of(table),
        DeValue::Float(_) => Raw::Other("a number with a fraction"),
        DeValue::Datetime(_) => Raw::Other("a date or time"),
    };
    Node { span, raw }
}

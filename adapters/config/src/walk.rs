//! The way from the tree of a file to settings: what the names and values in it mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::catalogue::{ROOT, Shape, Step, nearest};
use crate::node::{Entry, Node, Raw};
use crate::outline::shown;
use crate::problem::{Draft, ProblemKind};
use crate::source::{Place, Source};
use crate::value::value_of;

/// A value for a place in the tree of settings.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) path: Vec<String>,
    pub(crate) value: Value,
    pub(crate) place: Place,
}

/// What an input sets, and what is wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) drafts: Vec<Draft>,
}

/// Walks the tree of a file.
pub(crate) fn walk(source: &Arc<Source>, root: Node) -> Read {
    let mut walk = Walk { source, path: Vec::new(), read: Read::default() };
    walk.inner(ROOT, root);
    walk.read
}

struct Walk<'a> {
    source: &'a Arc<Source>,
    path: Vec<String>,
    read: Read,
}

impl Walk<'_> {
    fn inner(&mut self, shape: Shape, node: Node) {
        let Raw::Table(entries) = node.raw else {
            let what = node.raw.what();
            let place = Place::new(self.source, node.span);
            let message = format!("must be a table, not {what}");
            self.read.drafts.push(
                Draft::new(ProblemKind::WrongType, self.key(None), Some(place), message)
                    .label(format!("this is {what}")),
            );
            return;
        };
        // A name of its own says something even if nothing is below it: there is such a dependency, no fallback is named.
        if !self.path.is_empty() && !matches!(shape, Shape::Table(_)) {
            self.assign(Value::Object(Map::new()), Place::new(self.source, node.span));
        }
        let mut seen: BTreeMap<String, Place> = BTreeMap::new();
        for entry in entries {
            let place = Place::new(self.source, entry.span.clone());
            if let Some(first) = seen.get(&entry.name) {
                self.read.drafts.push(Draft::twice(self.key(Some(&entry.name)), place, first.clone()));
                continue;
            }
            seen.insert(entry.name.clone(), place);
            self.entry(shape, entry);
        }
    }

    fn entry(&mut self, shape: Shape, entry: Entry) {
        let step = shape.step(&entry.name);
        self.path.push(entry.name);
        match step {
            None => self.unknown(shape, entry.span),
            Some(Step::Inner(inner)) => self.inner(inner, entry.value),
            Some(Step::Leaf(kind)) => match value_of(kind, &entry.value) {
                Ok(value) => self.assign(value, Place::new(self.source, entry.value.span)),
                Err(refusal) => {
                    let place = Place::new(self.source, refusal.at);
                    let draft = Draft::new(refusal.kind, self.key(None), Some(place), refusal.message);
                    self.read.drafts.push(draft.label(refusal.label).suggest(refusal.nearest));
                }
            },
        }
        self.path.pop();
    }

    fn unknown(&mut self, shape: Shape, span: std::ops::Range<usize>) {
        let name = self.path.last().map_or("", String::as_str);
        let names = shape.names();
        let draft = if names.is_empty() {
            let what = countermand_core::config::Form::NAME.what;
            Draft::new(
                ProblemKind::BadValue,
                self.key(None),
                Some(Place::new(self.source, span)),
                format!("a name here must be {what}"),
            )
            .label("this is not")
        } else {
            let suggestion = nearest(name, names.iter().copied());
            let draft = Draft::new(
                ProblemKind::UnknownKey,
                self.key(None),
                Some(Place::new(self.source, span)),
                "there is no such setting",
            )
            .label("not known here");
            match suggestion {
                Some(_) => draft.suggest(suggestion),
                None => draft.help(format!("known here: {}", names.join(", "))),
            }
        };
        self.read.drafts.push(draft);
    }

    fn assign(&mut self, value: Value, place: Place) {
        self.read.assignments.push(Assignment { path: self.path.clone(), value, place });
    }

    /// The dotted path of where the walk is, as it may be shown.
    fn key(&self, last: Option<&str>) -> String {
        let names: Vec<String> = self.path.iter().map(String::as_str).chain(last).map(shown).collect();
        if names.is_empty() { String::from("(the whole file)") } else { names.join(".") }
    }
}

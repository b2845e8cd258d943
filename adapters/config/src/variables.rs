//! The way from variables and flags to settings: what their names and texts mean.

use std::collections::BTreeMap;

use crate::catalogue::{ROOT, Shape, Step, find, nearest};
use crate::environment::{Environment, PREFIX, Variable, variable_of};
use crate::legacy::{Legacy, legacy};
use crate::outline::shown;
use crate::problem::{Draft, ProblemKind};
use crate::source::{Key, Place, Source, Via};
use crate::value::{node_of_text, value_of};
use crate::walk::{Assignment, Read};

/// The variables under their old names, each with what it is now.
pub(crate) fn legacy_variables(environment: &Environment) -> impl Iterator<Item = (&Variable, &'static Legacy)> {
    environment.variables.iter().filter_map(|variable| Some((variable, legacy(&variable.name)?)))
}

impl Read {
    /// Reads what has our prefix.
    pub(crate) fn variables(environment: &Environment) -> Self {
        let mut read = Self::default();
        let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
        for variable in environment.variables.iter().filter(|variable| variable.name.starts_with(PREFIX)) {
            let path = path_of(&variable.name);
            let key = path.join(".");
            let is_setting = variable_of(&key) == variable.name
                && matches!(find(path.iter().map(String::as_str)), Some(Step::Leaf(_)));
            // Of what sets nothing, nothing is known, and its value is not shown.
            let source = variable.source(Via::Variable(variable.name.clone()), if is_setting { &key } else { "" });
            let place = Place::new(&source, variable.name_span());
            if let Some(first) = seen.get(variable.name.as_str()) {
                read.drafts.push(Draft::twice(key, place, first.clone()));
                continue;
            }
            seen.insert(&variable.name, place.clone());
            if is_setting {
                read.text(path, &source, variable.value.as_deref(), variable.value_at());
            } else if !mutant!(UnknownVariableIgnored) {
                let known = known_variables();
                let suggestion = near_variable(&path)
                    .or_else(|| nearest(&variable.name, known.iter().map(String::as_str)).map(str::to_owned));
                let message = format!("the variable {} names no setting", shown(&variable.name));
                let draft =
                    Draft::new(ProblemKind::UnknownVariable, shown(&key), Some(place), message).label("not known");
                read.drafts.push(draft.suggest(suggestion.as_deref()));
            }
        }
        read
    }

    /// Reads a variable under its old name.
    pub(crate) fn legacy(&mut self, variable: &Variable, legacy: &Legacy) {
        let source = variable.source(Via::Legacy(variable.name.clone()), legacy.key);
        let path = legacy.key.split('.').map(str::to_owned).collect();
        let text = variable.value.as_deref().map(|text| legacy.reading.read(text));
        match text {
            Some(None) => {
                let span = variable.value_at()..variable.value_at() + variable.value.as_ref().map_or(0, String::len);
                let place = Place::new(&source, span);
                let message = format!("{} must be a number of seconds", variable.name);
                self.drafts.push(Draft::new(ProblemKind::WrongType, legacy.key, Some(place), message));
            }
            text => self.text(path, &source, text.flatten().as_deref(), variable.value_at()),
        }
    }

    /// Reads a flag that sets `key` to `text`; `first` is where the same key was set before.
    pub(crate) fn flag(&mut self, key: &str, text: &str, first: Option<&Place>) -> Place {
        let line = format!("{key}={text}");
        let keys = vec![Key { span: 0..key.len(), path: key.to_owned() }];
        let source = Source::new("flags", line, Via::Flag(shown(key)), keys);
        let place = Place::new(&source, 0..key.len());
        let path: Vec<String> = key.split('.').map(str::to_owned).collect();
        if let Some(first) = first {
            self.drafts.push(Draft::twice(shown(key), place.clone(), first.clone()));
        } else if matches!(find(path.iter().map(String::as_str)), Some(Step::Leaf(_))) {
            self.text(path, &source, Some(text), key.len() + 1);
        } else {
            let known = known_keys();
            let suggestion =
                near_key(&path).or_else(|| nearest(key, known.iter().map(String::as_str)).map(str::to_owned));
            let draft =
                Draft::new(ProblemKind::UnknownKey, shown(key), Some(place.clone()), "there is no such setting");
            self.drafts.push(draft.label("not known").suggest(suggestion.as_deref()));
        }
        place
    }

    /// The text, which begins at `start` in its source, as the value of the setting at `path`.
    fn text(&mut self, path: Vec<String>, source: &std::sync::Arc<Source>, text: Option<&str>, start: usize) {
        let Some(Step::Leaf(kind)) = find(path.iter().map(String::as_str)) else { return };
        let key = path.join(".");
        let Some(text) = text else {
            let place = Place::new(source, start..start);
            self.drafts.push(Draft::new(ProblemKind::BadValue, key, Some(place), "the value is not UTF-8"));
            return;
        };
        let node = node_of_text(kind, text, start);
        let place = Place::new(source, node.span.clone());
        match value_of(kind, &node) {
            Ok(value) => self.assignments.push(Assignment { path, value, place }),
            Err(refusal) => {
                let draft = Draft::new(refusal.kind, key, Some(Place::new(source, refusal.at)), refusal.message);
                self.drafts.push(draft.label(refusal.label).suggest(refusal.nearest));
            }
        }
    }
}

/// The path that the name of a variable spells.
fn path_of(name: &str) -> Vec<String> {
    name[PREFIX.len()..].split("__").map(str::to_ascii_lowercase).collect()
}

/// The path with its first unknown name replaced by the nearest known one, if that makes it the path of a setting.
fn near_key(path: &[String]) -> Option<String> {
    let mut shape = ROOT;
    let mut near = Vec::new();
    for name in path {
        let known = match shape.step(name) {
            Some(_) => name.as_str(),
            None => nearest(name, shape.names())?,
        };
        near.push(known.to_owned());
        match shape.step(known)? {
            Step::Inner(inner) => shape = inner,
            Step::Leaf(_) => break,
        }
    }
    let found = find(near.iter().map(String::as_str));
    (near.len() == path.len() && matches!(found, Some(Step::Leaf(_)))).then(|| near.join("."))
}

fn near_variable(path: &[String]) -> Option<String> {
    near_key(path).map(|key| variable_of(&key))
}

/// The dotted keys of the shared sections.
pub(crate) fn known_keys() -> Vec<String> {
    let Shape::Table(sections) = ROOT else { return Vec::new() };
    let keys = sections.iter().filter_map(|(section, shape)| match shape {
        Shape::Section(settings) => Some(settings.iter().map(move |setting| format!("{section}.{}", setting.key))),
        _ => None,
    });
    keys.flatten().collect()
}

fn known_variables() -> Vec<String> {
    known_keys().iter().map(|key| variable_of(key)).collect()
}

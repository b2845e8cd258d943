//! A loaded configuration as text: every value, if asked with where it came from.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::format::Format;
use crate::loaded::Loaded;
use crate::origin::Origin;
use crate::secrets::secrets;

/// What a listing says.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Listing {
    /// Whether each value tells where it came from.
    pub origins: bool,
    /// Whether secrets are shown. Look twice at where the text goes.
    pub reveal_secrets: bool,
}

impl Listing {
    /// Values alone, secrets redacted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every value as text. It can be loaded again, without the secrets that are not shown: in TOML they are a comment, in JSON a text that
    /// no secret can have. JSON with origins is not such a file: it has for each dotted key an object with `value` and `origin`.
    #[must_use]
    pub fn text(self, loaded: &Loaded, format: Format) -> String {
        let secrets = secrets(loaded.config());
        let values = loaded.values().into_iter().map(|(key, value, origin)| match secrets.get(&key) {
            Some(secret) if self.reveal_secrets => (key, Value::from(secret.expose()), origin),
            _ => (key, value, origin),
        });
        match format {
            Format::Toml => self.toml(values, |key| secrets.get(key).is_some_and(|secret| !secret.is_empty())),
            Format::Json => self.json(values),
        }
    }

    fn toml(self, values: impl Iterator<Item = (String, Value, Origin)>, is_secret: impl Fn(&str) -> bool) -> String {
        let mut tables: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for (key, value, origin) in values {
            let (table, name) = key.rsplit_once('.').unwrap_or(("", &key));
            let line = if is_secret(&key) && !self.reveal_secrets {
                format!("# {name} = [redacted]")
            } else {
                format!("{name} = {}", toml_of(&value))
            };
            tables.entry(table.to_owned()).or_default().push((line, origin.to_string()));
        }
        let mut text = String::new();
        for (table, lines) in tables {
            let _ = writeln!(text, "{}[{table}]", if text.is_empty() { "" } else { "\n" });
            let widest = lines.iter().map(|(line, _)| line.len()).max().unwrap_or_default();
            for (line, origin) in lines {
                let _ = match self.origins {
                    true => writeln!(text, "{line:widest$}  # {origin}"),
                    false => writeln!(text, "{line}"),
                };
            }
        }
        text
    }

    fn json(self, values: impl Iterator<Item = (String, Value, Origin)>) -> String {
        let mut root = Map::new();
        for (key, value, origin) in values {
            if self.origins {
                root.insert(key, json!({ "value": value, "origin": origin.to_string() }));
                continue;
            }
            let mut names = key.split('.');
            let last = names.next_back().unwrap_or_default();
            let table = names.try_fold(&mut root, |table, name| {
                table.entry(name).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
            });
            if let Some(table) = table {
                table.insert(last.to_owned(), value);
            }
        }
        format!("{:#}\n", Value::Object(root))
    }
}

/// A value as TOML writes it.
pub(crate) fn toml_of(value: &Value) -> String {
    match value {
        Value::String(text) => toml::Value::from(text.as_str()).to_string(),
        Value::Array(list) => format!("[{}]", list.iter().map(toml_of).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

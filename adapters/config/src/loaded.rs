//! A configuration that was loaded, with where each value came from.

use std::collections::BTreeMap;

use countermand_core::config::ExecutionConfig;
use serde_json::Value;

use crate::legacy::Deprecation;
use crate::merge::origin_of;
use crate::origin::Origin;
use crate::source::Place;

/// A configuration that was loaded: it is valid, and every value can tell where it came from.
#[derive(Debug)]
pub struct Loaded {
    config: ExecutionConfig,
    origins: BTreeMap<String, Place>,
    deprecations: Vec<Deprecation>,
}

impl Loaded {
    pub(crate) fn new(
        config: ExecutionConfig,
        origins: BTreeMap<String, Place>,
        deprecations: Vec<Deprecation>,
    ) -> Self {
        Self { config, origins, deprecations }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &ExecutionConfig {
        &self.config
    }

    /// The configuration, without where it came from.
    #[must_use]
    pub fn into_config(self) -> ExecutionConfig {
        self.config
    }

    /// Where the value of a dotted key came from. What a subsystem does not say itself comes from where the shared value does.
    #[must_use]
    pub fn origin(&self, key: &str) -> Origin {
        origin_of(&self.origins, key).map_or(Origin::Default, Place::origin)
    }

    /// The variables under their old names that were there, in the order in which they were given.
    #[must_use]
    pub fn deprecations(&self) -> &[Deprecation] {
        &self.deprecations
    }

    /// Every value with its dotted key and where it came from, in the order of the keys. Secrets are redacted.
    #[must_use]
    pub fn values(&self) -> Vec<(String, Value, Origin)> {
        let mut all = Vec::new();
        if let Ok(value) = serde_json::to_value(&self.config) {
            flatten(&mut String::new(), value, &mut |key, value| {
                all.push((key.to_owned(), value, self.origin(key)));
            });
        }
        all
    }
}

/// Gives every value that is not a table of others, with its dotted path.
pub(crate) fn flatten(path: &mut String, value: Value, each: &mut impl FnMut(&str, Value)) {
    match value {
        Value::Object(table) if !table.is_empty() => {
            let length = path.len();
            for (name, value) in table {
                if length > 0 {
                    path.push('.');
                }
                path.push_str(&name);
                flatten(path, value, each);
                path.truncate(length);
            }
        }
        // A table with nothing in it sets nothing.
        Value::Object(_) => {}
        value => each(path, value),
    }
}

//! Layers of settings, put one over the other.

use std::collections::BTreeMap;

use countermand_core::config::ExecutionConfig;
use serde_json::{Map, Value};

use crate::problem::{Draft, ProblemKind};
use crate::source::Place;
use crate::walk::Assignment;

/// What the layers so far have set, and where each value came from.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    root: Map<String, Value>,
    /// By dotted key.
    origins: BTreeMap<String, Place>,
}

impl Merged {
    /// Puts a layer over what there is. Tables grow together; a value, also a list, takes the place of the one below.
    pub(crate) fn put(&mut self, layer: impl IntoIterator<Item = Assignment>) {
        for Assignment { path, value, place } in layer {
            let key = path.join(".");
            let Some((last, above)) = path.split_last() else { continue };
            let mut table = Some(&mut self.root);
            for name in above {
                let inner = table.map(|table| table.entry(name.clone()).or_insert_with(|| Value::Object(Map::new())));
                table = inner.and_then(Value::as_object_mut);
            }
            let Some(table) = table else { continue };
            // An empty table says only that it is there.
            if !value.is_object() || !table.contains_key(last) {
                table.insert(last.clone(), value);
                self.origins.insert(key, place);
            }
        }
    }

    /// The configuration that the layers make, and where its values came from; or what is wrong with it.
    pub(crate) fn build(self) -> Result<(ExecutionConfig, BTreeMap<String, Place>), Vec<Draft>> {
        let built: Result<ExecutionConfig, _> = serde_path_to_error::deserialize(Value::Object(self.root));
        let config = match built {
            Ok(config) => config,
            // The walk has looked at every value; this says so if it ever looks less closely than the types do.
            Err(error) => {
                let key = error.path().to_string();
                let place = self.origins.get(&key).cloned();
                return Err(vec![Draft::new(ProblemKind::BadValue, key, place, error.inner())]);
            }
        };
        match config.check() {
            Ok(()) => Ok((config, self.origins)),
            Err(faults) => {
                let drafts = faults.all().iter().map(|fault| {
                    let message = format!("{} cannot be: {}", fault.value, fault.why);
                    let place = origin_of(&self.origins, &fault.key).cloned();
                    Draft::new(ProblemKind::Conflict, fault.key.clone(), place, message).label("this value")
                });
                Err(drafts.collect())
            }
        }
    }
}

/// Where the value of a key came from. What a subsystem does not say itself comes from where the shared value does.
pub(crate) fn origin_of<'a>(origins: &'a BTreeMap<String, Place>, key: &str) -> Option<&'a Place> {
    let shared = || key.strip_prefix("subsystem.")?.split_once('.').map(|(_, shared)| shared);
    origins.get(key).or_else(|| origins.get(shared()?))
}

//! The configuration as a JSON Schema, for editors and for other people's validators.

use countermand_core::config::{ExecutionConfig, Form, Kind, Setting};
use serde_json::{Map, Value, json};

use crate::catalogue::{ROOT, Shape};

/// The JSON Schema (draft 2020-12) of a configuration file, with the default, the bounds and the meaning of each setting, from the
/// table that the check reads. It says what each value may be; what values must be to each other, only the check knows. Lengths
/// are counted in characters there and in bytes here, which is the same for all but reasons.
///
/// ```
/// let schema = countermand_config::schema();
/// assert_eq!(schema["$defs"]["worker"]["properties"]["lanes"]["default"], 64);
/// assert!(schema["$defs"]["telemetry"]["properties"]["signing_key"].get("default").is_none());
/// ```
#[must_use]
pub fn schema() -> Value {
    let defaults = defaults();
    let mut defs = Map::new();
    let Value::Object(mut root) = of(ROOT, Some(&defaults), "", &mut defs) else { return Value::Null };
    root.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    root.insert("title".into(), "The configuration of a countermand service".into());
    root.insert("$defs".into(), Value::Object(defs));
    Value::Object(root)
}

/// The default of every setting of the shared sections; of dependencies, those of one.
pub(crate) fn defaults() -> Value {
    let dependency = countermand_core::config::DependencySettings::default();
    let mut defaults = serde_json::to_value(ExecutionConfig::default()).unwrap_or_default();
    defaults["dependencies"] = serde_json::to_value(dependency).unwrap_or_default();
    defaults
}

/// The schema of a place in the tree. Sections are put into `defs` and referred to; in subsystems their settings have no defaults but
/// what is shared.
fn of(shape: Shape, defaults: Option<&Value>, name: &str, defs: &mut Map<String, Value>) -> Value {
    match shape {
        Shape::Table(names) => {
            let properties = names.iter().map(|(name, shape)| {
                let defaults = defaults.filter(|_| *name != "subsystem").map(|defaults| &defaults[*name]);
                ((*name).to_owned(), of(*shape, defaults, name, defs))
            });
            let properties: Map<String, Value> = properties.collect();
            json!({ "type": "object", "properties": properties, "additionalProperties": false })
        }
        Shape::Section(settings) => {
            let name = if defaults.is_some() { name.to_owned() } else { format!("{name}_of_subsystem") };
            if !defs.contains_key(&name) {
                let properties: Map<String, Value> = settings
                    .iter()
                    .map(|setting| {
                        (setting.key.to_owned(), of_setting(setting, defaults.map(|defaults| &defaults[setting.key])))
                    })
                    .collect();
                let section = json!({ "type": "object", "properties": properties, "additionalProperties": false });
                defs.insert(name.clone(), section);
            }
            json!({ "$ref": format!("#/$defs/{name}") })
        }
        Shape::Named(inner) => {
            let inner = of(*inner, defaults, name, defs);
            json!({ "type": "object", "propertyNames": of_form(&Form::NAME), "additionalProperties": inner })
        }
        Shape::Reasons => reasons(),
    }
}

fn reasons() -> Value {
    json!({ "type": "object", "propertyNames": of_form(&Form::NAME), "additionalProperties": of_form(&Form::REASON) })
}

fn of_setting(setting: &Setting, default: Option<&Value>) -> Value {
    let mut schema = match setting.kind {
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Number { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
        Kind::Words(words) => {
            json!({ "type": "array", "items": { "type": "string", "enum": words }, "uniqueItems": true })
        }
        Kind::Secret(form) => {
            let mut secret = of_form(form);
            secret["writeOnly"] = true.into();
            secret
        }
        Kind::Text(form) => of_form(form),
        Kind::Reasons => reasons(),
        _ => json!({}),
    };
    schema["description"] = match setting.unit {
        "" => setting.doc.into(),
        unit => format!("{} Unit: {unit}.", setting.doc).into(),
    };
    if let Some(default) = default.filter(|_| !setting.kind.is_secret()) {
        schema["default"] = default.clone();
    }
    schema
}

fn of_form(form: &Form) -> Value {
    json!({ "type": "string", "minLength": form.shortest, "maxLength": form.longest, "pattern": form.pattern })
}

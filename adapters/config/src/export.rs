//! How the torch section reaches a training process: as variables, as JSON, as a Python module.

use std::fmt::Write as _;

use countermand_core::config::TorchSettings;
use serde_json::Value;

use crate::environment::variable_of;

/// What the torch section is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Export {
    /// A `NAME=value` a line, as [`Environment::from_text`](crate::Environment::from_text) and container engines read it. A shell would
    /// want quotes.
    Env,
    /// One object.
    Json,
    /// A module that applies the settings and checks them when it is imported; what does not hold is an error that names all of it.
    Python,
}

/// The module, but for the values.
const MODULE: &str = include_str!("apply.py");

impl Export {
    /// The settings as text. There is no secret among them.
    #[must_use]
    pub fn text(self, torch: &TorchSettings) -> String {
        let value = serde_json::to_value(torch).unwrap_or_default();
        match self {
            Self::Json => format!("{value:#}\n"),
            Self::Env => lines(&value, |key| variable_of(&format!("torch.{key}")), "=", plain),
            Self::Python => {
                let constants = lines(&value, str::to_ascii_uppercase, " = ", python);
                MODULE.replace("SETTINGS = ...\n", &constants)
            }
        }
    }
}

/// A line for each setting, in the order of the table.
fn lines(value: &Value, name: impl Fn(&str) -> String, between: &str, text: impl Fn(&Value) -> String) -> String {
    TorchSettings::SETTINGS.iter().fold(String::new(), |mut lines, setting| {
        let _ = writeln!(lines, "{}{between}{}", name(setting.key), text(&value[setting.key]));
        lines
    })
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What the settings can be is written alike in JSON and Python, but for these two words.
fn python(value: &Value) -> String {
    match value {
        Value::Bool(true) => String::from("True"),
        Value::Bool(false) => String::from("False"),
        other => other.to_string(),
    }
}

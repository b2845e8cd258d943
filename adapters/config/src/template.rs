//! A file with every setting, for people to start from.

use std::fmt::Write as _;

use countermand_core::config::{Kind, Setting};
use serde_json::Value;

use crate::catalogue::{ROOT, Shape};
use crate::listing::toml_of;
use crate::schema::defaults;

/// How wide the comments are.
const WIDTH: usize = 100;

/// A TOML file with every setting at its default, each with its meaning, bounds and unit above it. Loaded, it changes nothing.
///
/// ```
/// use countermand_config::{Format, Loader, template};
/// use countermand_core::config::ExecutionConfig;
/// let loaded = Loader::new().text("countermand.toml", Format::Toml, template()).load().unwrap();
/// assert_eq!(loaded.config(), &ExecutionConfig::default());
/// ```
#[must_use]
pub fn template() -> String {
    let mut text = String::from("# The configuration of a countermand service: every setting, at its default.\n");
    let defaults = defaults();
    let Shape::Table(sections) = ROOT else { return text };
    for (name, shape) in sections {
        match shape {
            Shape::Section(settings) => {
                let _ = write!(text, "\n[{name}]\n");
                section(&mut text, settings, &defaults[*name], "");
            }
            Shape::Named(Shape::Section(settings)) => {
                let about = "What is allowed when a dependency is missing, by its name. Each dependency has a table of its own, as here:";
                let _ = write!(text, "\n{}# [{name}.registry]\n", comment(about));
                section(&mut text, settings, &defaults[*name], "# ");
            }
            _ => {
                let about = "What a subsystem has otherwise, by its name: any of the settings above.";
                let _ = write!(text, "\n{}# [{name}.tolaria.worker]\n# lanes = 256\n", comment(about));
            }
        }
    }
    text
}

fn section(text: &mut String, settings: &[Setting], defaults: &Value, before: &str) {
    for setting in settings {
        let allowed = match (setting.kind, setting.unit) {
            // The doc has the words, and the form of a text.
            (Kind::Flag | Kind::Word(_), _) => String::new(),
            (kind, "") => format!(" It is {kind}."),
            (kind, unit) => format!(" It is {kind}, in {unit}."),
        };
        let _ = write!(text, "{}", comment(&format!("{}{allowed}", setting.doc)));
        let default = match &defaults[setting.key] {
            Value::Object(_) => String::from("{}"),
            default => toml_of(default),
        };
        // A secret belongs into a variable, not into a file that is shown around.
        let secret = if setting.kind.is_secret() && before.is_empty() { "# " } else { "" };
        let _ = writeln!(text, "{before}{secret}{} = {default}", setting.key);
    }
}

/// Lines of comment.
fn comment(about: &str) -> String {
    textwrap::wrap(about, WIDTH).iter().fold(String::new(), |mut lines, line| {
        let _ = writeln!(lines, "# {line}");
        lines
    })
}

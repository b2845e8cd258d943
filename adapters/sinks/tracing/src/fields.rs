//! The fields of an event or a span as texts.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use countermand_core::{Text, Urgency};
use tracing::field::{Field, Visit};

/// How many bytes of one text are kept; what is cut ends with `…`.
pub(crate) const LONGEST: usize = 1024;

/// In the place of a value that panicked while it was shown.
const PANICKED: &str = "(panicked while it was shown)";

/// The fields of an event or a span as texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    /// The field `message`.
    pub(crate) message: Option<String>,
    /// The field `priority`.
    pub(crate) priority: Option<String>,
    /// All others.
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Fields {
    /// Those that `record` shows to a visitor.
    pub(crate) fn of(record: impl FnOnce(&mut dyn Visit)) -> Self {
        let mut fields = Self::default();
        record(&mut fields);
        fields
    }

    /// Takes in others, which count more.
    pub(crate) fn merge(&mut self, others: Self) {
        self.message = others.message.or(self.message.take());
        self.priority = others.priority.or(self.priority.take());
        self.attributes.extend(others.attributes);
    }

    fn put(&mut self, field: &Field, value: String) {
        match field.name() {
            "message" => self.message = Some(value),
            Urgency::INDICATOR => self.priority = Some(value),
            name => {
                self.attributes.insert(String::from(name.strip_prefix("r#").unwrap_or(name)), value);
            }
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, shown(format_args!("{value}")));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put(field, shown(Chain(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, shown(format_args!("{value:?}")));
    }
}

/// What `value` displays. That is code of whoever emits, which must not end with a panic because somebody listens.
fn shown(value: impl fmt::Display) -> String {
    let text = catch_unwind(AssertUnwindSafe(|| Text::<LONGEST>::of(&value)));
    String::from(text.as_ref().map_or(PANICKED, |text| text.as_str()))
}

/// An error with those that caused it.
struct Chain<'e>(&'e (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        // A chain that bites its tail is cut with the text.
        let mut next = self.0.source();
        for _ in 0..LONGEST {
            let Some(error) = next else { break };
            write!(f, ": {error}")?;
            next = error.source();
        }
        Ok(())
    }
}

//! The variables that a configuration is read from.

use std::sync::Arc;

use crate::limits::Limits;
use crate::problem::{Draft, ProblemKind};
use crate::source::{Place, Source, Via};

/// What the names of our variables begin with.
pub const PREFIX: &str = "COUNTERMAND_";

/// The variables of a process, or of a file with a `NAME=value` a line.
///
/// ```
/// use countermand_config::{Environment, Loader};
/// let environment = Environment::from_iter([("COUNTERMAND_WORKER__LANES", "8")]);
/// assert_eq!(Loader::new().environment(environment).load().unwrap().config().worker.lanes, 8);
/// ```
#[derive(Clone, Default)]
pub struct Environment {
    pub(crate) variables: Vec<Variable>,
    /// Lines that are none.
    strays: Vec<Variable>,
}

/// One variable, and where it stands.
#[derive(Clone)]
pub(crate) struct Variable {
    pub(crate) name: String,
    /// Nothing, if it is not UTF-8.
    pub(crate) value: Option<String>,
    from: String,
    text: Arc<str>,
    /// Where its name begins in the text.
    at: usize,
}

impl Environment {
    /// No variables at all.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The variables of this process, as they are now.
    #[must_use]
    pub fn from_process() -> Self {
        let all =
            std::env::vars_os().map(|(name, value)| Variable::alone(&name.to_string_lossy(), value.into_string().ok()));
        Self { variables: all.collect(), strays: Vec::new() }
    }

    /// The variables of a text with a `NAME=value` a line; `name` is what the text is called in messages. A value is all that stands
    /// behind the first `=`, as it stands. Empty lines and those that begin with `#` are passed over; any other is a problem that
    /// loading reports.
    #[must_use]
    pub fn from_text(name: &str, text: &str) -> Self {
        let text: Arc<str> = text.into();
        let mut all = Self::default();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let (start, content) = (at, line.trim_end_matches(['\n', '\r']));
            at += line.len();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let variable = |name_of: &str, value: &str| Variable {
                name: name_of.to_owned(),
                value: Some(value.to_owned()),
                from: name.to_owned(),
                text: Arc::clone(&text),
                at: start,
            };
            match content.split_once('=') {
                Some((name, value)) if !name.is_empty() => all.variables.push(variable(name, value)),
                _ => all.strays.push(variable("", "")),
            }
        }
        all
    }

    /// What is wrong with the text that they came from.
    pub(crate) fn faults(&self) -> impl Iterator<Item = Draft> {
        self.strays.iter().map(|stray| {
            // Nothing is known of the line, so nothing of it is shown: it may hold a secret.
            let source = stray.source(Via::Variable(String::new()), "");
            let place = Place::new(&source, stray.name_span());
            let help = "a line has a name, \"=\" and a value; a comment begins with \"#\"";
            Draft::new(ProblemKind::Syntax, "(a line)", Some(place), "must be NAME=value").help(help)
        })
    }

    /// Whether they are within the limits.
    pub(crate) fn check(&self, limits: Limits) -> Result<(), Box<Draft>> {
        let ours = || self.variables.iter().filter(|variable| variable.name.starts_with(PREFIX));
        let (count, bytes) = (ours().count(), ours().map(Variable::len).sum::<usize>());
        let message = if count > limits.keys {
            format!("{count} variables begin with {PREFIX}, and the limit is {}", limits.keys)
        } else if bytes > limits.bytes {
            format!("the variables that begin with {PREFIX} have {bytes} bytes, and the limit is {}", limits.bytes)
        } else {
            return Ok(());
        };
        let place = Place::new(&Source::unseen("environment"), 0..0);
        Err(Box::new(Draft::new(ProblemKind::Limit, "(all variables)", Some(place), message)))
    }
}

impl Variable {
    fn alone(name: &str, value: Option<String>) -> Self {
        let text = format!("{name}={}", value.as_deref().unwrap_or_default()).into();
        Self { name: name.to_owned(), value, from: String::from("environment"), text, at: 0 }
    }

    fn len(&self) -> usize {
        self.name.len() + self.value.as_ref().map_or(0, String::len)
    }

    /// The text around it; `path` is the dotted key that it sets, or nothing that is known.
    pub(crate) fn source(&self, via: Via, path: &str) -> Arc<Source> {
        let span = self.at..self.at + self.name.len();
        let line = self.text[span.end..].find('\n').map_or(self.text.len(), |end| span.end + end);
        // The line alone says what is hidden in it; the next one begins under another name.
        let next = crate::source::Key { span: line..line, path: String::new() };
        Source::new(
            self.from.clone(),
            Arc::clone(&self.text),
            via,
            vec![crate::source::Key { span, path: path.to_owned() }, next],
        )
    }

    /// Where its value begins in the text.
    pub(crate) fn value_at(&self) -> usize {
        self.at + self.name.len() + 1
    }

    /// Where its name stands.
    pub(crate) fn name_span(&self) -> std::ops::Range<usize> {
        self.at..self.at + self.name.len()
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let alone = |(name, value): (N, V)| Variable::alone(name.as_ref(), Some(value.as_ref().to_owned()));
        Self { variables: variables.into_iter().map(alone).collect(), strays: Vec::new() }
    }
}

/// The names only: a value may be secret, and which are is not known here.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.variables.iter().map(|variable| &variable.name)).finish()
    }
}

/// The name of the variable that sets a dotted key.
#[must_use]
pub fn variable_of(key: &str) -> String {
    let mut name = String::from(PREFIX);
    for (index, part) in key.split('.').enumerate() {
        name.push_str(if index == 0 { "" } else { "__" });
        name.push_str(&part.to_ascii_uppercase());
    }
    name
}

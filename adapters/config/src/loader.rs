//! Layers of input in, a valid configuration out: flags over environment over files over defaults.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::environment::{Environment, variable_of};
use crate::file;
use crate::format::Format;
use crate::legacy::Deprecation;
use crate::limits::Limits;
use crate::loaded::Loaded;
use crate::merge::Merged;
use crate::problem::{Draft, LoadError, ProblemKind};
use crate::source::{Place, Source, Via};
use crate::variables::legacy_variables;
use crate::walk::Read;

/// Loads a configuration. What it reads is what it is given: files when it loads, everything else before (G5).
///
/// Each of these layers covers the ones before it: defaults; variables under their old names; files, in the order in which they were
/// given; variables that begin with `COUNTERMAND_`; flags. Tables grow together, a value or a list takes the place of the one
/// below. Everything that was given must be right, also what is covered.
///
/// ```
/// use countermand_config::{Environment, Format, Loader, Origin};
/// let loaded = Loader::new()
///     .text("service.toml", Format::Toml, "[worker]\nlanes = 8\ncapacity = 100\n")
///     .environment(Environment::from_iter([("COUNTERMAND_WORKER__LANES", "16")]))
///     .load()
///     .unwrap();
/// assert_eq!((loaded.config().worker.lanes, loaded.config().worker.capacity), (16, 100));
/// assert_eq!(loaded.origin("worker.lanes").to_string(), "variable COUNTERMAND_WORKER__LANES");
/// assert_eq!(loaded.origin("worker.capacity").to_string(), "service.toml:3:12");
/// assert_eq!(loaded.origin("worker.drivers"), Origin::Default);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Loader {
    inputs: Vec<Input>,
    environment: Environment,
    flags: Vec<Flag>,
    strict: bool,
    limits: Limits,
}

#[derive(Clone)]
enum Input {
    File(PathBuf),
    Text(String, Format, String),
}

#[derive(Clone)]
struct Flag {
    key: String,
    text: String,
}

impl Loader {
    /// Nothing but the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A file over the ones before it; its name ends in `.toml` or `.json`. It is read when it is loaded, each time again.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.inputs.push(Input::File(path.into()));
        self
    }

    /// A text in the place of a file; `name` is what it is called in messages.
    #[must_use]
    pub fn text(mut self, name: impl Into<String>, format: Format, text: impl Into<String>) -> Self {
        self.inputs.push(Input::Text(name.into(), format, text.into()));
        self
    }

    /// The variables. Default: none.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// A flag that sets a dotted key. The text is read as that of a variable is.
    #[must_use]
    pub fn flag(mut self, key: impl Into<String>, text: impl Into<String>) -> Self {
        self.flags.push(Flag { key: key.into(), text: text.into() });
        self
    }

    /// Whether variables under their old names are refused. Default: no, they are read and reported.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// How much is read at the most. Default: [`Limits::default`].
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Reads everything, and checks it.
    ///
    /// # Errors
    ///
    /// [`LoadError`] with everything that is wrong. What the values are to each other can be told only when each of them is right.
    pub fn load(&self) -> Result<Loaded, LoadError> {
        let mut merged = Merged::default();
        let mut drafts: Vec<Draft> = self.environment.faults().collect();
        let mut layers = Vec::new();
        let environment = match self.environment.check(self.limits) {
            Ok(()) => &self.environment,
            Err(draft) => {
                drafts.push(*draft);
                &Environment::empty()
            }
        };
        layers.push(self.legacy(environment));
        layers.extend(self.inputs.iter().map(|input| self.read(input)));
        layers.push(Read::variables(environment));
        layers.push(self.flags());
        if mutant!(EnvironmentOverFlags) {
            let last = layers.len() - 1;
            layers.swap(last - 1, last);
        }
        for Read { assignments, drafts: wrong } in layers {
            merged.put(assignments);
            drafts.extend(wrong);
        }

        // A value that was refused is not there: what the others are to it cannot be told.
        if !drafts.is_empty() {
            return Err(LoadError::new(drafts, self.limits.problems));
        }
        let (config, origins) = merged.build().map_err(|wrong| LoadError::new(wrong, self.limits.problems))?;
        let is_overruled =
            |key: &str| origins.get(key).is_some_and(|place: &Place| !matches!(place.source.via, Via::Legacy(_)));
        let deprecations = legacy_variables(environment)
            .map(|(_, legacy)| Deprecation::new(legacy, is_overruled(legacy.key)))
            .collect();
        Ok(Loaded::new(config, origins, deprecations))
    }

    fn legacy(&self, environment: &Environment) -> Read {
        let mut read = Read::default();
        let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
        for (variable, legacy) in legacy_variables(environment) {
            let source = variable.source(Via::Legacy(variable.name.clone()), legacy.key);
            let place = Place::new(&source, variable.name_span());
            if let Some(first) = seen.insert(legacy.variable, place.clone()) {
                read.drafts.push(Draft::twice(legacy.key, place, first));
                continue;
            }
            if self.strict {
                let message = format!("{} is an old name, which strict mode refuses", variable.name);
                let instead = variable_of(legacy.key);
                let help = format!("set {instead}, or {} in a file", legacy.key);
                read.drafts.push(
                    Draft::new(ProblemKind::Legacy, legacy.key, Some(place), message).label("old name").help(help),
                );
            } else {
                read.legacy(variable, legacy);
            }
        }
        read
    }

    fn flags(&self) -> Read {
        let mut read = Read::default();
        let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
        for flag in self.flags.iter().take(self.limits.keys) {
            let place = read.flag(&flag.key, &flag.text, seen.get(flag.key.as_str()));
            seen.entry(&flag.key).or_insert(place);
        }
        if self.flags.len() > self.limits.keys {
            let place = Place::new(&Source::unseen("flags"), 0..0);
            let message = format!("{} flags, and the limit is {}", self.flags.len(), self.limits.keys);
            read.drafts.push(Draft::new(ProblemKind::Limit, "(all flags)", Some(place), message));
        }
        read
    }

    fn read(&self, input: &Input) -> Read {
        let text = match input {
            Input::File(path) => file::text(path, self.limits),
            Input::Text(name, format, text) => {
                file::within(name, text.len(), self.limits).map(|()| (name.clone(), *format, text.clone()))
            }
        };
        match text {
            Ok((name, format, text)) => file::read(name, format, &text, self.limits),
            Err(draft) => Read { assignments: Vec::new(), drafts: vec![*draft] },
        }
    }
}

/// Without the text: it may hold secrets.
impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.fmt(f),
            Self::Text(name, format, _) => write!(f, "{name:?} ({format:?})"),
        }
    }
}

/// Without the text: it may be a secret.
impl std::fmt::Debug for Flag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.key.fmt(f)
    }
}

//! Layers of input in, a valid configuration out: flags over environment over files over defaults.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::environment::Environment;
use crate::legacy::Deprecation;
use crate::limits::Limits;
use crate::loaded::Loaded;
use crate::merge::Merged;
use crate::outline::Beyond;
use crate::problem::{Draft, LoadError, ProblemKind};
use crate::source::{Place, Source, Via};
use crate::variables::{Read, legacy_variables};
use crate::walk::{Assignment, walk};
use crate::{json_text, toml_text};

/// What a text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// TOML.
    Toml,
    /// JSON, without comments or anything else that people have added to it.
    Json,
}

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
        drafts.extend(self.environment.check(self.limits).err().map(|draft| *draft));
        if drafts.is_empty() {
            let legacy = self.read_legacy();
            merged.put(legacy.assignments);
            drafts.extend(legacy.drafts);
        }
        for input in &self.inputs {
            let (assignments, wrong) = self.read(input);
            merged.put(assignments);
            drafts.extend(wrong);
        }
        let variables = Read::variables(&self.environment);
        merged.put(variables.assignments);
        drafts.extend(variables.drafts);
        let flags = self.read_flags();
        merged.put(flags.assignments);
        drafts.extend(flags.drafts);

        // A value that was refused is not there, so what depends on it may be wrong as well, and says less.
        let refused = !drafts.is_empty();
        let deprecated = |key: &str, origins: &BTreeMap<String, Place>| {
            origins.get(key).is_some_and(|place| !matches!(place.source.via, Via::Legacy(_)))
        };
        match merged.build() {
            Ok((config, origins)) if !refused => {
                let deprecations = legacy_variables(&self.environment)
                    .map(|(_, legacy)| Deprecation::new(legacy, deprecated(legacy.key, &origins)))
                    .collect();
                Ok(Loaded::new(config, origins, deprecations))
            }
            Ok(_) => Err(LoadError::new(drafts, self.limits.problems)),
            Err(wrong) => {
                drafts.extend(wrong);
                Err(LoadError::new(drafts, self.limits.problems))
            }
        }
    }

    fn read_legacy(&self) -> Read {
        let mut read = Read::default();
        let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
        for (variable, legacy) in legacy_variables(&self.environment) {
            let source = variable.source(Via::Legacy(variable.name.clone()), legacy.key);
            let place = Place::new(&source, variable.name_span());
            if let Some(first) = seen.insert(legacy.variable, place.clone()) {
                read.drafts.push(Draft::twice(legacy.key, place, first));
                continue;
            }
            if self.strict {
                let message = format!("{} is an old name, which strict mode refuses", variable.name);
                let instead = crate::environment::variable_of(legacy.key);
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

    fn read_flags(&self) -> Read {
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

    fn read(&self, input: &Input) -> (Vec<Assignment>, Vec<Draft>) {
        let read = match input {
            Input::File(path) => self.read_file(path),
            Input::Text(name, format, text) => {
                self.within(name, text.len()).map(|()| (name.clone(), *format, text.clone()))
            }
        };
        match read {
            Ok((name, format, text)) => self.parse(name, format, &text),
            Err(draft) => (Vec::new(), vec![*draft]),
        }
    }

    fn within(&self, name: &str, bytes: usize) -> Result<(), Box<Draft>> {
        if bytes <= self.limits.bytes {
            return Ok(());
        }
        let message = format!("larger than {} bytes, which is the limit", self.limits.bytes);
        Err(whole(ProblemKind::Limit, name, message))
    }

    fn read_file(&self, path: &Path) -> Result<(String, Format, String), Box<Draft>> {
        let name = path.display().to_string();
        let format = match path.extension().and_then(|ending| ending.to_str()) {
            Some("toml") => Format::Toml,
            Some("json") => Format::Json,
            _ => return Err(whole(ProblemKind::Unreadable, &name, "its name must end in .toml or .json")),
        };
        let mut bytes = Vec::new();
        let most = u64::try_from(self.limits.bytes).unwrap_or(u64::MAX).saturating_add(1);
        let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
        read.map_err(|error| whole(ProblemKind::Unreadable, &name, format!("it cannot be read: {error}")))?;
        self.within(&name, bytes.len())?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok((name, format, text)),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
                let (source, _) = self.outline(name, format, &text);
                let place = Place::new(&source, valid..valid);
                let draft =
                    Draft::new(ProblemKind::Syntax, source.key_at(valid), Some(place), "what follows is not UTF-8");
                Err(Box::new(draft))
            }
        }
    }

    fn outline(&self, name: String, format: Format, text: &str) -> (Arc<Source>, Option<Beyond>) {
        let outline = match format {
            Format::Toml => toml_text::outline(text, self.limits),
            Format::Json => json_text::outline(text, self.limits),
        };
        let (keys, beyond) = outline.into_keys();
        (Source::new(name, text, Via::File, keys), beyond)
    }

    fn parse(&self, name: String, format: Format, text: &str) -> (Vec<Assignment>, Vec<Draft>) {
        let (source, beyond) = self.outline(name, format, text);
        if let Some(Beyond { span, message }) = beyond {
            let key = source.key_at(span.start).to_owned();
            return (Vec::new(), vec![Draft::new(ProblemKind::Limit, key, Some(Place::new(&source, span)), message)]);
        }
        let (root, faults) = match format {
            Format::Toml => toml_text::tree(text),
            Format::Json => match json_text::tree(text) {
                Ok(root) => (root, Vec::new()),
                Err(fault) => return (Vec::new(), vec![syntax(&source, fault)]),
            },
        };
        let (assignments, mut drafts) = walk(&source, root);
        let mut faults = faults;
        faults.sort_by_key(|fault| fault.span.start);
        // Only those that are told are looked at closely: there may be one for each byte.
        let close =
            |(index, fault)| if index < self.limits.problems { syntax(&source, fault) } else { bare(&source, fault) };
        let faults: Vec<Draft> = faults.into_iter().enumerate().map(close).collect();
        // What the parser made of a faulty value is not what anybody wrote: it is told once, as what it is.
        let faulty: BTreeSet<String> = faults
            .iter()
            .filter(|fault| fault.kind() == ProblemKind::Syntax)
            .map(|fault| fault.key().to_owned())
            .collect();
        drafts.retain(|draft| !faulty.contains(draft.key()));
        drafts.extend(faults);
        drafts.sort_by_key(|draft| draft.place.as_ref().map_or(0, |place| place.span.start));
        (assignments, drafts)
    }
}

/// A problem of a file of which nothing is known.
fn whole(kind: ProblemKind, name: &str, message: impl std::fmt::Display) -> Box<Draft> {
    Box::new(Draft::new(kind, "(the whole file)", Some(Place::new(&Source::unseen(name), 0..0)), message))
}

/// A fault as the parser tells it.
fn bare(source: &Arc<Source>, fault: toml_text::Fault) -> Draft {
    let key = source.key_at(fault.span.start);
    Draft::new(ProblemKind::Syntax, key, Some(Place::new(source, fault.span)), fault.message)
}

fn syntax(source: &Arc<Source>, fault: toml_text::Fault) -> Draft {
    let key = source.key_at(fault.span.start).to_owned();
    let place = Place::new(source, fault.span);
    let first = source.first_of(&key).map(|span| Place::new(source, span.clone()));
    match first {
        Some(first) if fault.message == "duplicate key" => Draft::twice(key, place, first),
        // The parser takes what is missing for a text without quotes.
        _ if source.ends_at(place.span.start) => {
            Draft::new(ProblemKind::Syntax, key, Some(place), "something is missing").label("the line ends here")
        }
        _ => Draft::new(ProblemKind::Syntax, key, Some(place), fault.message),
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

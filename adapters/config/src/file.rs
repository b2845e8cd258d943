//! The way from a file to settings: its bytes, its keys within the limits, its tree, what that means.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use crate::format::Format;
use crate::limits::Limits;
use crate::node::Node;
use crate::outline::Beyond;
use crate::problem::{Draft, ProblemKind};
use crate::source::{Place, Source, Via};
use crate::toml_text::Fault;
use crate::walk::{Read, walk};
use crate::{json_text, toml_text};

/// The text of a file, with its name as it is shown and what it is written in.
pub(crate) fn text(path: &Path, limits: Limits) -> Result<(String, Format, String), Box<Draft>> {
    let name = path.display().to_string();
    let format = match path.extension().and_then(|ending| ending.to_str()) {
        Some("toml") => Format::Toml,
        Some("json") => Format::Json,
        _ => return Err(whole(ProblemKind::Unreadable, &name, "its name must end in .toml or .json")),
    };
    let mut bytes = Vec::new();
    let most = u64::try_from(limits.bytes).unwrap_or(u64::MAX).saturating_add(1);
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(|error| whole(ProblemKind::Unreadable, &name, format!("it cannot be read: {error}")))?;
    within(&name, bytes.len(), limits)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok((name, format, text)),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
            let (source, _) = outline(name, format, &text, limits);
            let place = Place::new(&source, valid..valid);
            let draft = Draft::new(ProblemKind::Syntax, source.key_at(valid), Some(place), "what follows is not UTF-8");
            Err(Box::new(draft))
        }
    }
}

/// Whether a text is small enough to be read.
pub(crate) fn within(name: &str, bytes: usize, limits: Limits) -> Result<(), Box<Draft>> {
    if bytes <= limits.bytes {
        return Ok(());
    }
    Err(whole(ProblemKind::Limit, name, format!("larger than {} bytes, which is the limit", limits.bytes)))
}

/// What a text sets, and what is wrong with it, each in the order of the text.
pub(crate) fn read(name: String, format: Format, text: &str, limits: Limits) -> Read {
    let (source, beyond) = outline(name, format, text, limits);
    if let Some(Beyond { span, message }) = beyond {
        let key = source.key_at(span.start).to_owned();
        let draft = Draft::new(ProblemKind::Limit, key, Some(Place::new(&source, span)), message);
        return Read { assignments: Vec::new(), drafts: vec![draft] };
    }
    let (root, mut faults) = tree(format, text);
    faults.sort_by_key(|fault| fault.span.start);
    let mut read = root.map(|root| walk(&source, root)).unwrap_or_default();
    // Only those that are told are looked at closely: there may be one for each byte.
    let close = |(index, fault)| if index < limits.problems { syntax(&source, fault) } else { bare(&source, fault) };
    let faults: Vec<Draft> = faults.into_iter().enumerate().map(close).collect();
    // What the parser made of a faulty value is not what anybody wrote: it is told once, as what it is.
    let faulty: BTreeSet<&str> =
        faults.iter().filter(|fault| fault.kind() == ProblemKind::Syntax).map(Draft::key).collect();
    read.drafts.retain(|draft| !faulty.contains(draft.key()));
    read.drafts.extend(faults);
    read.drafts.sort_by_key(|draft| draft.place.as_ref().map_or(0, |place| place.span.start));
    read
}

fn outline(name: String, format: Format, text: &str, limits: Limits) -> (Arc<Source>, Option<Beyond>) {
    let outline = match format {
        Format::Toml => toml_text::outline(text, limits),
        Format::Json => json_text::outline(text, limits),
    };
    let (keys, beyond) = outline.into_keys();
    (Source::new(name, text, Via::File, keys), beyond)
}

/// The tree of a text, as far as it is one, and its faults.
fn tree(format: Format, text: &str) -> (Option<Node>, Vec<Fault>) {
    match format {
        Format::Toml => {
            let (root, faults) = toml_text::tree(text);
            (Some(root), faults)
        }
        Format::Json => match json_text::tree(text) {
            Ok(root) => (Some(root), Vec::new()),
            Err(fault) => (None, vec![fault]),
        },
    }
}

/// A problem of a file of which nothing is known.
fn whole(kind: ProblemKind, name: &str, message: impl std::fmt::Display) -> Box<Draft> {
    let place = Place::new(&Source::unseen(name), 0..0);
    Box::new(Draft::new(kind, "(the whole file)", Some(place), message))
}

/// A fault as the parser tells it.
fn bare(source: &Arc<Source>, fault: Fault) -> Draft {
    let key = source.key_at(fault.span.start);
    Draft::new(ProblemKind::Syntax, key, Some(Place::new(source, fault.span)), fault.message)
}

/// A fault as people understand it.
fn syntax(source: &Arc<Source>, fault: Fault) -> Draft {
    let key = source.key_at(fault.span.start).to_owned();
    let place = Place::new(source, fault.span.clone());
    match source.first_of(&key) {
        Some(first) if fault.message == "duplicate key" => Draft::twice(key, place, Place::new(source, first.clone())),
        // The parser takes what is missing for a text without quotes.
        _ if source.ends_at(fault.span.start) => {
            Draft::new(ProblemKind::Syntax, key, Some(place), "something is missing").label("the line ends here")
        }
        _ => bare(source, fault),
    }
}

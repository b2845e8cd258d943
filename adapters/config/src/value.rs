//! Whether what was read can be the value of a setting, and that value.

use countermand_core::config::{Kind, Unfit};
use serde_json::Value;

use crate::catalogue::nearest;
use crate::node::{Node, Raw};
use crate::problem::ProblemKind;

/// Why something cannot be the value of a setting, and where in it.
pub(crate) struct Refusal {
    pub(crate) kind: ProblemKind,
    pub(crate) at: std::ops::Range<usize>,
    pub(crate) message: String,
    pub(crate) label: String,
    pub(crate) nearest: Option<&'static str>,
}

impl Refusal {
    fn wrong_type(kind: Kind, node: &Node) -> Self {
        let what = node.raw.what();
        Self {
            kind: ProblemKind::WrongType,
            at: node.span.clone(),
            message: format!("must be {kind}, not {what}"),
            label: format!("this is {what}"),
            nearest: None,
        }
    }

    /// What the check of the core says of a value; `shown` is the value, unless it is a secret.
    fn unfit(why: &Unfit, shown: Option<&str>, node: &Node) -> Self {
        let words = match why {
            Unfit::NoSuchWord(words) => words,
            _ => &[][..],
        };
        Self {
            kind: ProblemKind::BadValue,
            at: node.span.clone(),
            message: why.to_string(),
            label: match why {
                Unfit::OutOfRange { .. } => String::from("out of range"),
                Unfit::Twice => String::from("a second time"),
                _ => String::from("this is not"),
            },
            nearest: shown.and_then(|shown| nearest(shown, words.iter().copied())),
        }
    }
}

/// The value that `node` is for a setting of `kind`.
pub(crate) fn value_of(kind: Kind, node: &Node) -> Result<Value, Refusal> {
    match (kind, &node.raw) {
        (Kind::Flag, Raw::Flag(flag)) => Ok(Value::Bool(*flag)),
        (Kind::Number { least, most }, Raw::Number(number)) => {
            let number = u64::try_from(*number).map_err(|_| Unfit::OutOfRange { least, most });
            let fits = number.and_then(|number| kind.examine_number(number).map(|()| number));
            fits.map(Value::from).map_err(|why| Refusal::unfit(&why, None, node))
        }
        (Kind::Word(_) | Kind::Text(_) | Kind::Secret(_), Raw::Text(text)) => text_of(kind, text, node),
        (Kind::Words(words), Raw::List(elements)) => {
            let mut list: Vec<Value> = Vec::new();
            for element in elements {
                let Raw::Text(text) = &element.raw else { return Err(Refusal::wrong_type(Kind::Word(words), element)) };
                let word = text_of(kind, text, element)?;
                // There are never more than there are words: the next one is refused as known or as unknown.
                if list.contains(&word) {
                    return Err(Refusal::unfit(&Unfit::Twice, None, element));
                }
                list.push(word);
            }
            Ok(Value::Array(list))
        }
        _ => Err(Refusal::wrong_type(kind, node)),
    }
}

fn text_of(kind: Kind, text: &str, node: &Node) -> Result<Value, Refusal> {
    let shown = (!kind.is_secret()).then_some(text);
    match kind.examine_text(text) {
        Ok(()) => Ok(Value::from(text)),
        Err(why) => Err(Refusal::unfit(&why, shown, node)),
    }
}

/// The value that the text of a variable or a flag, which begins at `start`, is for a setting of `kind`.
pub(crate) fn node_of_text(kind: Kind, text: &str, start: usize) -> Node {
    let raw = match kind {
        Kind::Flag => match text {
            "true" => Raw::Flag(true),
            "false" => Raw::Flag(false),
            _ => Raw::Text(text.to_owned()),
        },
        // As it is written in files, without signs that change nothing.
        Kind::Number { .. } if text.strip_prefix('-').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit()) => {
            if text.is_empty() {
                Raw::Other("nothing")
            } else {
                Raw::Number(crate::node::number(text, 10))
            }
        }
        Kind::Words(_) => {
            let mut at = start;
            let words = text.split(',').filter(|_| !text.is_empty()).map(|word| {
                let span = at..at + word.len();
                at = span.end + 1;
                Node { span, raw: Raw::Text(word.trim().to_owned()) }
            });
            Raw::List(words.collect())
        }
        _ => Raw::Text(text.to_owned()),
    };
    Node { span: start..start + text.len(), raw }
}

//! JSON as keys in a row, and as a tree.

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::ParseError;
use jsonc_parser::tokens::Token;
use jsonc_parser::{CollectOptions, ParseOptions, Scanner, ScannerOptions, parse_to_ast};

use crate::limits::Limits;
use crate::node::{Entry, Node, Raw, number};
use crate::outline::{Outline, shown};
use crate::toml_text::Fault;

/// The keys of a text, up to its first fault.
pub(crate) fn outline(text: &str, limits: Limits) -> Outline {
    let mut outline = Outline::new(limits);
    let mut scanner = Scanner::new(text, &strict_tokens());
    // For each object that is open the name that was read last, for each list nothing.
    let mut open: Vec<Option<String>> = Vec::new();
    let mut before = None;
    while let Ok(Some(token)) = scanner.scan() {
        let span = scanner.token_start()..scanner.token_end();
        match &token {
            Token::OpenBrace => open.push(Some(String::new())),
            Token::OpenBracket => open.push(None),
            Token::CloseBrace | Token::CloseBracket => {
                open.pop();
            }
            Token::String(name) if matches!(before, Some(Token::OpenBrace | Token::Comma)) => {
                if let Some(Some(last)) = open.last_mut() {
                    *last = shown(name);
                    outline.key(span.clone(), open.iter().flatten().map(String::as_str));
                } else {
                    outline.value(span.clone());
                }
            }
            Token::Comma => outline.value(span.clone()),
            _ => {}
        }
        outline.depth(span, open.len());
        if !outline.is_within() {
            break;
        }
        before = Some(token);
    }
    outline
}

/// The tree of a text, or the first thing that is wrong with it.
pub(crate) fn tree(text: &str) -> Result<Node, Fault> {
    let end = text.len();
    match parse_to_ast(text, &CollectOptions::default(), &strict()) {
        Ok(result) => match result.value {
            Some(value) => second_opinion(text).map(|()| node_of(value)),
            None => Err(Fault { span: end..end, message: String::from("there is nothing in it") }),
        },
        Err(error) => Err(fault_of(&error)),
    }
}

/// What the parser with places lets through although it is no JSON, such as a line end within a text.
fn second_opinion(text: &str) -> Result<(), Fault> {
    let Err(error) = serde_json::from_str::<serde_json::Value>(text) else { return Ok(()) };
    let line = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let at = line + error.column().saturating_sub(1);
    // Without the place, which it counts otherwise.
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default().to_owned();
    Err(Fault { span: at..at, message })
}

fn fault_of(error: &ParseError) -> Fault {
    let range = error.range();
    let mut message = error.kind().to_string();
    if let Some(first) = message.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    Fault { span: range.start..range.end, message }
}

/// JSON, and none of what people have added to it.
fn strict() -> ParseOptions {
    ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

fn strict_tokens() -> ScannerOptions {
    ScannerOptions {
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

fn node_of(value: Value<'_>) -> Node {
    let range = value.range();
    let raw = match value {
        Value::StringLit(text) => Raw::Text(text.value.into_owned()),
        Value::NumberLit(digits) if digits.value.contains(['.', 'e', 'E']) => Raw::Other("a number with a fraction"),
        Value::NumberLit(digits) => Raw::Number(number(digits.value, 10)),
        Value::BooleanLit(flag) => Raw::Flag(flag.value),
        Value::Object(object) => object_of(object),
        Value::Array(list) => Raw::List(list.elements.into_iter().map(node_of).collect()),
        Value::NullKeyword(_) => Raw::Other("null"),
    };
    Node { span: range.start..range.end, raw }
}

fn object_of(object: Object<'_>) -> Raw {
    let entries = object.properties.into_iter().map(|property| {
        let range = property.name.range();
        let span = range.start..range.end;
        Entry { name: property.name.into_string(), span, value: node_of(property.value) }
    });
    Raw::Table(entries.collect())
}

//! What the readers of JSON say of a text, in the words of this crate.

use serde_json::error::Category;

use crate::error::{WireError, WireFault};

/// What the parser says of `text`; if it is no fault of the syntax, it is `fault`.
pub(crate) fn of_json(error: &serde_json::Error, fault: WireFault, path: String, text: &str) -> WireError {
    let (message, place) = (error.to_string(), format!(" at line {} column {}", error.line(), error.column()));
    let fault = match error.classify() {
        Category::Data => fault,
        _ if message.starts_with("recursion limit") => WireFault::Limit,
        _ => WireFault::Malformed,
    };
    let bare = message.strip_suffix(&place).unwrap_or(&message);
    // The same field in its two spellings.
    let fault = if bare.starts_with("duplicate field") { WireFault::Duplicate } else { fault };
    WireError::new(fault, &path, plain(bare, &path)).at(column_of(error, text))
}

/// The words of the libraries below, where they do not say what they are about.
fn plain(message: &str, path: &str) -> String {
    let field = path.rsplit('.').next().unwrap_or(path);
    let time = matches!(field, "timestamp" | "start_time" | "startTime" | "end_time" | "endTime");
    match message {
        // So speaks the reader of a number that may be in quotes.
        _ if message.starts_with("data did not match any variant") => String::from("not a number"),
        "invalid float literal" | "cannot parse float from empty string" => String::from("not a number"),
        _ if time && !message.starts_with("invalid type") => format!("not a time as in RFC 3339: {message}"),
        _ => message.replace("expected expected", "expected"),
    }
}

/// The column that an error names, which counts bytes, in characters.
fn column_of(error: &serde_json::Error, text: &str) -> usize {
    column(&text.as_bytes()[..error.column().min(text.len())]).max(1)
}

/// How many characters begin in `bytes`, which were UTF-8 before they were cut.
pub(crate) fn column(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count()
}

//! What the server's answers mean, read strictly: what does not have the form that was asked for is nonsense.

use redis::{ServerError, Value};

use crate::fault::clip;
use crate::fields::RawField;
use crate::{EntryId, Fault};

/// An entry as the server gives it; without fields, if it has been trimmed away.
pub(crate) struct RawEntry {
    pub(crate) id: EntryId,
    pub(crate) fields: Option<Vec<RawField>>,
}

pub(crate) fn refused(error: &ServerError) -> Fault {
    Fault::Refused { code: clip(error.code()), detail: clip(error.details().unwrap_or_default()) }
}

pub(crate) fn nonsense(expected: &str, got: &Value) -> Fault {
    match got {
        Value::ServerError(error) => refused(error),
        got => Fault::Nonsense(format!("{} for {expected}", clip(&shown(got)))),
    }
}

/// Without what is in it: that can be large.
fn shown(value: &Value) -> String {
    match value {
        Value::BulkString(bytes) => format!("{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(48)])),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::SimpleString(text) => format!("{text:?}"),
        other => format!("{other:?}"),
    }
}

pub(crate) fn is_ok(value: &Value) -> bool {
    matches!(value, Value::Okay)
}

pub(crate) fn is_queued(value: &Value) -> bool {
    matches!(value, Value::SimpleString(text) if text == "QUEUED")
}

pub(crate) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

/// The id of an entry that the server has made.
pub(crate) fn entry_id(value: &Value) -> Result<EntryId, Fault> {
    text(value).and_then(|text| text.parse().ok()).ok_or_else(|| nonsense("the id of an entry", value))
}

pub(crate) fn count(value: &Value) -> Result<u64, Fault> {
    match value {
        Value::Int(count) => u64::try_from(*count).map_err(|_| nonsense("a count", value)),
        other => Err(nonsense("a count", other)),
    }
}

pub(crate) fn list(value: Value, expected: &str) -> Result<Vec<Value>, Fault> {
    match value {
        Value::Array(items) => Ok(items),
        other => Err(nonsense(expected, &other)),
    }
}

/// The next two of a list.
fn pair(items: &mut std::vec::IntoIter<Value>, expected: &str) -> Result<(Value, Value), Fault> {
    match (items.next(), items.next()) {
        (Some(first), Some(second)) => Ok((first, second)),
        _ => Err(Fault::Nonsense(format!("a list that is too short for {expected}"))),
    }
}

/// Entries, as `XRANGE` and the like give them.
pub(crate) fn entries(value: Value) -> Result<Vec<RawEntry>, Fault> {
    list(value, "entries")?.into_iter().map(entry).collect()
}

fn entry(value: Value) -> Result<RawEntry, Fault> {
    let (id, fields) = pair(&mut list(value, "an entry")?.into_iter(), "an entry")?;
    let id = entry_id(&id)?;
    if fields == Value::Nil {
        return Ok(RawEntry { id, fields: None });
    }
    let mut items = list(fields, "the fields of an entry")?.into_iter();
    let mut fields = Vec::with_capacity(items.len() / 2);
    while items.len() > 0 {
        match pair(&mut items, "the fields of an entry")? {
            (Value::BulkString(name), Value::BulkString(value)) => fields.push((name, value)),
            (name, _) => return Err(nonsense("a field", &name)),
        }
    }
    Ok(RawEntry { id, fields: Some(fields) })
}

/// Entries by the name of their stream, as `XREADGROUP` gives them; none, if there was nothing to read.
pub(crate) fn streams(value: Value) -> Result<Vec<(String, Vec<RawEntry>)>, Fault> {
    if value == Value::Nil {
        return Ok(Vec::new());
    }
    let streams = list(value, "streams with their entries")?.into_iter();
    streams
        .map(|stream| {
            let (name, found) = pair(&mut list(stream, "a stream")?.into_iter(), "a stream")?;
            let name = text(&name).ok_or_else(|| nonsense("the name of a stream", &name))?.to_owned();
            Ok((name, entries(found)?))
        })
        .collect()
}

/// Where to go on, and which entries were taken over, as `XAUTOCLAIM … JUSTID` gives them.
pub(crate) fn claimed(value: Value) -> Result<(EntryId, usize), Fault> {
    let (cursor, ids) = pair(&mut list(value, "claimed entries")?.into_iter(), "claimed entries")?;
    Ok((entry_id(&cursor)?, list(ids, "claimed entries")?.len()))
}

/// A value of a map that is written as a list of names and values.
pub(crate) fn find<'a>(map: &'a [Value], name: &str) -> Option<&'a Value> {
    map.chunks_exact(2).find(|pair| text(&pair[0]) == Some(name)).map(|pair| &pair[1])
}

/// What each command of a transaction was answered, from the answers to `MULTI`, each command, and `EXEC`.
///
/// A server that does not know `MULTI`, or does not allow it, has done each command by itself.
pub(crate) fn transaction(mut answers: Vec<Value>) -> Result<Vec<Value>, Fault> {
    let (Some(end), Some(commands)) = (answers.pop(), answers.len().checked_sub(1)) else {
        return Err(Fault::Nonsense("too few answers for a transaction".into()));
    };
    let begun = answers.remove(0);
    if matches!(begun, Value::ServerError(_)) {
        return Ok(answers);
    }
    if !is_ok(&begun) {
        return Err(nonsense("the begin of a transaction", &begun));
    }
    // Where one could not be put into it, nothing of it is done. Why says the answer to that one.
    if let Some(unfit) = answers.iter().find(|answer| !is_queued(answer)) {
        return Err(nonsense("a command in a transaction", unfit));
    }
    let done = list(end, "the end of a transaction")?;
    if done.len() != commands {
        return Err(Fault::Nonsense(format!("{} answers to a transaction of {commands} commands", done.len())));
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn queued() -> Value {
        Value::SimpleString("QUEUED".into())
    }

    #[test]
    fn only_a_whole_transaction_counts() {
        let done = Value::Array(vec![bulk("1-0"), bulk("1-1")]);
        let whole = vec![Value::Okay, queued(), queued(), done.clone()];
        assert_eq!(transaction(whole.clone()).unwrap(), [bulk("1-0"), bulk("1-1")]);
        for (place, instead) in [
            (0, queued()),
            (0, Value::Nil),
            (1, Value::Okay),
            (2, bulk("1-1")),
            (3, Value::Nil),
            (3, Value::Okay),
            (3, Value::Array(vec![bulk("1-0")])),
            (3, Value::Array(vec![bulk("1-0"), bulk("1-1"), bulk("1-2")])),
        ] {
            let mut broken = whole.clone();
            broken[place] = instead;
            assert!(matches!(transaction(broken), Err(Fault::Nonsense(_))), "place {place}");
        }
        assert!(transaction(vec![]).is_err() && transaction(vec![Value::Okay]).is_err());
    }

    #[test]
    fn an_entry_id_is_not_any_text() {
        assert_eq!(entry_id(&bulk("5-7")), Ok(EntryId::new(5, 7)));
        for wrong in [Value::Okay, Value::Nil, Value::Int(5), bulk("5"), bulk("5-x"), Value::Array(vec![])] {
            assert!(matches!(entry_id(&wrong), Err(Fault::Nonsense(_))), "{wrong:?}");
        }
    }

    #[test]
    fn entries_of_a_wrong_form_are_nonsense() {
        let field = || Value::Array(vec![bulk("a"), bulk("b")]);
        let entry = |fields| Value::Array(vec![Value::Array(vec![bulk("1-0"), fields])]);
        let read = entries(entry(field())).unwrap();
        assert_eq!(read[0].fields.as_deref(), Some(&[(b"a".to_vec(), b"b".to_vec())][..]));
        assert!(entries(entry(Value::Nil)).unwrap()[0].fields.is_none());
        for wrong in
            [Value::Nil, entry(Value::Int(1)), entry(Value::Array(vec![bulk("a")])), Value::Array(vec![field()])]
        {
            assert!(entries(wrong).is_err());
        }
    }
}

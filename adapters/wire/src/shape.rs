//! Whether a text is one JSON value that says nothing twice, and is not nested too deep.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::error::{WireError, WireFault};
use crate::said::of_json;

/// Looks at all of `text`, also at what the schema does not know.
///
/// The reader of the schema finds its own fields given twice; this finds attributes, and what it skips. Of a key that is given twice,
/// two readers of the packet may see two different values.
pub(crate) fn examine(text: &str, deepest: usize) -> Result<(), WireError> {
    let found = Found { fault: Cell::new(None), path: RefCell::new(String::new()) };
    let mut parser = serde_json::Deserializer::from_str(text);
    let walk = Walk { found: &found, left: deepest, deepest };
    walk.deserialize(&mut parser).and_then(|()| parser.end()).map_err(|error| {
        let fault = found.fault.get().unwrap_or(WireFault::Malformed);
        of_json(&error, fault, found.path.take(), text)
    })
}

/// What was found to be wrong, and where.
struct Found {
    fault: Cell<Option<WireFault>>,
    path: RefCell<String>,
}

/// A walk through one value, down to a depth.
#[derive(Clone, Copy)]
struct Walk<'w> {
    found: &'w Found,
    left: usize,
    deepest: usize,
}

impl Walk<'_> {
    /// The walk through what is in a list or an object.
    fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, ..self }),
            None => {
                self.found.fault.set(Some(WireFault::Limit));
                Err(E::custom(format_args!("nested deeper than {}", self.deepest)))
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inside = self.deeper()?;
        while let Some(()) = list.next_element_seed(inside)? {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let inside = self.deeper()?;
        let mut seen = HashSet::new();
        while let Some(key) = object.next_key_seed(Key)? {
            if let Some(key) = seen.replace(key) {
                self.found.fault.set(Some(WireFault::Duplicate));
                *self.found.path.borrow_mut() = key.into_owned();
                return Err(A::Error::custom("given twice"));
            }
            object.next_value_seed(inside)?;
        }
        Ok(())
    }
}

/// A key, out of the text itself where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(String::from(key)))
    }
}

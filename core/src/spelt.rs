//! Lets what is spelt as a text in from `serde`, through the same door as everything else: its `FromStr`.

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// Takes a text from `deserializer` and parses it. `expected` completes "expected …".
///
/// # Errors
///
/// The deserializer's, or what the parser says.
pub fn deserialize<'de, T, D>(deserializer: D, expected: &'static str) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_str(Door { expected, made: PhantomData })
}

struct Door<T> {
    expected: &'static str,
    made: PhantomData<T>,
}

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Door<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

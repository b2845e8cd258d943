//! What proves that an entry was written by somebody who has the key.

use std::fmt;

use countermand_core::config::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What every signed text begins with, so that no signature of another use of the key fits.
const HEAD: &[u8] = b"countermand-redis-1\n";

/// Signs the fields of entries with a key, and checks signatures: HMAC-SHA-256, as 64 hexadecimal digits.
///
/// What is signed is the line `countermand-redis-1`, ended by a line feed, and then each field of the entry, in the order in which they stand there,
/// but for `signature` itself: its name and its value, each as its length in decimal digits, `:`, its bytes, `,`.
///
/// ```
/// use countermand_redis::Signer;
/// // The text is "countermand-redis-1\n2:id,1:7,4:body,2:{},".
/// let signer = Signer::new("correct-horse").unwrap();
/// let fields = [(&b"id"[..], &b"7"[..]), (&b"body"[..], &b"{}"[..])];
/// let signature = signer.sign(fields);
/// assert_eq!(signature.len(), 64);
/// assert!(signer.verify(fields, signature.as_bytes()));
/// assert!(!signer.verify([(&b"id"[..], &b"8"[..]), (&b"body"[..], &b"{}"[..])], signature.as_bytes()));
/// ```
///
/// # Implementation notes
///
/// The lengths make it impossible to move a byte from one field to the next under the same signature. The names of the fields are signed too, in
/// their order, so that fields of a later version are covered without either side knowing them.
#[derive(Clone)]
pub struct Signer {
    keyed: Hmac<Sha256>,
}

impl Signer {
    /// A signer with this key; `None` if the key is empty, which means that nothing is signed.
    #[must_use]
    pub fn new(key: impl Into<Secret>) -> Option<Self> {
        let key = key.into();
        if key.is_empty() {
            return None;
        }
        // A key of any length is one.
        Hmac::new_from_slice(key.expose().as_bytes()).ok().map(|keyed| Self { keyed })
    }

    /// The signature of these fields, each its name and its value.
    pub fn sign<'a>(&self, fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> String {
        use fmt::Write as _;
        let tag = self.over(fields).finalize().into_bytes();
        tag.iter().fold(String::with_capacity(64), |mut hex, byte| {
            // Writing into a text cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// Whether this is the signature of these fields. It takes the same time for every wrong one of the right length.
    pub fn verify<'a>(&self, fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>, signature: &[u8]) -> bool {
        let tag: Option<Vec<u8>> = (signature.len() == 64)
            .then(|| signature.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect())
            .flatten();
        tag.is_some_and(|tag| self.over(fields).verify_slice(&tag).is_ok())
    }

    fn over<'a>(&self, fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Hmac<Sha256> {
        let mut mac = self.keyed.clone();
        mac.update(HEAD);
        for (name, value) in fields {
            for part in [name, value] {
                mac.update(part.len().to_string().as_bytes());
                mac.update(b":");
                mac.update(part);
                mac.update(b",");
            }
        }
        mac
    }
}

/// Without the key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

fn digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fields<'a> = &'a [(&'a [u8], &'a [u8])];

    #[test]
    fn the_signature_is_that_of_the_text_in_the_documentation() {
        // From `printf 'countermand-redis-1\n2:id,1:7,4:body,2:{},' | openssl dgst -sha256 -hmac correct-horse`.
        let known = "7e34f9c286698767f897d0397d8cc5bf50b394ae3014fb0a103253b44285216a";
        let signer = Signer::new("correct-horse").unwrap();
        let fields: Fields<'_> = &[(b"id", b"7"), (b"body", b"{}")];
        assert_eq!(signer.sign(fields.iter().copied()), known);
        assert!(signer.verify(fields.iter().copied(), known.to_uppercase().as_bytes()));
    }

    #[test]
    fn bytes_do_not_move_between_fields() {
        let signer = Signer::new("k").unwrap();
        let one: Fields<'_> = &[(b"a", b"1"), (b"b", b"")];
        let others: [Fields<'_>; 4] =
            [&[(b"a", b""), (b"b", b"1")], &[(b"b", b""), (b"a", b"1")], &[(b"a", b"1")], &[(b"a", b"1,1:b,0:,")]];
        let signature = signer.sign(one.iter().copied());
        for other in others {
            assert!(!signer.verify(other.iter().copied(), signature.as_bytes()), "{other:?}");
        }
    }

    #[test]
    fn what_is_no_signature_does_not_verify() {
        let signer = Signer::new("k").unwrap();
        for wrong in ["", "00", "zz", &"0".repeat(64), &"0".repeat(63), &"g".repeat(64), &"ß".repeat(32)] {
            assert!(!signer.verify([], wrong.as_bytes()), "{wrong}");
        }
        assert!(Signer::new("").is_none());
        assert!(!format!("{signer:?}").contains('k'));
    }
}

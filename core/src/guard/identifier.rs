//! What identifies a thing of one kind: the trait, and the macro that makes a type for a kind.

use core::fmt;
use core::hash::Hash;
use core::str::FromStr;

use super::id_error::IdError;

/// A type whose values identify things of one kind, such as [`BlueprintId`](crate::BlueprintId). [`identifier!`](crate::identifier) makes them.
///
/// Whoever has a value has one that was looked at: there is no empty, blank, overlong or malformed one (G1).
pub trait Identifier:
    Copy + Ord + Hash + fmt::Debug + fmt::Display + AsRef<str> + FromStr<Err = IdError> + 'static
{
    /// What it identifies, in `snake_case`: `training_run`.
    const KIND: &'static str;
}

/// Makes types of identifiers, each with the name of its kind.
///
/// A value is made by `new`, `parse` or `try_from`, and with the feature `serde` by deserializing; all look at the text as
/// [`IdText::parse`](crate::IdText::parse) does. A value has no heap, is `Copy`, and is compared and shown as the text that it is.
///
/// ```
/// use countermand_core::identifier;
///
/// identifier! {
///     /// The name of a tenant.
///     pub struct TenantId = "tenant";
/// }
///
/// let tenant = TenantId::new("acme/eu-1")?;
/// assert_eq!(tenant.as_str(), "acme/eu-1");
/// let refused = "acme eu".parse::<TenantId>().unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "tenant identifier \"acme eu\" has ' ' at byte 4, where only ASCII letters, digits and ._:/@+- may be",
/// );
/// # Ok::<(), countermand_core::IdError>(())
/// ```
///
/// There is no way around: not even the module that has the type can make one of a text that was not looked at.
///
/// ```compile_fail,E0423
/// # use countermand_core::{IdText, Text};
/// let forged = IdText(Text::of(""));
/// ```
///
/// ```compile_fail,E0423
/// # use countermand_core::{BlueprintId, IdText};
/// let forged = BlueprintId(IdText::parse("kernel", "k1").unwrap());
/// ```
#[macro_export(local_inner_macros)]
macro_rules! identifier {
    ($($(#[$attribute:meta])* $visibility:vis struct $name:ident = $kind:literal;)+) => {$(
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility struct $name($crate::IdText);

        impl $name {
            /// The identifier that `text` spells.
            ///
            /// # Errors
            ///
            /// What is wrong with `text`, if it spells none (G1).
            $visibility fn new(text: &str) -> ::core::result::Result<Self, $crate::IdError> {
                $crate::IdText::parse($kind, text).map(Self)
            }

            /// How it is spelt.
            #[must_use]
            $visibility const fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl $crate::Identifier for $name {
            const KIND: &'static str = $kind;
        }

        impl ::core::str::FromStr for $name {
            type Err = $crate::IdError;

            fn from_str(text: &str) -> ::core::result::Result<Self, $crate::IdError> {
                Self::new(text)
            }
        }

        impl ::core::convert::TryFrom<&str> for $name {
            type Error = $crate::IdError;

            fn try_from(text: &str) -> ::core::result::Result<Self, $crate::IdError> {
                Self::new(text)
            }
        }

        impl ::core::convert::AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl ::core::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(&self.0, f)
            }
        }

        __identifier_in_serde!($name, $kind);
    )+};
}

/// The way in and out through serde; in here, since whether there is one is this crate's question, not its user's.
#[cfg(feature = "serde")]
#[doc(hidden)]
#[macro_export]
macro_rules! __identifier_in_serde {
    ($name:ident, $kind:literal) => {
        impl $crate::__private::Serialize for $name {
            fn serialize<S: $crate::__private::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::__private::Deserialize<'de> for $name {
            fn deserialize<D: $crate::__private::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                $crate::__private::deserialize(deserializer, ::core::concat!($kind, " identifier"))
            }
        }
    };
}

/// Without the feature there is none.
#[cfg(not(feature = "serde"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __identifier_in_serde {
    ($name:ident, $kind:literal) => {};
}

//! A word out of few.

use crate::Priority;

/// A value that is spelt as one of a few fixed words.
pub trait Word: Copy {
    /// All words that there are, in order.
    const WORDS: &'static [&'static str];

    /// The word for this value.
    fn word(self) -> &'static str;
}

impl Word for Priority {
    const WORDS: &'static [&'static str] =
        &[Self::Low.name(), Self::Normal.name(), Self::High.name(), Self::Critical.name()];

    fn word(self) -> &'static str {
        self.name()
    }
}

/// Declares an enum whose values are words, with all of them.
macro_rules! words {
    ($(#[doc = $head:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $value:ident = $word:literal;)+ }) => {
        $(#[doc = $head])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[doc = $doc])+ #[doc = concat!("\n\nSpelt `", $word, "`.")] $value,)+
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$value),+];

            /// The word for it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$value => $word,)+ }
            }
        }

        impl $crate::catalogue::Word for $name {
            const WORDS: &'static [&'static str] = &[$($word),+];

            fn word(self) -> &'static str {
                self.name()
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

pub(crate) use words;

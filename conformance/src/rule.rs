//! What a rule of the contract is as code, and what examining it may find.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::prelude::v1::*;

use crate::{Bench, Profile};

/// A future that stays on its thread.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What a rule function returns: over how many runs the rule held, or why that cannot be said.
pub type Check = Result<u64, Flaw>;

/// Why a rule was not found to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// It is broken; the text says what was seen.
    Broken(String),
    /// The target lacks what the rule speaks of; the text says what, and is true of the target.
    NotApplicable(String),
    /// It could be neither confirmed nor refuted; the text says what stood in the way.
    Inconclusive(String),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(why) => write!(f, "broken: {why}"),
            Self::NotApplicable(why) => write!(f, "not applicable: {why}"),
            Self::Inconclusive(why) => write!(f, "inconclusive: {why}"),
        }
    }
}

/// One rule of the contract and the function that examines it.
#[derive(Clone, Copy)]
pub struct Rule {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) needs: Profile,
    pub(crate) once: bool,
    pub(crate) check: for<'a> fn(&'a Bench) -> LocalFuture<'a, Check>,
}

impl Rule {
    /// Its number in `RULES.md`, such as `J4`.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// The name of the function that examines it; it begins with the number.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What a target must have for the rule to say anything about it.
    #[must_use]
    pub const fn needs(&self) -> Profile {
        self.needs
    }

    /// Whether it says nothing of a host, so that it is examined on the first one only.
    #[must_use]
    pub const fn is_once(&self) -> bool {
        self.once
    }

    /// The name in words: `not polled after a request`.
    #[must_use]
    pub fn title(&self) -> String {
        let words = self.name.split_once('_').map_or(self.name, |(_, words)| words);
        words.replace('_', " ")
    }

    /// The letters before the number.
    #[must_use]
    pub fn group(&self) -> &'static str {
        self.id.trim_end_matches(|c: char| c.is_ascii_digit())
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

/// Returns [`Flaw::Broken`] from a rule function unless the condition holds. The text says what was seen, not what was hoped for.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return ::core::result::Result::Err($crate::Flaw::Broken($crate::format!($($text)+)));
        }
    };
}

/// [`ensure!`](crate::ensure) that two values are equal; the text says what they are, and both are printed.
#[macro_export]
macro_rules! ensure_eq {
    ($seen:expr, $expected:expr, $($text:tt)+) => {
        match (&$seen, &$expected) {
            (seen, expected) => {
                if *seen != *expected {
                    return ::core::result::Result::Err($crate::Flaw::Broken($crate::format!(
                        "{}: saw {:?}, expected {:?}",
                        ::core::format_args!($($text)+),
                        seen,
                        expected,
                    )));
                }
            }
        }
    };
}

/// The rules of a group: number, function, and what the target must have (`threads`, `unwind`, `blocking`). One that says nothing of
/// a host is examined `once`.
///
/// ```text
/// rules! {
///     "J3" j3_ready_beats_a_request_of_the_same_poll;
///     "J12" j12_wait_from_a_thread_without_a_runtime, needs threads;
///     "G1" g1_an_empty_identifier_cannot_be_constructed => once;
/// }
/// ```
macro_rules! rules {
    (@once) => { false };
    (@once once) => { true };
    ($($(#[$meta:meta])* $id:literal $function:ident $(, needs $($need:ident)+)? $(=> $once:ident)?;)*) => {
        /// The rules of this group.
        pub(crate) const RULES: &[$crate::Rule] = &[$(
            $(#[$meta])*
            $crate::Rule {
                id: $id,
                name: stringify!($function),
                needs: $crate::Profile::NONE$($(.$need())+)?,
                once: $crate::rule::rules!(@once $($once)?),
                check: |bench| ::std::boxed::Box::pin($function(bench)),
            },
        )*];
    };
}
pub(crate) use rules;

//! How the value of a setting is held against the table.

use core::fmt::Display;

use crate::config::Kind;

/// Receives a value, as it may be shown, and why it cannot be.
pub(crate) type Report<'a> = &'a mut dyn FnMut(&dyn Display, &dyn Display);

/// A type that settings have.
pub(crate) trait Value {
    /// Reports what is wrong with this value for a setting of `kind`.
    fn examine(&self, kind: &Kind, report: Report<'_>);
}

/// Values that cannot be wrong: what is not allowed has no representation.
macro_rules! always_right {
    ($($type:ty),+) => {$(
        impl $crate::config::value::Value for $type {
            fn examine(&self, _: &$crate::config::Kind, _: $crate::config::value::Report<'_>) {}
        }
    )+};
}
pub(crate) use always_right;

always_right!(bool);

macro_rules! number {
    ($($type:ty),+) => {$(
        impl Value for $type {
            fn examine(&self, kind: &Kind, report: Report<'_>) {
                if let Err(why) = kind.examine_number((*self).into()) {
                    report(self, &why);
                }
            }
        }
    )+};
}

number!(u32, u64);

#[cfg(feature = "alloc")]
impl Value for alloc::string::String {
    fn examine(&self, kind: &Kind, report: Report<'_>) {
        if let Err(why) = kind.examine_text(self) {
            report(self, &why);
        }
    }
}

#[cfg(feature = "alloc")]
impl<W: Display + PartialEq> Value for alloc::vec::Vec<W> {
    fn examine(&self, _: &Kind, report: Report<'_>) {
        for (index, word) in self.iter().enumerate() {
            if self[..index].contains(word) {
                report(word, &crate::config::Unfit::Twice);
            }
        }
    }
}

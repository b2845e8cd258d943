//! The macro that makes a section of the settings from one declaration: the type, its defaults, its overrides, its rows in the
//! table, its check.

/// What one setting may be, as a [`Kind`](crate::config::Kind).
macro_rules! kind {
    (flag) => {
        $crate::config::Kind::Flag
    };
    ($least:literal ..= $most:literal) => {
        $crate::config::Kind::Number { least: $least, most: $most }
    };
    (one of $words:ident) => {
        $crate::config::Kind::Word($words::WORDS)
    };
    (list of $words:ident) => {
        $crate::config::Kind::Words($words::WORDS)
    };
    (text $form:ident) => {
        $crate::config::Kind::Text(&$crate::config::Form::$form)
    };
    (secret $form:ident) => {
        $crate::config::Kind::Secret(&$crate::config::Form::$form)
    };
    (reasons) => {
        $crate::config::Kind::Reasons
    };
}

/// Declares a section. Each setting gives its doc, name, type, default, what it may be and, if it counts something, what.
macro_rules! section {
    (
        $(#[doc = $head:literal])+
        $name:ident / $overrides:ident {
            $(
                $(#[doc = $doc:literal])+
                $field:ident: $type:ty = $default:expr, ($($kind:tt)+) $(, $unit:literal)?;
            )+
        }
    ) => {
        $(#[doc = $head])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
        #[non_exhaustive]
        pub struct $name {
            $(
                $(#[doc = $doc])+
                #[doc = concat!("\n\nDefault: `", stringify!($default), "`. Values: `", stringify!($($kind)+), "`" $(, " ", $unit)?, ".")]
                pub $field: $type,
            )+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default),+ }
            }
        }

        impl $name {
            /// The table of this section: every setting in the order in which it is shown, with its bounds, unit and meaning.
            pub const SETTINGS: &'static [$crate::config::Setting] = &[$(
                $crate::config::Setting {
                    key: stringify!($field),
                    kind: $crate::config::section::kind!($($kind)+),
                    unit: concat!($($unit)?),
                    doc: concat!($($doc),+).trim_ascii(),
                },
            )+];

            /// Looks at every setting, and at what they are to each other. Each fault is given to `report` as the name of the
            /// setting, the value it has (`[redacted]` if it is secret) and why that cannot be.
            pub fn check(&self, report: &mut dyn FnMut(&'static str, &dyn core::fmt::Display, &dyn core::fmt::Display)) {
                let mut table = Self::SETTINGS.iter();
                $(
                    if let Some(row) = table.next() {
                        let report = &mut |value: &dyn core::fmt::Display, why: &dyn core::fmt::Display| report(row.key, value, why);
                        $crate::config::value::Value::examine(&self.$field, &row.kind, report);
                    }
                )+
                self.check_relations(report);
            }
        }

        #[doc = concat!("Some of the settings of [`", stringify!($name), "`]: what a subsystem has otherwise.")]
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
        #[non_exhaustive]
        pub struct $overrides {
            $(
                #[doc = concat!("Instead of [`", stringify!($field), "`](", stringify!($name), "::", stringify!($field), ").")]
                #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
                pub $field: Option<$type>,
            )+
        }

        impl $overrides {
            /// Puts what is set here in the place of what `section` has.
            pub fn apply(&self, section: &mut $name) {
                $(
                    if let Some(value) = &self.$field {
                        section.$field.clone_from(value);
                    }
                )+
            }
        }
    };
}

pub(crate) use {kind, section};

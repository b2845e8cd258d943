//! The macros that make events and metrics of the catalogue from one declaration each: the types and the rows.

/// Declares events. Each gives its doc, its type's name, its name, its level or the two that one of its fields chooses between, and its
/// fields: doc, key, kind, and the unit if it has one. The field `subsystem` is the first of each.
macro_rules! events {
    ($(
        $(#[doc = $doc:literal])+
        $type:ident = $name:literal, $level:ident $(or $other:ident by $decides:ident)? {
            $($(#[doc = $field_doc:literal])+ $field:ident: $kind:tt $(, $unit:literal)?;)*
        }
    )+) => {
        /// Every event of the catalogue.
        pub const EVENTS: &[$crate::catalogue::Entry] = &[$($type::ENTRY),+];

        $(
            $(#[doc = $doc])+
            #[doc = concat!("\n\nThe event `", $name, "`; ", stringify!($level) $(, " or ", stringify!($other), ", by `", stringify!($decides), "`")?, ".")]
            #[derive(Clone, Copy, Debug, PartialEq)]
            #[expect(clippy::exhaustive_structs, reason = "who tells an event must say all of it")]
            pub struct $type<'a> {
                /// Whose event it is.
                pub subsystem: &'a str,
                $(
                    $(#[doc = $field_doc])+
                    #[doc = concat!("\n\nWritten as ", stringify!($kind) $(, ", unit `", $unit, "`")?, ".")]
                    pub $field: $crate::telemetry::catalogue::kind::value!($kind),
                )*
            }

            impl $type<'_> {
                /// What the event is called.
                pub const NAME: &'static str = $name;

                /// Its row.
                pub const ENTRY: $crate::catalogue::Entry = $crate::catalogue::Entry {
                    name: $name,
                    levels: &[$crate::Level::$level $(, $crate::Level::$other)?],
                    fields: &[
                        $crate::catalogue::Field {
                            key: "subsystem",
                            kind: $crate::catalogue::FieldKind::Text,
                            unit: "",
                            doc: "Whose event it is.",
                        },
                        $($crate::catalogue::Field {
                            key: stringify!($field),
                            kind: $crate::telemetry::catalogue::kind::kind!($kind),
                            unit: concat!($($unit)?),
                            doc: concat!($($field_doc),+).trim_ascii(),
                        },)*
                    ],
                    doc: concat!($($doc),+).trim_ascii(),
                };

                /// How bad it is.
                #[must_use]
                #[allow(unreachable_code, reason = "where a field decides, it has")]
                pub const fn level(&self) -> $crate::Level {
                    $(return self.$decides.level();)?
                    $crate::Level::$level
                }
            }

            impl From<$type<'_>> for $crate::Event {
                #[inline]
                fn from(said: $type<'_>) -> Self {
                    let mut event = Self::new($name, said.level());
                    event.put_text("subsystem", said.subsystem);
                    $($crate::telemetry::catalogue::kind::put!(event, stringify!($field), said.$field, $kind);)*
                    event
                }
            }

            impl $crate::telemetry::catalogue::said::sealed::Sealed for $type<'_> {}

            impl $crate::catalogue::Said for $type<'_> {
                fn level(&self) -> $crate::Level {
                    Self::level(self)
                }

                fn event(&self) -> $crate::Event {
                    (*self).into()
                }

                #[cfg(feature = "alloc")]
                fn keep(&self, kept: &mut $crate::telemetry::catalogue::kept::Kept) -> bool {
                    kept.begin($name, Self::level(self), |event, fields| {
                        event.put_text("subsystem", fields.text());
                        $($crate::telemetry::catalogue::kind::recall!(event, stringify!($field), fields, $kind);)*
                    });
                    kept.text(self.subsystem) $(&& $crate::telemetry::catalogue::kind::keep!(kept, self.$field, $kind))*
                }
            }
        )+

        /// An event of each type, another one in each round.
        #[cfg(all(test, feature = "alloc"))]
        pub(super) fn samples(
            round: usize,
        ) -> alloc::vec::Vec<($crate::catalogue::Entry, $crate::Event, alloc::boxed::Box<dyn $crate::catalogue::Said>)> {
            alloc::vec![$({
                let said = $type {
                    subsystem: "tolaria",
                    $($field: $crate::telemetry::catalogue::kind::sample!(round, $kind),)*
                };
                ($type::ENTRY, said.into(), alloc::boxed::Box::new(said) as _)
            },)+]
        }
    };
}

/// Declares metrics. Each gives its doc, its type's name, its name, its kind, its unit, and its attributes: doc, key, kind.
macro_rules! figures {
    ($(
        $(#[doc = $doc:literal])+
        $type:ident = $name:literal, $metric:ident, $unit:literal {
            $($(#[doc = $field_doc:literal])+ $field:ident: $kind:tt;)*
        }
    )+) => {
        /// Every metric of the catalogue.
        pub const FIGURES: &[$crate::catalogue::Figure] = &[$($type::FIGURE),+];

        $(
            $(#[doc = $doc])+
            #[doc = concat!("\n\nThe metric `", $name, "`: a ", stringify!($metric), ", unit `", $unit, "`.")]
            #[derive(Clone, Copy, Debug, PartialEq)]
            #[expect(clippy::exhaustive_structs, reason = "who tells a figure must say all of it")]
            pub struct $type<'a> {
                /// Whose figure it is.
                pub subsystem: &'a str,
                $($(#[doc = $field_doc])+ pub $field: $crate::telemetry::catalogue::kind::value!($kind),)*
            }

            impl<'a> $type<'a> {
                /// What the metric is called.
                pub const NAME: &'static str = $name;

                /// Its row.
                pub const FIGURE: $crate::catalogue::Figure = $crate::catalogue::Figure {
                    name: $name,
                    kind: $crate::catalogue::MetricKind::$metric,
                    unit: $unit,
                    fields: &[
                        $crate::catalogue::Field {
                            key: "subsystem",
                            kind: $crate::catalogue::FieldKind::Text,
                            unit: "",
                            doc: "Whose figure it is.",
                        },
                        $($crate::catalogue::Field {
                            key: stringify!($field),
                            kind: $crate::telemetry::catalogue::kind::kind!($kind),
                            unit: "",
                            doc: concat!($($field_doc),+).trim_ascii(),
                        },)*
                    ],
                    doc: concat!($($doc),+).trim_ascii(),
                };

                /// This value of it.
                #[must_use]
                pub fn reading(self, value: f64) -> $crate::catalogue::Reading<'a> {
                    $crate::catalogue::Reading::new($name, $unit, value)
                        .with("subsystem", self.subsystem)
                        $(.with(stringify!($field), $crate::telemetry::catalogue::kind::text!(self.$field, $kind)))*
                }
            }
        )+

        /// A reading of each metric, another one in each round.
        #[cfg(all(test, feature = "alloc"))]
        pub(super) fn samples(round: usize) -> alloc::vec::Vec<($crate::catalogue::Figure, $crate::catalogue::Reading<'static>)> {
            alloc::vec![$(
                ($type::FIGURE, $type {
                    subsystem: "tolaria",
                    $($field: $crate::telemetry::catalogue::kind::sample!(round, $kind),)*
                }.reading(round as f64)),
            )+]
        }
    };
}

pub(crate) use {events, figures};

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;

    use super::super::kept::Kept;
    use super::super::{EVENTS, FIGURES, Field, FieldKind, INDICATORS, events, figures};
    use crate::{Event, Level};

    const ROUNDS: usize = 12;

    fn fits(field: &Field, value: &str) -> bool {
        match field.kind {
            FieldKind::Text => true,
            FieldKind::Count => value.parse::<u64>().is_ok(),
            FieldKind::Seconds => value.parse::<f64>().is_ok_and(|seconds| seconds >= 0.0),
            FieldKind::Number => value.parse::<f64>().is_ok(),
            FieldKind::Flag => value.parse::<bool>().is_ok(),
            FieldKind::Word(words) => words.contains(&value),
        }
    }

    #[test]
    fn events_are_just_what_their_rows_say() {
        let mut seen: BTreeSet<(&str, Level)> = BTreeSet::new();
        for round in 0..ROUNDS {
            let samples = events::samples(round);
            assert_eq!(samples.len(), EVENTS.len());
            let mut kept = Kept::default();
            for ((entry, event, said), row) in samples.iter().zip(EVENTS) {
                assert!(said.keep(&mut kept), "{event} is short");
                assert_eq!((&*kept.event(), &said.event(), said.level()), (event, event, event.level()));
                assert_eq!((entry, entry.name, event.left_out()), (row, event.name(), 0));
                assert!(entry.levels.contains(&event.level()), "{event}");
                seen.insert((entry.name, event.level()));
                assert_eq!(event.attributes().count(), entry.fields.len(), "{event}");
                for ((key, value), field) in event.attributes().zip(entry.fields) {
                    assert!(key == field.key && fits(field, value), "{key}={value} is not as {field:?} says");
                }
            }
        }
        // No level is listed that no event has.
        let listed: BTreeSet<_> =
            EVENTS.iter().flat_map(|entry| entry.levels.iter().map(|level| (entry.name, *level))).collect();
        assert_eq!(seen, listed);
    }

    #[test]
    fn figures_are_just_what_their_rows_say() {
        for round in 0..ROUNDS {
            let samples = figures::samples(round);
            assert_eq!(samples.len(), FIGURES.len());
            for ((figure, reading), row) in samples.iter().zip(FIGURES) {
                assert_eq!((figure, figure.name, figure.unit), (row, reading.name(), reading.unit()));
                assert_eq!(reading.value().to_bits(), (round as f64).to_bits());
                assert_eq!(reading.attributes().len(), figure.fields.len(), "{reading:?}");
                for ((key, value), field) in reading.attributes().iter().zip(figure.fields) {
                    assert!(*key == field.key && fits(field, value), "{key}={value} is not as {field:?} says");
                }
            }
        }
    }

    #[test]
    fn rows_are_whole_and_none_is_there_twice() {
        let names: Vec<&str> = EVENTS.iter().map(|entry| entry.name).collect();
        let figures: Vec<&str> = FIGURES.iter().map(|figure| figure.name).collect();
        let indicators: Vec<&str> = INDICATORS.iter().map(|indicator| indicator.name).collect();
        for names in [&names, &figures, &indicators] {
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
            for name in names {
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._".contains(&byte);
                assert!(!name.is_empty() && name.bytes().all(plain), "{name}");
            }
        }
        for entry in EVENTS {
            assert!(!entry.levels.is_empty() && entry.levels.is_sorted() && entry.doc.ends_with('.'), "{entry:?}");
            assert!(entry.fields.len() <= Event::MOST_ATTRIBUTES, "{entry:?}");
        }
        for field in EVENTS.iter().flat_map(|entry| entry.fields).chain(FIGURES.iter().flat_map(|figure| figure.fields))
        {
            assert!(field.doc.ends_with('.'), "{field:?}");
            assert_eq!(field.kind == FieldKind::Seconds, field.unit == "s", "{field:?}");
        }
    }
}

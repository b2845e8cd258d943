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

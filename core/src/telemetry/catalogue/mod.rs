//! The catalogue: every event, metric and indicator that this house writes, each from one table.
//!
//! Each event of [`events`] and each metric of [`figures`] is declared once. From that declaration come a type with a field for each
//! attribute, which makes the [`Event`](crate::Event) or the [`Reading`], and a row of [`EVENTS`] or [`FIGURES`], for programs that list or
//! explain them. So what is written and what is documented cannot differ.
//!
//! Units are those of UCUM: `s` for seconds, `1` for a ratio, `By` for bytes, and what is counted in braces, as `{command}`.
//!
//! ```
//! use core::time::Duration;
//! use countermand_core::catalogue::{self, events::PrefetchTimeout};
//! use countermand_core::{Event, Level};
//!
//! let latency = Duration::from_millis(5250);
//! let event = Event::from(PrefetchTimeout { subsystem: "tamiyo", request: "r-17", in_flight: 3, latency });
//! assert_eq!(event.level(), Level::Critical);
//! assert_eq!(event.attribute("latency"), Some("5.25"));
//! assert!(catalogue::EVENTS.iter().any(|entry| entry.name == event.name()));
//! ```

mod entry;
pub mod events;
pub mod figures;
pub mod indicators;
#[cfg(feature = "alloc")]
pub(crate) mod kept;
mod kind;
mod reading;
mod rejection;
mod said;
mod table;
#[cfg(all(test, feature = "alloc"))]
mod tests;
mod word;

pub use entry::{Entry, Field, FieldKind, Figure, Indicator, MetricKind};
pub use events::EVENTS;
pub use figures::FIGURES;
pub use indicators::INDICATORS;
pub use reading::Reading;
pub use rejection::Rejection;
pub use said::Said;
pub use word::Word;

//! How urgent a packet is: rule E1, in one function.

use super::Level;
use crate::Priority;

/// How urgent a packet is, and whether its sender said something about it that means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Urgency {
    /// Where it goes, and ahead of what.
    pub priority: Priority,
    /// Its indicator names no priority. The level has decided; this is to be reported and counted.
    pub unknown: bool,
}

impl Urgency {
    /// The indicator that is looked at: `system_health.indicators["priority"]`.
    pub const INDICATOR: &'static str = "priority";

    /// The urgency of a packet of `level` whose indicator, if it has one, is `indicator` (E1).
    ///
    /// The level gives a priority: INFO is NORMAL, WARNING and ERROR are HIGH, CRITICAL is CRITICAL. The indicator can raise it: the
    /// higher of the two counts. LOW lowers what would be NORMAL, and nothing else. An indicator names a priority by its name, with or without
    /// the schema's `MESSAGE_PRIORITY_` before it, in capitals or not; `MESSAGE_PRIORITY_UNSPECIFIED` names none.
    ///
    /// ```
    /// use countermand_core::{Level, Priority, Urgency};
    /// assert_eq!(Urgency::of(Level::Info, Some("MESSAGE_PRIORITY_HIGH")).priority, Priority::High);
    /// assert_eq!(Urgency::of(Level::Error, Some("LOW")).priority, Priority::High);
    /// let misspelt = Urgency::of(Level::Critical, Some("CRITCAL"));
    /// assert_eq!((misspelt.priority, misspelt.unknown), (Priority::Critical, true));
    /// ```
    #[must_use]
    #[inline]
    pub fn of(level: Level, indicator: Option<&str>) -> Self {
        let by_level = match level {
            Level::Info => Priority::Normal,
            Level::Warning | Level::Error => Priority::High,
            Level::Critical => Priority::Critical,
        };
        let named = indicator.map(named);
        let priority = match named.flatten() {
            Some(Priority::Low) if by_level == Priority::Normal => Priority::Low,
            Some(named) => named.max(by_level),
            None if mutant!(MisspeltPriorityIsNormal) && named.is_some() => Priority::Normal,
            None => by_level,
        };
        Self { priority, unknown: named == Some(None) }
    }
}

/// The priority of this name.
fn named(indicator: &str) -> Option<Priority> {
    const SCHEMA: &str = "MESSAGE_PRIORITY_";
    let bare = match indicator.split_at_checked(SCHEMA.len()) {
        Some((head, bare)) if head.eq_ignore_ascii_case(SCHEMA) => bare,
        _ => indicator,
    };
    Priority::ALL.into_iter().find(|priority| bare.eq_ignore_ascii_case(priority.name()))
}

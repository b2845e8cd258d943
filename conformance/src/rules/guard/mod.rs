//! Group G: guard and configuration.

mod fallback;
mod identifier;
mod plan;
mod preflight;
mod violation;

use crate::rule::rules;

use fallback::g3_no_fallback_but_by_name_and_each_use_is_reported;
use identifier::g1_an_empty_identifier_cannot_be_constructed;
use preflight::g4_all_violations_are_reported_at_once;
use violation::g2_a_violation_comes_before_any_side_effect;

rules! {
    "G1" g1_an_empty_identifier_cannot_be_constructed => once;
    "G2" g2_a_violation_comes_before_any_side_effect => once;
    "G3" g3_no_fallback_but_by_name_and_each_use_is_reported => once;
    "G4" g4_all_violations_are_reported_at_once;
}

use std::sync::{Arc, Mutex};

use countermand_core::{Event, Identifier, Intake, Level, Reason, SubsystemId, Violation};

use crate::rules::kit::lock;
use crate::{Flaw, ensure, ensure_eq};

/// Keeps the events it is given. Clones are the same ledger.
#[derive(Clone, Debug, Default)]
struct Ledger(Arc<Mutex<Vec<Event>>>);

impl Intake for Ledger {
    fn take(&self, event: &Event) {
        lock(&self.0).push(*event);
    }
}

impl Ledger {
    /// How many there are.
    fn len(&self) -> usize {
        lock(&self.0).len()
    }

    /// Hands over what came since the last time.
    fn take_all(&self) -> Vec<Event> {
        std::mem::take(&mut *lock(&self.0))
    }
}

/// An identifier that the rule needs for something else.
fn id<K: Identifier>(text: &str) -> Result<K, Flaw> {
    text.parse().map_err(|error| Flaw::Broken(format!("a good identifier was refused: {error}")))
}

/// What a violation must name.
struct Named<'a> {
    subsystem: SubsystemId,
    dependency: &'a str,
    identifier: &'a str,
    reason: Reason,
}

impl Named<'_> {
    /// The violation names all four, and `events` is the one event that it becomes, CRITICAL, with all four in it.
    fn by(&self, violation: &Violation, events: &[Event]) -> Result<(), Flaw> {
        let Self { subsystem, dependency, identifier, reason } = *self;
        ensure_eq!(violation.subsystem(), subsystem, "the subsystem that a violation names: {violation}");
        let named = (violation.dependency(), violation.identifier(), violation.reason());
        ensure_eq!(named, (dependency, identifier, reason), "what a violation names: {violation}");
        let said = violation.to_string();
        for part in [subsystem.as_str(), dependency, identifier] {
            ensure!(said.contains(part), "a violation of {part} reads {said:?}");
        }
        ensure_eq!(events.len(), 1, "events of one violation, {said:?}");
        let event = &events[0];
        ensure_eq!(
            (event.name(), event.level()),
            ("dependency_guard.violation", Level::Critical),
            "the event of {said:?}"
        );
        let told = ["subsystem", "dependency", "identifier", "reason"].map(|key| event.attribute(key));
        let all = [subsystem.as_str(), dependency, identifier, reason.name()].map(Some);
        ensure_eq!(told, all, "what the event names of {said:?}");
        Ok(())
    }
}

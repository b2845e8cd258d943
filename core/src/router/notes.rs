//! What the router has to tell of itself: what it shed, and what else went wrong (E5, E16).
//!
//! It tells totals, never what came since: so a report that is lost is made good by the next one. What happens to the router's own packets is
//! counted, but it is no reason for another report: so reports do not feed themselves. Only one that others' packets pushed out is made good.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use super::config::RouterConfig;
use crate::telemetry::Fate;
use crate::telemetry::Source;
use crate::{Instant, Priority};

/// What was counted of one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceFigures {
    /// Packets shed, by [`Priority::index`].
    pub shed: [u64; Priority::COUNT],
    /// Packets whose indicator named no priority (E1).
    pub unknown_priority: u64,
}

/// What was counted of one outlet since the router was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutletTotals {
    /// Packets that its sink has.
    pub delivered: u64,
    /// Packets that its sink would never have.
    pub dead_lettered: u64,
    /// How often its sink failed so often in a row that it was let alone.
    pub failures: u64,
    /// How often its sink gave back another batch, answers for no packet, or panicked.
    pub misbehaviours: u64,
}

/// Something to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Note {
    Shed(Source, SourceFigures),
    UnknownPriority(Source, u64),
    Failed(usize, u64),
    Misbehaved(usize, u64),
}

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Notes {
    every: Duration,
    /// Of how many sources there is a row.
    most: usize,
    sources: BTreeMap<Source, (SourceFigures, Untold)>,
    /// Of all further ones together.
    others: (SourceFigures, Untold),
    outlets: Vec<(OutletTotals, Untold)>,
    /// When something may be told again; `None` while nothing was told yet.
    not_before: Option<Instant>,
    anything: bool,
    /// Nobody was told yet that there is anything.
    news: bool,
}

/// What has changed since it was told last.
#[derive(Clone, Copy, Debug, Default)]
struct Untold {
    first: bool,
    second: bool,
}

/// The name under which all sources beyond the bound are told.
const OTHERS: &str = "(others)";

impl Notes {
    pub(super) fn new(config: &RouterConfig, outlets: usize) -> Self {
        Self {
            every: config.report_every,
            most: config.sources,
            sources: BTreeMap::new(),
            others: Default::default(),
            outlets: alloc::vec![Default::default(); outlets],
            not_before: None,
            anything: false,
            news: false,
        }
    }

    pub(super) fn shed(&mut self, source: Source, priority: Priority, count: u64, own: bool) {
        if mutant!(ShedIsNotCounted) {
            return;
        }
        let (figures, untold) = self.row(source);
        figures.shed[priority.index()] += count;
        if !own || mutant!(RouterFeedsItself) {
            untold.first = true;
            self.mark();
        }
    }

    pub(super) fn unknown_priority(&mut self, source: Source) {
        let (figures, untold) = self.row(source);
        figures.unknown_priority += 1;
        untold.second = true;
        self.mark();
    }

    pub(super) fn failed(&mut self, outlet: usize) {
        if let Some((totals, untold)) = self.outlets.get_mut(outlet) {
            totals.failures += 1;
            untold.first = true;
            self.mark();
        }
    }

    pub(super) fn misbehaved(&mut self, outlet: usize, own: bool) {
        let Some((totals, untold)) = self.outlets.get_mut(outlet) else { return };
        totals.misbehaviours += 1;
        if !own {
            untold.second = true;
            self.mark();
        }
    }

    /// A packet of others' took the room of a report: everything is told once more, since what it told is told nowhere else.
    pub(super) fn lost(&mut self) {
        for (figures, untold) in self.sources.values_mut().chain([&mut self.others]) {
            untold.first |= figures.shed != [0; Priority::COUNT];
            untold.second |= figures.unknown_priority > 0;
        }
        for (totals, untold) in &mut self.outlets {
            untold.first |= totals.failures > 0;
            untold.second |= totals.misbehaviours > 0;
        }
        self.mark();
    }

    /// An outlet is through with a packet of others'.
    pub(super) fn figure(&mut self, outlet: usize, fate: Fate) {
        let Some((totals, _)) = self.outlets.get_mut(outlet) else { return };
        match fate {
            Fate::Delivered => totals.delivered += 1,
            Fate::DeadLettered => totals.dead_lettered += 1,
            Fate::Expired | Fate::Shed => {}
        }
    }

    /// Whether there came to be something to tell since this was asked last.
    pub(super) const fn news(&mut self) -> bool {
        mem::replace(&mut self.news, false)
    }

    /// When there is something to tell; `None`: nothing.
    pub(super) fn next(&self) -> Option<Instant> {
        self.anything.then(|| self.not_before.unwrap_or(Instant::ORIGIN))
    }

    /// What there is to tell at `now`.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Note> {
        let mut notes = Vec::new();
        if !self.next().is_some_and(|at| at.is_due(now)) {
            return notes;
        }
        self.anything = false;
        self.not_before = now.checked_add(if mutant!(RouterFeedsItself) { Duration::ZERO } else { self.every });
        let others = (&Source::of(OTHERS), &mut self.others);
        for (source, (figures, untold)) in self.sources.iter_mut().chain([others]) {
            if mem::take(&mut untold.first) {
                notes.push(Note::Shed(*source, *figures));
            }
            if mem::take(&mut untold.second) {
                notes.push(Note::UnknownPriority(*source, figures.unknown_priority));
            }
        }
        for (outlet, (totals, untold)) in self.outlets.iter_mut().enumerate() {
            if mem::take(&mut untold.first) {
                notes.push(Note::Failed(outlet, totals.failures));
            }
            if mem::take(&mut untold.second) {
                notes.push(Note::Misbehaved(outlet, totals.misbehaviours));
            }
        }
        notes
    }

    /// What was counted of each source; the last row is that of all beyond the bound.
    pub(super) fn sources(&self) -> Vec<(Source, SourceFigures)> {
        let others = (&Source::of(OTHERS), &self.others);
        let rows =
            self.sources.iter().chain(Some(others).filter(|(_, (figures, _))| *figures != SourceFigures::default()));
        rows.map(|(source, (figures, _))| (*source, *figures)).collect()
    }

    pub(super) fn totals(&self, outlet: usize) -> OutletTotals {
        self.outlets.get(outlet).map_or_else(OutletTotals::default, |(totals, _)| *totals)
    }

    const fn mark(&mut self) {
        self.news |= !self.anything;
        self.anything = true;
    }

    fn row(&mut self, source: Source) -> &mut (SourceFigures, Untold) {
        if self.sources.len() >= self.most && !self.sources.contains_key(&source) {
            return &mut self.others;
        }
        self.sources.entry(source).or_default()
    }
}

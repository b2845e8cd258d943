//! The submitters that wait for a slot, and the places that are promised to them.
//!
//! Invariants, whenever the lock of the board is open:
//! 1. Slots that are taken and slots that are promised are together at most as many as there are; of a priority at most as many as it may have (Q1, Q8).
//! 2. While one waits, nobody of its priority or a lower one comes in without having waited (Q9).
//! 3. What may be granted is granted by the driver, in its next step: whoever frees a slot, leaves the line or gives a promise back rings it (Q6).

use core::fmt;
use core::ptr::NonNull;
use core::task::Waker;

use super::chain::{Chain, Link};
use crate::Priority;

/// How one stands in line.
#[derive(Clone, Copy)]
pub(super) struct Standing {
    pub(super) priority: Priority,
    /// Whether it was promised a slot, and has not come for it yet. It is on the list no more.
    pub(super) granted: bool,
}

/// See the head of the file.
#[expect(unnameable_types, reason = "nobody's business but the policies'")]
pub struct Line {
    pub(super) waiting: Chain<Standing>,
    /// How many slots are promised.
    pub(super) granted: usize,
}

impl Line {
    pub(super) const fn new() -> Self {
        Self { waiting: Chain::new(), granted: 0 }
    }

    /// Whether somebody waits whom one of this priority must not overtake.
    pub(super) fn is_before(&mut self, priority: Priority) -> bool {
        self.foremost().is_some_and(|(_, first)| first >= priority)
    }

    /// Who is to be served next: the oldest of the most urgent.
    fn foremost(&mut self) -> Option<(NonNull<Link<Standing>>, Priority)> {
        let mut first: Option<(NonNull<Link<Standing>>, Priority)> = None;
        self.waiting.take(|link, standing| {
            // The newest comes first.
            let is_before = if mutant!(LastSubmitterFirst) {
                first.is_none_or(|(_, other)| other < standing.priority)
            } else {
                first.is_none_or(|(_, other)| other <= standing.priority)
            };
            if is_before {
                first = Some((link, standing.priority));
            }
            false
        });
        first
    }

    /// Promises a slot to who is to be served next, if `taken` of them leave it one, and gives its waker. When the worker is closed, all who wait are told so.
    pub(super) fn grant(&mut self, taken: usize, limits: &[usize; Priority::COUNT], closed: bool) -> Option<Waker> {
        if closed {
            return if mutant!(ShutdownForgetsWaitingSubmitters) { None } else { self.waiting.take(|_, _| true) };
        }
        let (first, priority) = self.foremost()?;
        // The most urgent has the widest limit: if it may not come in, nobody may.
        if taken + self.granted >= limits[priority.index()] || mutant!(FreedCapacityWakesNobody) {
            return None;
        }
        self.granted += 1;
        self.waiting.take(|link, standing| {
            standing.granted |= link == first;
            link == first
        })
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("granted", &self.granted).finish_non_exhaustive()
    }
}

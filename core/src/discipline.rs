//! Which priority is served next.

use crate::Priority;

/// In which order a worker serves the priorities of its queue. Within one priority it is always first in, first out (Q2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Discipline {
    /// The most urgent first, always. A steady flow of urgent work starves the rest: this discipline makes no promise of
    /// the kind of Q3.
    Strict,
    /// The most urgent first, but none starves: every level has a weight, by [`Priority::index`], none of them zero.
    ///
    /// - A level that waits is passed over in favour of higher ones at most [`bound`](Discipline::bound) times in a row.
    /// - No two lower levels in a row go before a higher one that waits: a job that arrives at a higher level than all
    ///   that are queued waits for one lower job at the most, and for none if no level has used up its patience.
    Weighted([u32; Priority::COUNT]),
}

impl Default for Discipline {
    /// Weights 1, 2, 4 and 8: Low is passed over at most 18 times, Normal 9, High 4.
    fn default() -> Self {
        Self::Weighted([1, 2, 4, 8])
    }
}

impl Discipline {
    /// The bound of rule Q3: how many jobs of higher priorities that were submitted later start, at the most, before the
    /// oldest queued job of `priority`. `None`: any number, under [`Discipline::Strict`].
    ///
    /// It is `ceil(H / w) + 2 + b`, where `w` is the weight of the level, `H` the sum of the weights of the higher levels
    /// and `b` the number of levels between it and Critical; for Critical it is 0. The first term is the level's patience,
    /// the rest is what others whose patience ended earlier may take first. A job with `n` jobs before it in
    /// its level waits for `n + 1` times as many at the most.
    #[must_use]
    pub fn bound(&self, priority: Priority) -> Option<u32> {
        match (self, priority) {
            (_, Priority::Critical) => Some(0),
            (Self::Strict, _) => None,
            (Self::Weighted(_), _) => {
                let between = (Priority::COUNT - 2 - priority.index()) as u32;
                Some(self.patience(priority) + 2 + between)
            }
        }
    }

    /// Whether every level is served at all.
    ///
    /// # Errors
    ///
    /// The least urgent level whose weight is zero.
    pub fn check(&self) -> Result<(), Priority> {
        match self {
            Self::Strict => Ok(()),
            Self::Weighted(weights) => match Priority::ALL.into_iter().find(|level| weights[level.index()] == 0) {
                Some(level) => Err(level),
                None => Ok(()),
            },
        }
    }

    /// How often a level is passed over before its turn is due.
    fn patience(&self, priority: Priority) -> u32 {
        match self {
            Self::Strict => u32::MAX,
            Self::Weighted(weights) => patience_of(*weights)[priority.index()],
        }
    }
}

/// How often each level of these weights is passed over before its turn is due.
pub(crate) const fn patience_of(weights: [u32; Priority::COUNT]) -> [u32; Priority::COUNT] {
    // Small enough for the bound to be told in 32 bits.
    const MOST: u64 = (u32::MAX - 8) as u64;
    let mut patience = [1; Priority::COUNT];
    let (mut level, mut above) = (Priority::COUNT, 0);
    while level > 0 {
        level -= 1;
        let weight = weights[level] as u64;
        let turns = if weight == 0 { above } else { u64::div_ceil(above, weight) };
        let most = if turns < MOST { turns } else { MOST };
        if most > 1 {
            patience[level] = most as u32;
        }
        above += weight;
    }
    patience
}

/// Applies a [`Discipline`]: asked which levels have jobs, it says whose turn it is, and keeps account of it.
///
/// ```
/// use countermand_core::{Discipline, Picker, Priority};
/// let mut picker = Picker::new(Discipline::Weighted([1, 1, 1, 1]));
/// let high_and_critical = 0b1100;
/// assert_eq!(picker.pick(high_and_critical), Some(Priority::Critical));
/// assert_eq!(picker.pick(high_and_critical), Some(Priority::High));
/// assert_eq!(picker.pick(high_and_critical), Some(Priority::Critical));
/// assert_eq!(picker.pick(0), None);
/// ```
///
/// # Implementation notes
///
/// A level that is passed over counts it. When its patience is used up it is due a turn before the top level; the levels
/// that are due take turns, and the top level has every other turn. The usual round with a budget for each level is
/// simpler, but there a job that arrives when its level's budget is spent waits for the rest of the round.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Picker {
    patience: [u32; Priority::COUNT],
    ageing: bool,
    turns: Turns,
}

impl Picker {
    /// That of [`Discipline::Strict`].
    pub(crate) const STRICT: Self = Self { patience: [0; Priority::COUNT], ageing: false, turns: Turns::NONE };

    /// Nothing picked yet. A weight of zero counts as one; [`Discipline::check`] refuses it earlier.
    #[must_use]
    pub fn new(discipline: Discipline) -> Self {
        match discipline {
            Discipline::Strict => Self::STRICT,
            Discipline::Weighted(weights) => Self { patience: patience_of(weights), ageing: true, turns: Turns::NONE },
        }
    }

    /// Whose turn it is, given the levels that have jobs: bit [`Priority::index`] each. The caller starts a job of that level.
    ///
    /// `None` if no level has one.
    #[inline]
    pub fn pick(&mut self, nonempty: u8) -> Option<Priority> {
        let nonempty = nonempty & 0b1111;
        if !self.ageing {
            return Priority::ALL.get(nonempty.checked_ilog2()? as usize).copied();
        }
        self.turns.pick(&self.patience, nonempty)
    }
}

/// The account of a weighted discipline.
///
/// Invariants:
/// 1. `passed` of a level is 0 if it was empty, or was served, at the last pick; else the number of picks of higher
///    levels since, counted as far as its patience.
/// 2. After a pick of a level below the top one (`bypassed`), the next pick is of the top level.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Turns {
    passed: [u32; Priority::COUNT],
    bypassed: bool,
    /// The level whose patience was heeded last: the search for the next begins after it.
    last: u8,
}

impl Turns {
    /// Nothing picked yet.
    pub(crate) const NONE: Self = Self { passed: [0; Priority::COUNT], bypassed: false, last: 0 };

    /// Whose turn it is, of the levels that have jobs, by the patience of each.
    #[inline]
    pub(crate) fn pick(&mut self, patience: &[u32; Priority::COUNT], nonempty: u8) -> Option<Priority> {
        let top = nonempty.checked_ilog2()? as usize;
        if mutant!(NoAgeing) {
            return Priority::ALL.get(top).copied();
        }
        if nonempty.is_power_of_two() {
            // The usual case: nobody is passed over, nobody waits.
            self.passed = [0; Priority::COUNT];
            self.bypassed = false;
            return Priority::ALL.get(top).copied();
        }
        let due = if self.bypassed { None } else { self.due(patience, top, nonempty) };
        let level = due.unwrap_or(top);
        self.bypassed = level < top;
        if due.is_some() {
            self.last = level as u8;
        }
        for (below, (passed, patience)) in self.passed.iter_mut().zip(patience).enumerate() {
            let waits = below < level && nonempty & (1 << below) != 0;
            if waits {
                *passed = passed.saturating_add(1).min(*patience);
            } else if below == level || nonempty & (1 << below) == 0 {
                *passed = 0;
            }
        }
        Priority::ALL.get(level).copied()
    }

    /// The next level up to `top`, in turn after the last, whose patience is used up. Also `top` itself: it may have been
    /// passed over by a higher one that has no job now.
    fn due(&self, patience: &[u32; Priority::COUNT], top: usize, nonempty: u8) -> Option<usize> {
        let mut in_turn = (1..=Priority::COUNT).map(|step| (usize::from(self.last) + step) % Priority::COUNT);
        in_turn.find(|&level| level <= top && nonempty & (1 << level) != 0 && self.passed[level] >= patience[level])
    }
}

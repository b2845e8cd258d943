//! What became of the records of one priority.

use std::ops::AddAssign;

/// How many records of one priority were taken in, and what became of them (E8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// Taken in.
    pub accepted: u64,
    /// Acknowledged; where nobody reads, kept.
    pub delivered: u64,
    /// Kept with the reason why somebody would not have them.
    pub dead_lettered: u64,
    /// Too old to be worth reading.
    pub expired: u64,
    /// Taken in, and unreadable after damage to the file.
    pub shed: u64,
    /// Not read yet, or not acknowledged.
    pub pending: u64,
}

/// What became of a record, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    Delivered = 0,
    Expired = 1,
    DeadLettered = 2,
}

impl Fate {
    pub(crate) const fn of(number: u8) -> Self {
        match number {
            0 => Self::Delivered,
            1 => Self::Expired,
            _ => Self::DeadLettered,
        }
    }
}

impl Account {
    /// Whether accepted = delivered + dead-lettered + expired + shed + pending.
    #[must_use]
    pub const fn balances(&self) -> bool {
        self.accepted == self.delivered + self.dead_lettered + self.expired + self.shed + self.pending
    }

    pub(crate) fn accept(&mut self, count: u64) {
        self.accepted += count;
        self.pending += count;
    }

    pub(crate) fn end(&mut self, count: u64, fate: Fate) {
        self.pending = self.pending.saturating_sub(count);
        match fate {
            Fate::Delivered => self.delivered += count,
            Fate::Expired => self.expired += count,
            Fate::DeadLettered => self.dead_lettered += count,
        }
    }

    /// After damage there are in fact `pending` unread: what is missing was shed, what has come back is accepted again.
    pub(crate) fn recount(&mut self, pending: u64) {
        self.shed += self.pending.saturating_sub(pending);
        self.accepted += pending.saturating_sub(self.pending);
        self.pending = pending;
    }

    pub(crate) const fn numbers(&self) -> [u64; 6] {
        [self.accepted, self.delivered, self.dead_lettered, self.expired, self.shed, self.pending]
    }

    pub(crate) const fn of_numbers(numbers: [u64; 6]) -> Self {
        let [accepted, delivered, dead_lettered, expired, shed, pending] = numbers;
        Self { accepted, delivered, dead_lettered, expired, shed, pending }
    }
}

impl AddAssign for Account {
    fn add_assign(&mut self, other: Self) {
        let (mut sum, more) = (self.numbers(), other.numbers());
        sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        *self = Self::of_numbers(sum);
    }
}

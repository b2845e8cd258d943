//! What became of all packets: the ledger of rule E8.

use core::fmt;

use crate::Priority;

/// What became of a packet, from the best to the worst. With several sinks the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fate {
    /// Every sink has it.
    Delivered,
    /// It was worth delivering only for a time, and that is over.
    Expired,
    /// There was no room for it.
    Shed,
    /// A sink would not have it; it is kept with the reason.
    DeadLettered,
}

impl Fate {
    /// The word for it in the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Expired => "expired",
            Self::Shed => "shed",
            Self::DeadLettered => "dead_lettered",
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How many packets of each priority ([`Priority::index`]) were taken in, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Ledger {
    /// Taken in.
    pub accepted: [u64; Priority::COUNT],
    /// Every sink has them.
    pub delivered: [u64; Priority::COUNT],
    /// Kept with the reason why a sink would not have them.
    pub dead_lettered: [u64; Priority::COUNT],
    /// Not worth delivering any more.
    pub expired: [u64; Priority::COUNT],
    /// Let go for want of room.
    pub shed: [u64; Priority::COUNT],
    /// On their way.
    pub pending: [u64; Priority::COUNT],
    /// Never taken in: their senders were told no. Not part of the balance.
    pub refused: [u64; Priority::COUNT],
}

impl Ledger {
    #[cfg(not(any(countermand_loom, countermand_shuttle)))]
    pub(crate) const NONE: Self = {
        let none = [0; Priority::COUNT];
        Self {
            accepted: none,
            delivered: none,
            dead_lettered: none,
            expired: none,
            shed: none,
            pending: none,
            refused: none,
        }
    };

    /// Whether accepted = delivered + dead-lettered + expired + shed + pending, for each priority (E8).
    #[must_use]
    pub fn balances(&self) -> bool {
        Priority::ALL.into_iter().map(Priority::index).all(|of| {
            let ended = self.delivered[of] + self.dead_lettered[of] + self.expired[of] + self.shed[of];
            self.accepted[of] == ended + self.pending[of]
        })
    }

    /// How many packets met this fate, by priority.
    #[must_use]
    pub const fn of(&self, fate: Fate) -> &[u64; Priority::COUNT] {
        match fate {
            Fate::Delivered => &self.delivered,
            Fate::Expired => &self.expired,
            Fate::Shed => &self.shed,
            Fate::DeadLettered => &self.dead_lettered,
        }
    }

    pub(crate) const fn accept(&mut self, priority: Priority) {
        self.accepted[priority.index()] += 1;
        self.pending[priority.index()] += 1;
    }

    /// So many were taken in and shed.
    #[cfg(feature = "alloc")]
    pub(crate) const fn shed_at_once(&mut self, priority: Priority, count: u64) {
        self.accepted[priority.index()] += count;
        self.shed[priority.index()] += count;
    }

    pub(crate) fn end(&mut self, priority: Priority, fate: Fate) {
        let of = priority.index();
        self.pending[of] -= 1;
        if mutant!(DeadLettersAreNotCounted) && fate == Fate::DeadLettered {
            return;
        }
        let column = match fate {
            Fate::Delivered => &mut self.delivered,
            Fate::Expired => &mut self.expired,
            Fate::Shed => &mut self.shed,
            Fate::DeadLettered => &mut self.dead_lettered,
        };
        column[of] += 1;
    }
}

//! The ledger: what became of everything that was taken in.

use std::fmt;

use countermand_core::Priority;

use crate::account::Account;

/// What became of all records: in total, and for each consumer (E8). It is committed with what it counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalLedger {
    /// By [`Priority::index`]. A record has ended when it has for every consumer; with several the worst of their ends counts.
    pub total: [Account; Priority::COUNT],
    /// The same for each consumer, by name.
    pub consumers: Vec<(String, [Account; Priority::COUNT])>,
    /// What became of the dead letters.
    pub dead_letters: DeadLetterAccount,
    /// How many packets came again and were acknowledged without being kept twice.
    pub duplicates: u64,
    /// How many CRITICAL records wait in the reserve for space on the disk. They are pending.
    pub reserved: u64,
}

/// What became of the dead letters, of all priorities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetterAccount {
    /// Taken in.
    pub received: u64,
    /// Sent on their way again.
    pub replayed: u64,
    /// Thrown away because somebody said so.
    pub purged: u64,
    /// Unreadable after damage to the file.
    pub shed: u64,
    /// Here.
    pub kept: u64,
}

impl DeadLetterAccount {
    /// Whether received = replayed + purged + shed + kept.
    #[must_use]
    pub const fn balances(&self) -> bool {
        self.received == self.replayed + self.purged + self.shed + self.kept
    }
}

impl JournalLedger {
    /// Whether every account in it balances.
    #[must_use]
    pub fn balances(&self) -> bool {
        let consumers = self.consumers.iter().flat_map(|(_, accounts)| accounts);
        self.total.iter().chain(consumers).all(Account::balances) && self.dead_letters.balances()
    }

    /// The account of `consumer`, over all priorities.
    #[must_use]
    pub fn consumer(&self, name: &str) -> Option<Account> {
        self.consumers.iter().find(|(known, _)| known == name).map(|(_, accounts)| sum(accounts))
    }

    /// The account of the journal as a whole, over all priorities.
    #[must_use]
    pub fn sum(&self) -> Account {
        sum(&self.total)
    }
}

fn sum(accounts: &[Account]) -> Account {
    accounts.iter().fold(Account::default(), |mut sum, account| {
        sum += *account;
        sum
    })
}

impl fmt::Display for JournalLedger {
    /// A table: a line for each priority, most urgent first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = ["accepted", "delivered", "dead_lettered", "expired", "shed", "pending"];
        write!(f, "{:<10}", "")?;
        heads.iter().try_for_each(|head| write!(f, "{head:>15}"))?;
        for priority in Priority::ALL.into_iter().rev() {
            write!(f, "\n{priority:<10}")?;
            self.total[priority.index()].numbers().iter().try_for_each(|number| write!(f, "{number:>15}"))?;
        }
        Ok(())
    }
}

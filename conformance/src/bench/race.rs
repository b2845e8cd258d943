//! Races: threads that meet, or where there is one, every order of what would.

use std::prelude::v1::*;

use super::Bench;
#[cfg(feature = "std")]
use crate::race::{FEWEST, Laps, race};
use crate::{Check, Flaw};

/// In how many orders four racers can run.
#[cfg(not(feature = "std"))]
const ORDERS: u64 = 24;

impl Bench {
    /// Runs `racers` at the same time on as many threads, over and over: each round on a field of its own, which `audit`
    /// then looks at. Where they start is spread at random over some microseconds. The calling thread is the first racer.
    ///
    /// Returns how many rounds there were: fewer than asked for where the machine is too busy for all of them before the
    /// watchdog comes.
    ///
    /// # Errors
    ///
    /// What `audit` returns, [`Flaw::Broken`] when a racer panics, [`Flaw::Inconclusive`] when the rounds were too few.
    #[cfg(feature = "std")]
    pub fn race<S: Send + Sync>(
        &self,
        rounds: u64,
        set_up: impl FnMut(u64) -> S,
        racers: &[&(dyn Fn(&S) + Sync)],
        mut audit: impl FnMut(u64, S) -> Result<(), Flaw>,
    ) -> Check {
        let third = self.order.watchdog / 3;
        // A rule may have several races: each takes half of what is left of the first third.
        let enough = std::time::Instant::now() + third.saturating_sub(self.begun.elapsed()) / 2;
        let laps = Laps { rounds, enough, too_late: self.begun + third * 2 };
        let counted = |round, field| {
            self.raced.set(self.raced.get() + 1);
            audit(round, field)
        };
        race(self.random().u64(..), laps, set_up, racers, counted)
    }

    /// How many rounds of races there have been.
    pub(crate) fn raced(&self) -> u64 {
        self.raced.get()
    }

    /// Runs `racers` over and over, each round on a field of its own, which `audit` then looks at. On one thread they cannot meet: they run one after the
    /// other, in every order in turn.
    ///
    /// # Errors
    ///
    /// What `audit` returns.
    #[cfg(not(feature = "std"))]
    pub fn race<S: Send + Sync>(
        &self,
        rounds: u64,
        mut set_up: impl FnMut(u64) -> S,
        racers: &[&(dyn Fn(&S) + Sync)],
        mut audit: impl FnMut(u64, S) -> Result<(), Flaw>,
    ) -> Check {
        self.leave_out("one thread: what races elsewhere runs one after the other, in every order");
        let rounds = rounds.min(ORDERS);
        for round in 0..rounds {
            let field = set_up(round);
            let mut waiting: Vec<_> = racers.iter().collect();
            let mut choice = usize::try_from(round).unwrap_or_default();
            while !waiting.is_empty() {
                let next = choice % waiting.len();
                choice /= waiting.len();
                waiting.remove(next)(&field);
            }
            audit(round, field)?;
        }
        Ok(rounds)
    }

    /// Whether there is time for another race, when `rounds` have been run.
    #[cfg(feature = "std")]
    pub(crate) fn races_on(&self, rounds: u64) -> bool {
        rounds < FEWEST || self.begun.elapsed() < self.order.watchdog / 3
    }

    /// Every order has its turn in one race.
    #[cfg(not(feature = "std"))]
    pub(crate) fn races_on(&self, rounds: u64) -> bool {
        rounds < ORDERS
    }
}

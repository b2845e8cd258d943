//! The report of a run that cannot go on.

use std::fmt;
use std::time::Duration;

use countermand_core::Instant;

use crate::standing::Standing;
use crate::world::{Kind, Runner, State, World};

/// Why a run cannot go on, and who waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stalled {
    kind: StallKind,
    seed: u64,
    turns: u64,
    at: Instant,
    waiting: Vec<String>,
}

/// The kinds of reasons for a [`Stalled`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StallKind {
    /// Nobody is ready, no alarm is set and no call runs: whoever waits waits for ever.
    Deadlock,
    /// Nobody is ready before the time of the next alarm, and time stands still
    /// ([`set_auto_advance`](crate::Sim::set_auto_advance)).
    Frozen {
        /// What the next alarm is set to.
        next: Instant,
    },
    /// The limit of turns was reached ([`set_turn_limit`](crate::Sim::set_turn_limit)): somebody spins, or alarms go on for
    /// ever while what was waited for does not come.
    Endless {
        /// The limit.
        turns: u64,
    },
}

impl Stalled {
    pub(crate) fn new(kind: StallKind, world: &World, state: &State) -> Self {
        let queued = |runner: &Runner| runner.queued;
        let waiting = state
            .runners
            .iter()
            .filter(|(_, runner)| !queued(runner))
            .map(|(&id, runner)| describe(id, runner))
            .collect();
        Self { kind, seed: world.seed, turns: state.trace.turns(), at: world.now(), waiting }
    }

    /// The kind of reason.
    #[must_use]
    pub const fn kind(&self) -> StallKind {
        self.kind
    }

    /// The seed of the run.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// Everybody who waits, oldest first: what it is, its name, and where it was spawned.
    #[must_use]
    pub fn waiting(&self) -> &[String] {
        &self.waiting
    }
}

/// What it is, its name, and where it was spawned.
pub(crate) fn describe(id: u64, runner: &Runner) -> String {
    let (what, how) = match &runner.kind {
        Kind::Root => return format!("the future of block_on at {}", runner.from),
        Kind::Task(_) => ("task", ""),
        Kind::Call(call) => match call.standing {
            Standing::Fresh => ("call", ", not begun"),
            Standing::Running => ("call", ", running"),
            Standing::Waiting => ("call", ", waiting in block_on"),
            Standing::Away => ("call", ", blocked where the sim cannot see"),
            Standing::Astray => ("call", ", not heard of for longer than the sim's patience"),
        },
    };
    match &runner.name {
        Some(name) => format!("{what} {id} `{name}` from {}{how}", runner.from),
        None => format!("{what} {id} from {}{how}", runner.from),
    }
}

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.at.saturating_since(Instant::ORIGIN);
        write!(
            f,
            "the sim stalled at {time:?} of virtual time, after {} turns, under seed {}: ",
            self.turns, self.seed
        )?;
        match self.kind {
            StallKind::Deadlock => f.write_str("nobody is ready, no alarm is set and no call runs")?,
            StallKind::Frozen { next } => {
                let wait: Duration = next.saturating_since(self.at);
                write!(f, "nobody is ready, and time stands still {wait:?} before the next alarm")?;
            }
            StallKind::Endless { turns } => write!(f, "the limit of {turns} turns was reached")?,
        }
        f.write_str("; waiting:")?;
        for line in self.waiting.iter().take(Self::SHOWN) {
            write!(f, "\n  {line}")?;
        }
        match self.waiting.len() {
            0 => f.write_str(" nobody"),
            count if count > Self::SHOWN => write!(f, "\n  and {} more", count - Self::SHOWN),
            _ => Ok(()),
        }
    }
}

impl Stalled {
    /// How many of those who wait are shown.
    const SHOWN: usize = 20;
}

impl std::error::Error for Stalled {}

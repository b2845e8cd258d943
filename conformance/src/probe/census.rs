//! A census of values: who was born, who died, how often and on which thread.

use std::fmt;
use std::prelude::v1::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use crate::Flaw;

/// Counts the [`Probe`]s it hands out, and records each one's end. Clones share one register.
#[derive(Clone, Debug, Default)]
pub struct Census(Arc<Register>);

#[derive(Debug, Default)]
struct Register {
    born: AtomicU64,
    deaths: Mutex<Vec<Death>>,
}

/// The end of one probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Death {
    /// Which one, counted from 0.
    pub probe: u64,
    /// The thread that dropped it.
    pub thread: ThreadId,
}

impl Census {
    /// A new one, empty.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A new value to be captured by a job, a closure or an output.
    #[must_use]
    pub fn probe(&self) -> Probe {
        Probe { number: self.0.born.fetch_add(1, Ordering::SeqCst), census: self.clone(), last_act: None }
    }

    /// A probe that runs `act` when it is dropped, after its death was recorded. The closure may panic.
    #[must_use]
    pub fn probe_with(&self, act: impl FnOnce() + Send + 'static) -> Probe {
        let mut probe = self.probe();
        probe.last_act = Some(Box::new(act));
        probe
    }

    /// How many were handed out.
    #[must_use]
    pub fn born(&self) -> u64 {
        self.0.born.load(Ordering::SeqCst)
    }

    /// How many drops were seen.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.deaths().len() as u64
    }

    /// How many have not been dropped.
    #[must_use]
    pub fn alive(&self) -> u64 {
        self.born().saturating_sub(self.dropped())
    }

    /// All drops, in their order.
    #[must_use]
    pub fn deaths(&self) -> Vec<Death> {
        self.0.deaths.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a drop was seen on this thread.
    #[must_use]
    pub fn any_on(&self, thread: ThreadId) -> bool {
        self.deaths().iter().any(|death| death.thread == thread)
    }

    /// Everything that was handed out has been dropped, each exactly once (X2).
    ///
    /// # Errors
    ///
    /// [`Flaw::Broken`], naming the probes that live on or died twice.
    pub fn each_once(&self, of_what: &str) -> Result<(), Flaw> {
        let born = self.born();
        let mut times = vec![0_u32; usize::try_from(born).unwrap_or(usize::MAX)];
        for death in self.deaths() {
            match usize::try_from(death.probe).ok().and_then(|place| times.get_mut(place)) {
                Some(count) => *count += 1,
                None => return Err(Flaw::Broken(format!("{of_what}: {death:?} of a probe that was never handed out"))),
            }
        }
        match times.iter().enumerate().find(|(_, count)| **count != 1) {
            None => Ok(()),
            Some((probe, count)) => {
                Err(Flaw::Broken(format!("{of_what}: number {probe} of {born} was dropped {count} times, not once")))
            }
        }
    }
}

/// A value whose drop is recorded.
pub struct Probe {
    number: u64,
    census: Census,
    last_act: Option<Box<dyn FnOnce() + Send>>,
}

impl Probe {
    /// Its number in its census.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let death = Death { probe: self.number, thread: thread::current().id() };
        self.census.0.deaths.lock().unwrap_or_else(PoisonError::into_inner).push(death);
        if let Some(act) = self.last_act.take() {
            act();
        }
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Probe").field(&self.number).finish()
    }
}

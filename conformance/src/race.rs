//! Races: the same few steps at the same time on several threads, over and over, from a seed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::thread;
use std::time::Instant;

use crate::{Check, Flaw};

/// How far apart, in spins, the racers of a round may start: from the same instant to some microseconds.
const SPREAD: u64 = 2_000;

/// With fewer rounds than this a race has shown nothing.
pub(crate) const FEWEST: u64 = 50;

/// How long a race goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Laps {
    /// So many rounds, if there is time for them.
    pub(crate) rounds: u64,
    /// From here on it ends as soon as it has shown anything.
    pub(crate) enough: Instant,
    /// Here it ends even if it has not.
    pub(crate) too_late: Instant,
}

/// See [`Bench::race`](crate::Bench::race).
pub(crate) fn race<S: Send + Sync>(
    seed: u64,
    laps: Laps,
    mut set_up: impl FnMut(u64) -> S,
    racers: &[&(dyn Fn(&S) + Sync)],
    mut audit: impl FnMut(u64, S) -> Result<(), Flaw>,
) -> Check {
    let Some((own, others)) = racers.split_first() else {
        return Err(Flaw::Inconclusive("a race without racers".to_owned()));
    };
    let Laps { rounds, enough, too_late } = laps;
    let track = Track::<S>::default();
    let mut random = fastrand::Rng::with_seed(seed);
    thread::scope(|scope| {
        let _end = EndOnDrop(&track);
        for (lane, racer) in others.iter().enumerate() {
            let (track, racer) = (&track, *racer);
            let mut random = fastrand::Rng::with_seed(seed ^ (lane as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            scope.spawn(move || {
                let mut round = 0;
                while track.next_round(&mut round) {
                    track.run(racer, &mut random);
                    track.done.fetch_add(1, Ordering::Release);
                }
            });
        }
        for round in 0..rounds {
            let now = Instant::now();
            if round >= FEWEST && now >= enough {
                return Ok(round);
            }
            if now >= too_late {
                let few =
                    format!("the machine is too busy: time for no more than {round} of {rounds} rounds of a race");
                return Err(Flaw::Inconclusive(few));
            }
            *track.field.write().unwrap_or_else(PoisonError::into_inner) = Some(set_up(round));
            track.done.store(0, Ordering::Relaxed);
            track.round.store(round + 1, Ordering::Release);
            track.run(*own, &mut random);
            spin_until(|| track.done.load(Ordering::Acquire) == others.len());
            let panicked = track.panicked.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(message) = panicked {
                return Err(Flaw::Broken(format!("in round {round} a racer panicked: {message}")));
            }
            let field = track.field.write().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(field) = field {
                audit(round, field)?;
            }
        }
        Ok(rounds)
    })
}

/// What the racers share: the field of this round, and where they are in it.
struct Track<S> {
    field: RwLock<Option<S>>,
    round: AtomicU64,
    done: AtomicUsize,
    ended: AtomicBool,
    panicked: Mutex<Option<String>>,
}

impl<S> Default for Track<S> {
    fn default() -> Self {
        Self {
            field: RwLock::new(None),
            round: AtomicU64::new(0),
            done: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
            panicked: Mutex::new(None),
        }
    }
}

impl<S> Track<S> {
    /// Waits for a round after `round`; false when there will be none.
    fn next_round(&self, round: &mut u64) -> bool {
        spin_until(|| self.round.load(Ordering::Acquire) > *round || self.ended.load(Ordering::Acquire));
        *round += 1;
        !self.ended.load(Ordering::Acquire)
    }

    fn run(&self, racer: &(dyn Fn(&S) + Sync), random: &mut fastrand::Rng) {
        let head_start = if random.bool() { 0 } else { random.u64(0..SPREAD) };
        let field = self.field.read().unwrap_or_else(PoisonError::into_inner);
        let Some(field) = field.as_ref() else { return };
        for _ in 0..head_start {
            std::hint::spin_loop();
        }
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| racer(field))) {
            *self.panicked.lock().unwrap_or_else(PoisonError::into_inner) = Some(message(&*payload));
        }
    }
}

struct EndOnDrop<'a, S>(&'a Track<S>);

impl<S> Drop for EndOnDrop<'_, S> {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Release);
    }
}

/// The text of a panic.
pub(crate) fn message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&'static str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a payload that is not text").to_owned()
}

fn spin_until(reached: impl Fn() -> bool) {
    let mut spins = 0_u32;
    while !reached() {
        spins += 1;
        if spins.is_multiple_of(512) {
            thread::yield_now();
        } else {
            std::hint::spin_loop();
        }
    }
}

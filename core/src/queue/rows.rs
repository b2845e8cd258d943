//! The jobs in the queue: a row for each priority, first in, first out, linked through the jobs themselves.
//!
//! The shelf does the same for things that have no links of their own. A job has, so a queued one takes no place besides its own memory, and the queue
//! never grows.
//!
//! Invariants:
//! 1. A job is in a row of its priority exactly while its links are not out; the rows then have its runner, and so hold it.
//! 2. A bit of `nonempty` is set exactly while its row has a job.
//! 3. What the oldest of a row has for the one before it says nothing: that one is gone.
#![allow(unsafe_code, reason = "rows of jobs that are linked through themselves")]

use core::fmt;
use core::iter;
use core::ptr::NonNull;

use crate::Priority;
use crate::job::head::{Head, JobRef};
use crate::job::links::{Link, Links};
use crate::job::runner::Runner;
use crate::prefetch;
use crate::timers::TimerPlace;

/// How many lines of the cache a small job takes: its head, and the slot and the body behind that.
const LINES: usize = size_of::<Head>().div_ceil(64) + 2;

/// See the head of the file.
pub(super) struct Rows {
    rows: [Row; Priority::COUNT],
    nonempty: u8,
    len: usize,
}

#[derive(Clone, Copy)]
struct Row {
    oldest: Link<Head>,
    newest: Link<Head>,
}

/// A job in the rows, for who has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Queued(NonNull<Head>);

// SAFETY: the rows own runners, which may be used on any thread.
unsafe impl Send for Rows {}
// SAFETY: it is an address; what can be done with it is asked of the rows.
unsafe impl Send for Queued {}

impl Rows {
    pub(super) const fn new() -> Self {
        Self { rows: [Row { oldest: None, newest: None }; Priority::COUNT], nonempty: 0, len: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The priorities that have jobs: bit [`Priority::index`] each.
    pub(super) const fn nonempty(&self) -> u8 {
        self.nonempty
    }

    /// The least urgent priority that has a job.
    pub(super) fn lowest(&self) -> Option<Priority> {
        Priority::ALL.get(self.nonempty.trailing_zeros() as usize).copied()
    }

    /// Puts a job, which is in no row, behind all others of its priority.
    #[inline]
    pub(super) fn push(&mut self, runner: Runner) -> Queued {
        let priority = runner.head().priority().index();
        let job = runner.into_address();
        let row = &mut self.rows[priority];
        let older = row.newest.replace(job);
        // SAFETY: the runner is the rows' now, and so are the links of the other one.
        unsafe {
            set(job, |links| *links = Links { older, ..Links::FIRST });
            match older {
                Some(older) => set(older, |links| links.newer = Some(job)),
                None => row.oldest = Some(job),
            }
        }
        self.nonempty |= 1 << priority;
        self.len += 1;
        Queued(job)
    }

    /// The oldest job of `priority`.
    #[inline]
    pub(super) fn oldest(&self, priority: Priority) -> Option<Queued> {
        let row = &self.rows[priority.index()];
        if mutant!(LifoWithinPriority) { row.newest } else { row.oldest }.map(Queued)
    }

    /// The newest job of `priority`.
    pub(super) fn newest(&self, priority: Priority) -> Option<Queued> {
        self.rows[priority.index()].newest.map(Queued)
    }

    /// Where this job stands, if it is here.
    ///
    /// # Safety
    ///
    /// It has never been in other rows than these.
    pub(super) unsafe fn find(&self, job: &JobRef) -> Option<Queued> {
        let at = job.address();
        // SAFETY: the caller holds the job. Its links belong to these rows, as it is, if in any, in these.
        let out = unsafe { get(at) }.is_out();
        (!out).then_some(Queued(at))
    }

    /// Notes its timer.
    pub(super) fn set_timer(&mut self, job: Queued, timer: TimerPlace) {
        // SAFETY: it is here.
        unsafe { set(job.0, |links| links.timer = timer) };
    }

    /// Takes out a job that is here, wherever it stands, and gives its timer too. The order of the others stays as it was.
    #[inline]
    pub(super) fn take(&mut self, job: Queued) -> (Runner, TimerPlace) {
        // SAFETY: it is here, so the rows have its runner, which goes to the caller; those beside it are here too.
        unsafe {
            let Links { older, newer, timer } = get(job.0);
            set(job.0, |links| *links = Links::OUT);
            let runner = Runner::from_address(job.0);
            let priority = runner.head().priority().index();
            let row = &mut self.rows[priority];
            if row.oldest == Some(job.0) {
                row.oldest = newer;
                match newer {
                    // It is the next to be started. It is not touched: who submitted it may be on another processor.
                    Some(newer) => prefetch::to_write::<_, LINES>(newer),
                    None => {
                        row.newest = None;
                        self.nonempty &= !(1 << priority);
                    }
                }
            } else {
                if let Some(older) = older {
                    set(older, |links| links.newer = newer);
                }
                match newer {
                    Some(newer) => set(newer, |links| links.older = older),
                    None => row.newest = older,
                }
            }
            self.len -= 1;
            (runner, timer)
        }
    }

    /// All jobs: the most urgent priority first, within a priority the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = JobRef> {
        let rows = Priority::ALL.into_iter().rev().map(|priority| self.rows[priority.index()].oldest);
        // SAFETY: they are here while `self` is borrowed, and their runners hold them.
        let row = |oldest| iter::successors(oldest, |job| unsafe { get(*job) }.newer);
        // SAFETY: as above.
        rows.flat_map(row).map(|job| unsafe { JobRef::hold(job) })
    }
}

/// The links of a job.
///
/// # Safety
///
/// The job is there, and nobody writes its links meanwhile.
unsafe fn get(job: NonNull<Head>) -> Links<Head> {
    // SAFETY: promised by the caller.
    unsafe { job.as_ref().links.with(|links| *links) }
}

/// Writes the links of a job.
///
/// # Safety
///
/// The job is there, and nobody else looks at its links meanwhile.
unsafe fn set(job: NonNull<Head>, write: impl FnOnce(&mut Links<Head>)) {
    // SAFETY: promised by the caller.
    unsafe { job.as_ref().links.with_mut(|links| write(&mut *links)) }
}

impl Drop for Rows {
    fn drop(&mut self) {
        while let Some(job) = self.lowest().and_then(|priority| self.newest(priority)) {
            drop(self.take(job));
        }
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(countermand_loom)))]
mod tests {
    use alloc::collections::VecDeque;
    use alloc::vec::Vec;

    use super::{Queued, Rows};
    use crate::Priority;
    use crate::job::nobody::runner;

    /// A shuffled walk: the numbers are the same in every run.
    struct Walk(u64);

    impl Walk {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % bound
        }
    }

    #[test]
    fn rows_are_what_four_plain_queues_are() {
        let mut walk = Walk(7);
        let mut rows = Rows::new();
        let mut model: [VecDeque<Queued>; Priority::COUNT] = Default::default();
        for step in 0..if cfg!(miri) { 400 } else { 40_000 } {
            let priority = Priority::ALL[walk.below(Priority::COUNT)];
            let row = &mut model[priority.index()];
            match walk.below(5) {
                0 | 1 => row.push_back(rows.push(runner(priority))),
                2 if !row.is_empty() => {
                    let job = row.remove(walk.below(row.len())).expect("it has one");
                    let (runner, _) = rows.take(job);
                    // SAFETY: it was in these rows, and in no others.
                    assert_eq!(unsafe { rows.find(runner.job()) }, None, "taken out");
                }
                3 => {
                    assert_eq!(rows.oldest(priority), row.front().copied());
                    row.pop_front().into_iter().for_each(|job| drop(rows.take(job)));
                }
                _ => {
                    assert_eq!(rows.newest(priority), row.back().copied());
                    if walk.below(2) == 0 {
                        row.pop_back().into_iter().for_each(|job| drop(rows.take(job)));
                    }
                }
            }
            assert_eq!(rows.len(), model.iter().map(VecDeque::len).sum::<usize>());
            let lowest = Priority::ALL.into_iter().find(|priority| !model[priority.index()].is_empty());
            assert_eq!(rows.lowest(), lowest);
            if step % 64 == 0 {
                let there: Vec<_> = rows.iter().map(|job| Queued(job.address())).collect();
                let expected: Vec<_> = model.iter().rev().flatten().copied().collect();
                assert_eq!(there, expected);
            }
        }
        assert!(rows.len() > 4, "some are left, to go with the rows");
    }
}

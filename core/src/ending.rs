//! How a worker comes to its end: what was asked for, and the report that all who wait for it are given.
//!
//! ```text
//!   Open ──► Draining ──► Draining until ──► Aborting ──► Over
//!     └────────┴──────────────┴── may escalate, never relaxes (S5)
//! ```

use alloc::vec::Vec;
use core::task::Waker;

use crate::Instant;
use crate::bell::{Bell, Listener};
use crate::books::Counts;
use crate::observer::JobInfo;
use crate::sync::Lock;

/// What became of a worker's jobs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The books. They add up: `accepted` is the sum of the six outcomes and `unsettled` (S7). `unsettled` is 0 unless a
    /// job was still in a poll that did not return when the limit of an abort had passed; it is then among `survivors`.
    pub counts: Counts,
    /// The jobs that were cancelled by the shutdown, as they were when they settled (S4).
    pub cut_off: Vec<JobInfo>,
    /// The jobs that were still running when the limit of the abort had passed: calls, and tasks in a driver that was held up in
    /// one poll (B4).
    pub survivors: Vec<JobInfo>,
}

/// What was asked for so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Open,
    Drain { until: Option<Instant> },
    Abort { until: Option<Instant> },
    Over,
}

/// See the head of the file.
pub(crate) struct Ending {
    state: Lock<State>,
    over: Bell,
}

struct State {
    mode: Mode,
    cut_off: Vec<JobInfo>,
    report: Option<Report>,
    /// The jobs of this worker that wait for its end themselves, by their numbers, and how many such waits each has (S5).
    insiders: Vec<(u64, usize)>,
    /// What they are given when nobody but they is left.
    interim: Option<Report>,
}

impl Ending {
    pub(crate) fn new() -> Self {
        Self {
            state: Lock::new(State {
                mode: Mode::Open,
                cut_off: Vec::new(),
                report: None,
                insiders: Vec::new(),
                interim: None,
            }),
            over: Bell::new(),
        }
    }

    pub(crate) fn mode(&self) -> Mode {
        self.state.with(|state| state.mode)
    }

    /// Escalates to what is asked for; the earlier limit counts. True if an abort begins with this (S5).
    pub(crate) fn ask(&self, asked: Mode) -> bool {
        self.state.with(|state| {
            let before = state.mode;
            state.mode = match (before, asked) {
                (Mode::Abort { .. }, Mode::Drain { .. }) if mutant!(DrainRelaxesAnAbort) => asked,
                (Mode::Over, _) | (Mode::Abort { .. }, Mode::Open | Mode::Drain { .. }) | (_, Mode::Open) => before,
                (Mode::Drain { until: a }, Mode::Drain { until: b }) => Mode::Drain { until: Instant::earlier(a, b) },
                (Mode::Abort { until: a }, Mode::Abort { until: b }) => Mode::Abort { until: Instant::earlier(a, b) },
                (Mode::Open | Mode::Drain { .. } | Mode::Abort { .. }, _) => asked,
            };
            matches!((before, asked), (Mode::Open | Mode::Drain { .. }, Mode::Abort { .. }))
        })
    }

    /// Writes down that a job is cut off.
    pub(crate) fn cut_off(&self, job: JobInfo) {
        self.state.with(|state| {
            if state.report.is_none() && !mutant!(ReportForgetsWhoWasCutOff) {
                state.cut_off.push(job);
            }
        });
    }

    /// Fixes the report, once, and lets all who wait have it.
    pub(crate) fn finish(&self, counts: Counts, survivors: Vec<JobInfo>, wake: impl FnMut(Waker)) {
        self.state.with(|state| {
            if state.report.is_none() {
                state.mode = Mode::Over;
                let cut_off = core::mem::take(&mut state.cut_off);
                state.report = Some(Report { counts, cut_off, survivors });
            }
        });
        self.over.ring(wake);
    }

    pub(crate) fn report(&self) -> Option<Report> {
        self.state.with(|state| state.report.clone())
    }

    /// A job of this worker waits for its worker's end. It would wait for itself: so it is told when only such jobs are left.
    pub(crate) fn enter_insider(&self, job: u64) {
        self.state.with(|state| {
            match state.insiders.iter_mut().find(|(insider, _)| *insider == job) {
                Some((_, waits)) => *waits += 1,
                None => state.insiders.push((job, 1)),
            }
            // Whoever comes to wait is told how things are then.
            state.interim = None;
        });
    }

    /// One wait of the job is over.
    pub(crate) fn leave_insider(&self, job: u64) {
        self.state.with(|state| {
            if let Some((_, waits)) = state.insiders.iter_mut().find(|(insider, _)| *insider == job) {
                *waits -= 1;
            }
            state.insiders.retain(|&(_, waits)| waits != 0);
        });
    }

    /// The job is over, and whatever it has left behind waits for nothing of its own.
    pub(crate) fn forget_insider(&self, job: u64) {
        self.state.with(|state| state.insiders.retain(|&(insider, _)| insider != job));
    }

    /// Whether the jobs that are left all wait for the end, and have not been told that.
    pub(crate) fn only_insiders_are_left(&self, unfinished: u64) -> bool {
        self.state.with(|state| state.interim.is_none() && state.insiders.len() as u64 >= unfinished)
    }

    /// Gives them a report in which they are not settled yet.
    pub(crate) fn tell_insiders(&self, counts: Counts, wake: impl FnMut(Waker)) {
        self.state.with(|state| {
            state.interim = Some(Report { counts, cut_off: Vec::new(), survivors: Vec::new() });
        });
        self.over.ring(wake);
    }

    pub(crate) fn interim(&self) -> Option<Report> {
        self.state.with(|state| state.interim.clone())
    }

    pub(crate) fn listen(&self) -> Listener {
        self.over.listen()
    }
}

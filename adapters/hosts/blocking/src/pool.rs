//! The pool of threads that calls run on.
//!
//! Invariants, under the one lock:
//! 1. `idle` threads wait, `woken` ones were woken and have not looked yet, and `looking` ones were just started, or look without having the lock; each call in `calls` beyond those
//!    has, or will have, a thread that looks for calls when it has run its own.
//! 2. While a thread is idle, every call in `calls` has one that was woken for it, or looks. So a call wakes nobody when all are at work, which would cost a turn of
//!    the system's each.
//! 3. A thread ends only when it sees `calls` empty.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use countermand_core::{Call, Spin};

use crate::role;

/// How the threads are to be.
#[derive(Clone, Debug)]
pub(crate) struct Style {
    pub(crate) name: String,
    pub(crate) stack_size: Option<usize>,
    pub(crate) most: NonZero<usize>,
    pub(crate) keep_alive: Duration,
}

/// The door of the pool. When it is dropped, what is queued is run and idle threads end.
#[derive(Debug)]
pub(crate) struct Pool(Arc<Crew>);

/// What its threads have in common.
#[derive(Debug)]
pub(crate) struct Crew {
    style: Style,
    state: Mutex<State>,
    bell: Condvar,
    /// Whether there is a call in `calls`; a hint outside of the lock.
    calls: AtomicBool,
    spin: Spin,
    work: Work,
}

/// What a thread does with a call: runs it, and gives the one that it is to run next, if there is one.
type Work = fn(Call, &Arc<Crew>) -> Option<Call>;

#[derive(Debug, Default)]
struct State {
    calls: VecDeque<Call>,
    threads: usize,
    idle: usize,
    woken: usize,
    looking: usize,
    closed: bool,
}

impl Pool {
    pub(crate) fn new(style: Style, work: Work) -> Self {
        let calls = AtomicBool::new(false);
        Self(Arc::new(Crew { style, state: Mutex::default(), bell: Condvar::new(), calls, spin: Spin::new(), work }))
    }

    pub(crate) fn style(&self) -> &Style {
        &self.0.style
    }

    pub(crate) fn crew(&self) -> Arc<Crew> {
        Arc::clone(&self.0)
    }

    /// Runs `call` on a thread of the pool: on this one, if it gives a driver its turn and is to run what comes of that.
    pub(crate) fn run(&self, call: Call) {
        if let Some(call) = role::keep(&self.0, call) {
            self.0.run(call);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.bell.notify_all();
    }
}

impl Crew {
    pub(crate) fn spin(&self) -> &Spin {
        &self.spin
    }

    /// Whether calls wait for a thread; a hint.
    pub(crate) fn has_calls(&self) -> bool {
        self.calls.load(Ordering::Relaxed)
    }

    /// Runs `call` on a thread of the pool, when there is one. Where the system gives none at all, the call is dropped.
    pub(crate) fn run(self: &Arc<Self>, call: Call) {
        let (wake, start) = {
            let mut state = self.lock();
            state.calls.push_back(call);
            self.note(&state);
            let needed = state.calls.len() > state.woken + state.looking;
            let wake = needed && state.idle > 0;
            let start = needed && !wake && state.threads < self.style.most.get();
            state.idle -= usize::from(wake);
            state.woken += usize::from(wake);
            state.threads += usize::from(start);
            state.looking += usize::from(start);
            (wake, start)
        };
        if wake {
            self.bell.notify_one();
        }
        if !start {
            return;
        }
        let own = Arc::clone(self);
        if builder(self.style.name.clone(), self.style.stack_size).spawn(move || own.serve()).is_err() {
            let stranded = {
                let mut state = self.lock();
                state.threads -= 1;
                state.looking -= 1;
                let stranded = if state.threads == 0 { std::mem::take(&mut state.calls) } else { VecDeque::new() };
                self.note(&state);
                stranded
            };
            drop(stranded); // Outside of the lock: each settles its job.
        }
    }

    /// The life of a thread.
    fn serve(self: &Arc<Self>) {
        let mut state = self.lock();
        state.looking -= 1;
        loop {
            while let Some(call) = state.calls.pop_front() {
                self.note(&state);
                drop(state);
                let mut next = Some(call);
                while let Some(call) = next {
                    next = (self.work)(call, self);
                }
                state = self.lock();
            }
            state.looking += 1;
            drop(state);
            self.spin.until(|| self.has_calls());
            state = self.lock();
            state.looking -= 1;
            if !state.calls.is_empty() {
                continue;
            }
            if state.closed {
                break;
            }
            state.idle += 1;
            let (after, wait) =
                self.bell.wait_timeout(state, self.style.keep_alive).unwrap_or_else(PoisonError::into_inner);
            state = after;
            // Whoever comes first, by its time or without a reason, is the one that was woken; the other looks all the same.
            match state.woken.checked_sub(1) {
                Some(others) => state.woken = others,
                None => state.idle -= 1,
            }
            if wait.timed_out() && state.calls.is_empty() {
                break;
            }
        }
        state.threads -= 1;
    }

    fn note(&self, state: &State) {
        self.calls.store(!state.calls.is_empty(), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread to be. The system takes no name with a NUL in it.
pub(crate) fn builder(name: String, stack_size: Option<usize>) -> thread::Builder {
    let builder = thread::Builder::new().name(name.replace('\0', ""));
    match stack_size {
        Some(bytes) => builder.stack_size(bytes),
        None => builder,
    }
}

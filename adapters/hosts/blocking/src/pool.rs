//! The pool of threads that calls run on.
//!
//! Invariants, under the one lock:
//! 1. `idle` threads wait, and `woken` ones were woken and have not looked yet; each call in `calls` beyond `woken` has, or will have, a thread that
//!    looks for calls when it has run its own, or has just been started.
//! 2. While a thread is idle, every call in `calls` has one that was woken for it. So a call wakes nobody when all are at work, which would cost a turn of the
//!    system's each.
//! 3. A thread ends only when it sees `calls` empty.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use countermand_core::Call;

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
pub(crate) struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    style: Style,
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct State {
    calls: VecDeque<Call>,
    threads: usize,
    idle: usize,
    woken: usize,
    closed: bool,
}

impl Pool {
    pub(crate) fn new(style: Style) -> Self {
        Self(Arc::new(Shared { style, state: Mutex::default(), bell: Condvar::new() }))
    }

    pub(crate) fn style(&self) -> &Style {
        &self.0.style
    }

    /// Runs `call` on a thread of the pool, when there is one. Where the system gives none at all, the call is dropped.
    pub(crate) fn run(&self, call: Call) {
        let shared = &self.0;
        let (wake, start) = {
            let mut state = shared.lock();
            state.calls.push_back(call);
            let wake = state.idle > 0;
            let start = !wake && state.threads < shared.style.most.get();
            state.idle -= usize::from(wake);
            state.woken += usize::from(wake);
            state.threads += usize::from(start);
            (wake, start)
        };
        if wake {
            shared.bell.notify_one();
        }
        if !start {
            return;
        }
        let own = Arc::clone(shared);
        if builder(shared.style.name.clone(), shared.style.stack_size).spawn(move || own.serve()).is_err() {
            let stranded = {
                let mut state = shared.lock();
                state.threads -= 1;
                if state.threads == 0 { std::mem::take(&mut state.calls) } else { VecDeque::new() }
            };
            drop(stranded); // Outside of the lock: each settles its job.
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.bell.notify_all();
    }
}

impl Shared {
    /// The life of a thread.
    fn serve(&self) {
        let mut state = self.lock();
        loop {
            if let Some(call) = state.calls.pop_front() {
                drop(state);
                call.run();
                state = self.lock();
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

//! What the jobs of a script are made of, and who listens to them.

use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use countermand_core::{JobInfo, Observer, Settled};

use super::model::Told;

/// Writes down what is told.
#[derive(Clone, Default)]
pub(super) struct Listener(Arc<Mutex<Vec<Told>>>);

impl Listener {
    fn note(&self, told: Told) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(told);
    }

    pub(super) fn take(&self) -> Vec<Told> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(super) fn number(job: &JobInfo) -> usize {
    job.name.parse().expect("jobs are named by their numbers")
}

impl Observer for Listener {
    fn submitted(&self, job: &JobInfo) {
        self.note(Told::Submitted(number(job)));
    }

    fn started(&self, job: &JobInfo) {
        self.note(Told::Started(number(job)));
    }

    fn settled(&self, job: &JobInfo, settled: &Settled) {
        self.note(Told::Settled(number(job), settled.class, settled.late));
    }

    fn evicted(&self, job: &JobInfo) {
        self.note(Told::Evicted(number(job)));
    }
}

/// What a job has captured: it is counted, and may panic when it goes.
pub(super) struct Ballast {
    pub(super) _alive: Arc<()>,
    pub(super) panics: bool,
}

impl Drop for Ballast {
    fn drop(&mut self) {
        if self.panics {
            // Without a word: it is planned.
            resume_unwind(Box::new("in drop"));
        }
    }
}

/// A gate that opens once; one job waits at it.
#[derive(Clone, Default)]
pub(super) struct Door(Arc<(AtomicBool, Mutex<Option<Waker>>)>);

impl Door {
    pub(super) fn open(&self) {
        self.0.0.store(true, Ordering::SeqCst);
        let waker = self.0.1.lock().unwrap_or_else(PoisonError::into_inner).take();
        waker.into_iter().for_each(Waker::wake);
    }

    pub(super) fn pass(&self) -> impl Future<Output = ()> {
        poll_fn(|cx| {
            *self.0.1.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
            if self.0.0.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        })
    }
}

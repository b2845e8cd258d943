//! A waker that records what is done to it: woken, cloned, dropped; and that can act, or panic, when it is.
#![allow(
    unsafe_code,
    reason = "only a raw waker sees its own clones and drops; this file is that waker and nothing else"
)]

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{RawWaker, RawWakerVTable, Waker};

/// What was done to a waker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Touch {
    /// `wake` or `wake_by_ref`.
    Wake,
    /// `clone`.
    Clone,
    /// `drop` (and `wake`, which consumes).
    Drop,
}

/// Records what is done to its [`waker`](Recorder::waker)s. Clones share one record.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Record>);

type Act = Arc<dyn Fn(Touch) + Send + Sync>;

#[derive(Default)]
struct Record {
    wakes: AtomicU64,
    clones: AtomicU64,
    drops: AtomicU64,
    made: AtomicU64,
    act: Mutex<Option<Act>>,
}

impl Recorder {
    /// One that only records.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One that also runs `act` each time; `act` may use anything, and may panic.
    #[must_use]
    pub fn acting(act: impl Fn(Touch) + Send + Sync + 'static) -> Self {
        let recorder = Self::default();
        recorder.act(Some(Arc::new(act)));
        recorder
    }

    /// From now on it only records. What the act captured is dropped.
    pub fn calm(&self) {
        self.act(None);
    }

    /// A new waker.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.0.made.fetch_add(1, Ordering::SeqCst);
        // SAFETY: `VTABLE` keeps the contract of `RawWakerVTable`; see there.
        unsafe { Waker::from_raw(raw(Arc::clone(&self.0))) }
    }

    /// How often any of its wakers was woken.
    #[must_use]
    pub fn wakes(&self) -> u64 {
        self.0.wakes.load(Ordering::SeqCst)
    }

    /// How often any of its wakers was cloned.
    #[must_use]
    pub fn clones(&self) -> u64 {
        self.0.clones.load(Ordering::SeqCst)
    }

    /// How many of its wakers were dropped or consumed.
    #[must_use]
    pub fn drops(&self) -> u64 {
        self.0.drops.load(Ordering::SeqCst)
    }

    /// How many of its wakers are held by somebody.
    #[must_use]
    pub fn held(&self) -> u64 {
        (self.0.made.load(Ordering::SeqCst) + self.clones()).saturating_sub(self.drops())
    }

    fn act(&self, act: Option<Act>) {
        let before = std::mem::replace(&mut *self.0.act.lock().unwrap_or_else(PoisonError::into_inner), act);
        drop(before);
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("wakes", &self.wakes())
            .field("clones", &self.clones())
            .field("drops", &self.drops())
            .finish()
    }
}

impl Record {
    fn touched(&self, touch: Touch) {
        let count = match touch {
            Touch::Wake => &self.wakes,
            Touch::Clone => &self.clones,
            Touch::Drop => &self.drops,
        };
        count.fetch_add(1, Ordering::SeqCst);
        let act = self.act.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(act) = act {
            act(touch);
        }
    }
}

/// The data pointer is an `Arc<Record>` given up by `Arc::into_raw`; each waker owns one count of it. All four functions
/// may be called from any thread, as `Record` is `Send` and `Sync`, and give back or take exactly the count they own even
/// when the act panics.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

fn raw(record: Arc<Record>) -> RawWaker {
    RawWaker::new(Arc::into_raw(record).cast(), &VTABLE)
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: `data` came out of `Arc::into_raw` in `raw`, and the waker being cloned owns a count for as long as this
    // call lasts, so one more may be taken.
    let record = unsafe {
        Arc::increment_strong_count(data.cast::<Record>());
        Arc::from_raw(data.cast::<Record>())
    };
    record.touched(Touch::Clone);
    raw(record)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: as in `clone`; `wake` consumes the waker, so its count is ours.
    let record = unsafe { Arc::from_raw(data.cast::<Record>()) };
    record.drops.fetch_add(1, Ordering::SeqCst);
    record.touched(Touch::Wake);
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: as in `clone`; the reference does not outlive the call, during which the waker owns its count.
    let record = unsafe { &*data.cast::<Record>() };
    record.touched(Touch::Wake);
}

unsafe fn release(data: *const ()) {
    // SAFETY: as in `wake`.
    let record = unsafe { Arc::from_raw(data.cast::<Record>()) };
    record.touched(Touch::Drop);
}

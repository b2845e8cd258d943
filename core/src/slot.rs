//! One outcome for one reader: where a job leaves what its handle waits for.
//!
//! ```text
//!            publish                       take
//!   EMPTY ────────────► FULL ────────────────────────► TAKEN
//!    │ ▲     publish     │ │ reader leaves: UNREAD, and it drops the outcome
//!    ▼ │  ┌──────────────┘ └──────────────►
//!   WAITING ─► (its waker is taken, and woken)
//!    │
//!    │ reader leaves, also from EMPTY: it takes its waker along
//!    ▼
//!   UNREAD ──publish──► the outcome comes back to the publisher, who drops it (X4)
//! ```
//!
//! There is one publisher, who publishes once, and one reader. Who may touch what:
//! 1. The outcome is the publisher's until it is FULL, and then the reader's. While it is FULL, and only then, there is one to be dropped.
//! 2. The waker is the reader's while it is EMPTY. While it is WAITING it is whosever step out of that succeeds.
//!
//! Both leave EMPTY and WAITING by read-modify-write operations, so one of them sees the other (L5).
#![allow(unsafe_code, reason = "outcome and waker pass from one to the other by the state, without a lock")]

#[cfg(all(test, countermand_loom))]
mod loom;

use core::fmt;
use core::mem::MaybeUninit;
use core::task::{Context, Poll, Waker};

use crate::sync::UnsafeCell;
use crate::sync::atomic::{AtomicU8, Ordering};

const EMPTY: u8 = 0;
const WAITING: u8 = 1;
const FULL: u8 = 2;
const TAKEN: u8 = 3;
const UNREAD: u8 = 4;
/// Added to any of them: somebody besides the reader is to be told of the outcome.
const ASKED: u8 = 0x80;

/// See the head of the file.
pub(crate) struct Slot<T> {
    state: AtomicU8,
    waker: UnsafeCell<Option<Waker>>,
    /// There while it is FULL, and for the publisher of what is UNREAD.
    outcome: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: outcome and waker have one owner at a time, and pass from one to the next with Release and Acquire.
unsafe impl<T: Send> Send for Slot<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Slot<T> {}

/// What the publisher found, and so does next.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub(crate) struct Published(u8);

impl Published {
    /// Nobody waits, nobody has left, nobody has asked: there is nothing to do.
    #[inline]
    pub(crate) fn is_all(self) -> bool {
        self.0 == EMPTY
    }

    /// Somebody is to be told.
    pub(crate) fn is_asked(self) -> bool {
        self.0 & ASKED != 0
    }
}

impl<T> Slot<T> {
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicU8::new(EMPTY),
            waker: UnsafeCell::new(None),
            outcome: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// Whether the reader took the outcome, and did not leave without it.
    #[inline]
    pub(crate) fn was_read(&self) -> bool {
        self.state.load(Ordering::Acquire) & !ASKED == TAKEN
    }

    /// Whether there is nothing in it.
    #[inline]
    pub(crate) fn is_bare(&mut self) -> bool {
        // SAFETY: it is borrowed exclusively.
        self.state.load(Ordering::Relaxed) & !ASKED != FULL && self.waker.with(|waker| unsafe { (*waker).is_none() })
    }

    /// Whether an outcome was published.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        // While there is a reader to ask, it is not UNREAD.
        matches!(self.state.load(Ordering::Acquire) & !ASKED, FULL | TAKEN)
    }

    /// Publishes the outcome. If that is not all, the publisher asks for the [`reader`](Self::reader) and for what is [`unread`](Self::unread).
    ///
    /// # Safety
    ///
    /// The caller is the publisher, and has not done so before.
    #[inline]
    pub(crate) unsafe fn publish(&self, outcome: T) -> Published {
        // SAFETY: it is not FULL yet.
        self.outcome.with_mut(|place| unsafe { (*place).write(outcome) });
        Published(self.state.swap(FULL, Ordering::AcqRel))
    }

    /// The reader, to be woken, if it waited.
    ///
    /// # Safety
    ///
    /// The caller is the publisher, and has just published with this result.
    pub(crate) unsafe fn reader(&self, published: Published) -> Option<Waker> {
        // SAFETY: this step has left WAITING.
        let take = || self.waker.with_mut(|waker| unsafe { (*waker).take() });
        if published.0 & !ASKED == WAITING { take() } else { None }
    }

    /// What nobody will read, to be dropped.
    ///
    /// # Safety
    ///
    /// As for [`reader`](Self::reader); once.
    pub(crate) unsafe fn unread(&self, published: Published) -> Option<T> {
        (published.0 & !ASKED == UNREAD).then(|| {
            self.state.store(UNREAD, Ordering::Relaxed);
            // SAFETY: the reader has gone, so it is the publisher's, and it is FULL no more.
            unsafe { self.read() }
        })
    }

    /// Somebody besides the reader is to be told of the outcome. True if it was published before: then the publisher does not know.
    pub(crate) fn ask(&self) -> bool {
        matches!(self.state.fetch_or(ASKED, Ordering::AcqRel) & !ASKED, FULL | TAKEN)
    }

    /// Takes the outcome, or leaves a waker to be woken when it comes. `None` if it was taken before.
    ///
    /// # Safety
    ///
    /// The caller is the reader, and has not left.
    #[inline]
    pub(crate) unsafe fn poll_take(&self, cx: &Context<'_>) -> Poll<Option<T>> {
        let state = self.state.load(Ordering::Acquire);
        match state & !ASKED {
            // SAFETY: promised by the caller.
            FULL => Poll::Ready(Some(unsafe { self.take(TAKEN) })),
            TAKEN => Poll::Ready(None),
            _ => self.wait(state, cx.waker()),
        }
    }

    /// The reader takes the outcome.
    ///
    /// # Safety
    ///
    /// It is FULL, and the caller is the reader.
    #[inline]
    unsafe fn take(&self, to: u8) -> T {
        self.state.store(to, Ordering::Relaxed);
        // SAFETY: it was FULL, so it is there, and the reader's; now it is FULL no more.
        unsafe { self.read() }
    }

    /// # Safety
    ///
    /// The outcome is there, and the caller's, and is not read again.
    #[inline]
    unsafe fn read(&self) -> T {
        // SAFETY: promised by the caller.
        self.outcome.with_mut(|place| unsafe { (*place).assume_init_read() })
    }

    fn wait(&self, state: u8, waker: &Waker) -> Poll<Option<T>> {
        // It is the reader who asks, too, so the mark stays as it is.
        let asked = state & ASKED;
        let (empty, waiting) = (EMPTY | asked, WAITING | asked);
        let new = waker.clone();
        if state == waiting
            && self.state.compare_exchange(waiting, empty, Ordering::Acquire, Ordering::Acquire).is_err()
        {
            // SAFETY: only the publisher changes WAITING but for the reader, which this is: it is FULL.
            return Poll::Ready(Some(unsafe { self.take(TAKEN) }));
        }
        // SAFETY: it is EMPTY, and only the reader changes that, or the publisher, who then does not touch the waker.
        let old = self.waker.with_mut(|place| unsafe { (*place).replace(new) });
        let waits = self.state.compare_exchange(empty, waiting, Ordering::Release, Ordering::Acquire);
        // Others' code: it may panic, and the new one is in place.
        drop(old);
        match waits {
            Ok(_) => Poll::Pending,
            Err(_) => {
                // SAFETY: it is FULL, and the publisher found nobody WAITING.
                drop(self.waker.with_mut(|place| unsafe { (*place).take() }));
                // SAFETY: as above.
                Poll::Ready(Some(unsafe { self.take(TAKEN) }))
            }
        }
    }

    /// The reader leaves. What it leaves behind comes back, to be dropped.
    ///
    /// # Safety
    ///
    /// The caller is the reader, and does nothing with the slot afterwards.
    #[inline]
    pub(crate) unsafe fn leave(&self) -> Option<Leftover<T>> {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            match state & !ASKED {
                // SAFETY: promised by the caller.
                FULL => return Some(Leftover::Outcome(unsafe { self.take(UNREAD) })),
                TAKEN | UNREAD => return None,
                _ => {}
            }
            let unread = UNREAD | (state & ASKED);
            match self.state.compare_exchange(state, unread, Ordering::AcqRel, Ordering::Acquire) {
                // SAFETY: this step has left WAITING, or it was EMPTY and the waker the reader's anyway.
                Ok(_) => return self.waker.with_mut(|waker| unsafe { (*waker).take() }).map(Leftover::Waker),
                Err(now) => state = now,
            }
        }
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        if self.state.load(Ordering::Acquire) & !ASKED == FULL {
            // SAFETY: it is FULL, and nobody else is left.
            drop(unsafe { self.read() });
        }
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("full", &self.is_full()).finish_non_exhaustive()
    }
}

/// What a reader leaves behind.
#[derive(Debug)]
#[expect(dead_code, reason = "only dropped")]
pub(crate) enum Leftover<T> {
    Outcome(T),
    Waker(Waker),
}

#[cfg(all(test, feature = "std", not(any(countermand_loom, countermand_shuttle))))]
mod tests {
    use alloc::sync::Arc;
    use alloc::task::Wake;
    use core::task::{Context, Poll, Waker};

    use super::{Leftover, Slot};

    struct Nobody;

    impl Wake for Nobody {
        fn wake(self: Arc<Self>) {}
    }

    /// A waker, and what counts how many there are of it.
    fn counted() -> (Arc<Nobody>, Waker) {
        let nobody = Arc::new(Nobody);
        (nobody.clone(), nobody.into())
    }

    #[test]
    fn what_is_published_is_taken_once() {
        let mut slot = Slot::new();
        let (nobody, waker) = counted();
        let cx = Context::from_waker(&waker);
        assert!(slot.is_bare() && !slot.is_full() && !slot.was_read());
        // SAFETY: this thread is the only reader and the only publisher, and publishes once.
        unsafe {
            assert!(slot.poll_take(&cx).is_pending());
            assert!(slot.poll_take(&cx).is_pending());
            assert_eq!(Arc::strong_count(&nobody), 3, "one waker waits, not two");
            assert!(!slot.is_bare(), "a waker is in it");
            let published = slot.publish(7);
            assert!(!published.is_all() && !published.is_asked());
            assert!(slot.is_full() && !slot.was_read() && slot.unread(published).is_none());
            assert!(slot.reader(published).is_some());
            assert!(!slot.is_bare(), "an outcome is in it");
            assert!(matches!(slot.poll_take(&cx), Poll::Ready(Some(7))));
            assert!(slot.is_full() && slot.was_read() && slot.is_bare());
            assert!(matches!(slot.poll_take(&cx), Poll::Ready(None)));
            assert!(slot.leave().is_none());
        }
    }

    #[test]
    fn who_asks_learns_whether_it_is_there() {
        let mut slot = Slot::new();
        assert!(!slot.ask());
        // SAFETY: as above.
        unsafe {
            assert!(slot.poll_take(&Context::from_waker(Waker::noop())).is_pending());
            assert!(!slot.ask(), "asked for again, while one waits");
            let published = slot.publish(7);
            assert!(published.is_asked() && !published.is_all());
            assert!(slot.reader(published).is_some(), "the mark hides nobody");
            assert!(slot.ask());
            assert!(!slot.is_bare());
            assert!(matches!(slot.poll_take(&Context::from_waker(Waker::noop())), Poll::Ready(Some(7))));
            assert!(slot.ask() && slot.was_read() && slot.is_bare());
        }
        let slot = Slot::new();
        // SAFETY: as above.
        let published = unsafe { slot.publish(7) };
        assert!(published.is_all() && !published.is_asked());
        // SAFETY: as above.
        assert!(unsafe { slot.reader(published) }.is_none());
    }

    #[test]
    fn nothing_is_left_behind_whoever_goes_first() {
        let outcome = Arc::new(());
        let mut slot = Slot::new();
        // SAFETY: as above.
        unsafe {
            let _ = slot.publish(outcome.clone());
            assert!(!slot.is_bare());
            assert!(matches!(slot.leave(), Some(Leftover::Outcome(_))));
        }
        assert!(slot.is_bare() && !slot.was_read());
        let slot = Slot::new();
        // SAFETY: as above.
        let published = unsafe {
            assert!(slot.poll_take(&Context::from_waker(Waker::noop())).is_pending());
            assert!(matches!(slot.leave(), Some(Leftover::Waker(_))));
            slot.publish(outcome.clone())
        };
        // SAFETY: as above.
        unsafe {
            assert!(slot.reader(published).is_none());
            assert!(slot.unread(published).is_some());
        }
        drop(slot);
        // One that nobody read, and that nobody left either, goes with the slot.
        let slot = Slot::new();
        // SAFETY: as above.
        let _ = unsafe { slot.publish(outcome.clone()) };
        let before = Arc::strong_count(&outcome);
        drop(slot);
        assert_eq!(Arc::strong_count(&outcome), before - 1);
        let asked = Slot::new();
        asked.ask();
        // SAFETY: as above.
        let _ = unsafe { asked.publish(outcome.clone()) };
        asked.ask();
        drop(asked);
        assert_eq!(Arc::strong_count(&outcome), before - 1);
    }
}

//! This room holds the tokens whose nodes their owner holds: in a static, or pinned. They need no heap.
//!
//! # Invariants
//!
//! All of it stands under one lock, [`alone`], but for the look at `why`.
//!
//! 1. A token is cancelled from the moment that its own `why` says so, or an ancestor's. It is written once, when no ancestor
//!    is cancelled; so the nearest that is cancelled is the first that was (T10).
//! 2. Who waits for a token stands on the list of the token's root, so that a token knows nobody below it.
//! 3. Whoever stands on a list names a token that is there, and whose ancestors are: a token that goes takes off who waits for it or for
//!    what is below it (see `Drop`). It does not move before that, since waiting for it and being below it are for pinned ones.
#![allow(unsafe_code, reason = "the cells of a token and of its root are touched under one lock")]

mod callback;
mod guard;
mod list;
mod observer;
mod wait;
mod why;

use core::fmt;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::task::Waker;

pub use callback::HeldCallback;
pub use guard::HeldGuard;
pub use observer::{HeldObserved, HeldObserver};
pub use wait::HeldCancelled;

use list::List;
use why::Why;

use crate::contain::exhaust;
use crate::sync::{UnsafeCell, alone};
use crate::{Cause, CauseKind, Instant};

/// A token whose node is its owner's: a static, or pinned where its owner is. Without a heap, and without counts.
///
/// It means what a [`Token`](crate::Token) means: sticky, the first cause wins, a cancel reaches all below, deadlines are
/// inherited. Who shares it borrows it, or an [observer](Self::observer) of it; a [`HeldCallback`] is called when it is cancelled, and may cancel another, as a link does. A job [shields](crate::HeldContext::shielded) a section of its own.
///
/// ```
/// use countermand_core::{Cause, HeldToken};
///
/// static DEVICE: HeldToken<'static> = HeldToken::new();
/// static PUMP: HeldToken<'static> = HeldToken::below(&DEVICE);
///
/// assert!(DEVICE.cancel_with(Cause::SHUTDOWN));
/// assert_eq!(PUMP.cause(), Some(Cause::SHUTDOWN));
/// assert!(!PUMP.cancel(), "it was cancelled already");
/// ```
///
/// What is below a token goes before it (R5):
///
/// ```compile_fail,E0597
/// # use core::pin::{Pin, pin};
/// # use countermand_core::HeldToken;
/// let root = pin!(HeldToken::new());
/// let leaf;
/// {
///     let middle = pin!(HeldToken::child_of(root.as_ref()));
///     leaf = HeldToken::child_of(middle.as_ref());
/// }
/// drop(leaf);
/// ```
///
/// # Implementation notes
///
/// One lock for all of them, which without `std` is the critical section of the program, held for a walk through those who wait for
/// one tree. A lock for each would be a third of its memory. A list for each token, as heap tokens have, would put
/// every token that is waited for on its parent's, so that a token that is leaked would be found there.
pub struct HeldToken<'p> {
    /// Written under the lock, and once.
    why: Why,
    parent: Option<Pin<&'p HeldToken<'p>>>,
    /// A root's: who waits for it, or for what is below it.
    waiting: UnsafeCell<List>,
    /// How long before [`Instant::NEVER`] the deadline is, in nanoseconds. So a token in a static is all zeros, and weighs nothing in flash.
    before_never: u64,
    _pinned: PhantomPinned,
}

// SAFETY: `waiting` is touched under the lock; what is on the list are wakers, which are `Send`.
unsafe impl Send for HeldToken<'_> {}
// SAFETY: as above.
unsafe impl Sync for HeldToken<'_> {}

impl HeldToken<'static> {
    /// A child of a static token.
    #[must_use]
    pub const fn below(parent: &'static Self) -> Self {
        Self::of(Some(Pin::static_ref(parent)), Instant::NEVER)
    }

    /// A child of a static token, with a deadline of its own. See [`with_deadline`](Self::with_deadline).
    #[must_use]
    pub const fn below_with_deadline(parent: &'static Self, at: Instant) -> Self {
        Self::of(Some(Pin::static_ref(parent)), at)
    }

    /// Waits until this static token is cancelled, and says why.
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves nothing behind.
    pub const fn cancelled(&'static self) -> HeldCancelled<'static> {
        HeldCancelled::new(Pin::static_ref(self))
    }

    /// A view of this static token that cannot cancel it (T15).
    #[must_use]
    pub const fn observer(&'static self) -> HeldObserver<'static> {
        HeldObserver::new(Pin::static_ref(self))
    }
}

impl<'p> HeldToken<'p> {
    /// A root.
    #[must_use]
    pub const fn new() -> Self {
        Self::of(None, Instant::NEVER)
    }

    /// A root with a deadline. One at the last nanosecond of the clock is none (D8).
    #[must_use]
    pub const fn with_deadline(at: Instant) -> Self {
        Self::of(None, at)
    }

    /// A child: cancelled when `parent` is, or by itself.
    ///
    /// ```
    /// use core::pin::pin;
    /// use countermand_core::HeldToken;
    ///
    /// let service = pin!(HeldToken::new());
    /// let request = pin!(HeldToken::child_of(service.as_ref()));
    /// service.cancel();
    /// assert!(request.is_cancelled());
    /// ```
    #[must_use]
    pub const fn child_of(parent: Pin<&'p HeldToken<'p>>) -> Self {
        Self::of(Some(parent), Instant::NEVER)
    }

    /// A child with a deadline of its own. What counts is the earliest of it and its ancestors' (D1).
    #[must_use]
    pub const fn child_with_deadline(parent: Pin<&'p HeldToken<'p>>, at: Instant) -> Self {
        Self::of(Some(parent), at)
    }

    const fn of(parent: Option<Pin<&'p HeldToken<'p>>>, deadline: Instant) -> Self {
        Self {
            why: Why::new(),
            parent,
            waiting: UnsafeCell::new(List::new()),
            before_never: Instant::NEVER.as_nanos() - deadline.as_nanos(),
            _pinned: PhantomPinned,
        }
    }

    /// Cancels this token and all below it, with the cause [`Cause::REQUESTED`].
    ///
    /// # Returns
    ///
    /// Whether it was this call that cancelled it (T1); `false` if it was cancelled already, by itself or by an ancestor. When any call has
    /// returned, the token and all below it are cancelled (R2).
    ///
    /// # Panics
    ///
    /// If a waker panics, that panic goes on when all others have been woken (T9).
    pub fn cancel(&self) -> bool {
        self.cancel_with(Cause::REQUESTED)
    }

    /// Cancels this token and all below it. See [`cancel`](Self::cancel).
    ///
    /// The first cause of a token wins and never changes (T10).
    pub fn cancel_with(&self, cause: Cause) -> bool {
        let first = alone(|| {
            if self.is_cancelled() && !mutant!(LaterCauseOverwrites) {
                return mutant!(BothToldFirst);
            }
            // SAFETY: under the lock, and it is not cancelled yet.
            unsafe { self.why.set(cause) };
            true
        });
        if first {
            self.tell();
        }
        first
    }

    /// Wakes who waits for this token or for one below it, one at a time, under no lock (T8).
    fn tell(&self) {
        let root = self.root();
        exhaust(|| {
            // SAFETY: under the lock, and whoever is on the list is there (invariant 3).
            let waker = alone(|| root.waiting.with_mut(|list| unsafe { (*list).take(|token| token.is_cancelled()) }));
            let Some(waker) = waker else { return false };
            if mutant!(WakesTwice) {
                waker.wake_by_ref();
            }
            waker.wake();
            true
        });
    }

    /// Whether this token is cancelled, by itself or by an ancestor.
    ///
    /// Takes no lock, so it may be called from an interrupt handler (T4).
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.canceller().is_some()
    }

    /// Why this token was cancelled, if it was.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        self.canceller()?.why.get()
    }

    /// The earliest of the deadlines of this token and its ancestors (D1).
    ///
    /// It takes effect when somebody who knows the time calls [`expire_due`](Self::expire_due).
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let mut least = self.own_deadline();
        if !mutant!(ChildOverridesDeadline) || least == Instant::NEVER {
            self.ancestors(|above| least = least.min(above.own_deadline()));
        }
        (least != Instant::NEVER).then_some(least)
    }

    /// Cancels the outermost of this token and its ancestors whose deadline is due at `now` (D9), with the cause
    /// [`Cause::DEADLINE`] (D6).
    ///
    /// # Returns
    ///
    /// Whether a deadline is due and this token is cancelled because of one. `false` also for a token that has a due
    /// deadline but was cancelled before, for another reason.
    pub fn expire_due(&self, now: Instant) -> bool {
        let is_due = |token: &HeldToken<'_>| {
            let deadline = token.own_deadline();
            deadline != Instant::NEVER && deadline.is_due(now)
        };
        let mut due = is_due(self).then_some(self);
        self.ancestors(|above| {
            if is_due(above) && !(mutant!(ExpiresTheInnermost) && due.is_some()) {
                due = Some(above);
            }
        });
        let Some(due) = due else { return false };
        due.cancel_with(if mutant!(ExpiryIsARequest) { Cause::REQUESTED } else { Cause::DEADLINE });
        self.cause().is_some_and(|cause| cause.kind() == CauseKind::Deadline)
    }

    /// Waits until this token, which is pinned, is cancelled, and says why. For a static one there is
    /// [`cancelled`](HeldToken::cancelled).
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves nothing behind.
    pub const fn cancelled_pinned<'a>(self: Pin<&'a Self>) -> HeldCancelled<'a>
    where
        'p: 'a,
    {
        HeldCancelled::new(self)
    }

    /// A view of this token, which is pinned, that cannot cancel it (T15). For a static one there is [`observer`](HeldToken::observer).
    #[must_use]
    pub const fn observer_pinned<'a>(self: Pin<&'a Self>) -> HeldObserver<'a>
    where
        'p: 'a,
    {
        HeldObserver::new(self)
    }

    /// Cancels this token when the guard is dropped, with the cause [`Cause::HANDLE_DROPPED`], unless it is disarmed (T11).
    pub const fn drop_guard(&self) -> HeldGuard<'_> {
        HeldGuard::new(self)
    }

    fn own_deadline(&self) -> Instant {
        Instant::from_nanos(Instant::NEVER.as_nanos() - self.before_never)
    }

    /// The nearest that is cancelled by itself: this token or an ancestor. In line it is four times as long as a call.
    #[cfg_attr(not(feature = "std"), inline(never))]
    fn canceller(&self) -> Option<&HeldToken<'p>> {
        let mut token = self;
        loop {
            if token.why.is_there() {
                return Some(token);
            }
            token = token.parent.as_ref()?.get_ref();
        }
    }

    /// The list of its tree.
    ///
    /// # Safety
    ///
    /// Under the lock.
    unsafe fn with_list<R>(&self, f: impl FnOnce(&mut List) -> R) -> R {
        // SAFETY: promised by the caller.
        self.root().waiting.with_mut(|list| f(unsafe { &mut *list }))
    }

    fn ancestors<'a>(&'a self, mut visit: impl FnMut(&'a HeldToken<'p>)) {
        let mut token = self;
        while let Some(parent) = &token.parent {
            token = parent.get_ref();
            visit(token);
        }
    }

    fn root(&self) -> &HeldToken<'p> {
        let mut root = self;
        self.ancestors(|above| root = above);
        root
    }
}

impl Default for HeldToken<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for HeldToken<'_> {
    /// Takes off who still waits for it, or for what is below it: futures that were forgotten. Nobody will poll them again.
    fn drop(&mut self) {
        let this: &HeldToken<'_> = self;
        if this.parent.is_none() {
            return; // The list goes with it.
        }
        let root = this.root();
        let is_this_or_below = |token: &HeldToken<'_>| {
            let mut found = core::ptr::addr_eq(token, this);
            token.ancestors(|above| found |= core::ptr::addr_eq(above, this));
            found
        };
        // SAFETY: under the lock, and whoever is on the list is there (invariant 3).
        alone(|| root.waiting.with_mut(|list| unsafe { (*list).forget(is_this_or_below) }));
    }
}

/// Wakes whoever is there to be woken. For when the lock is open (T8).
pub(crate) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for HeldToken<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "HeldToken {} {}", self.cause(), self.deadline());
    }
}

impl fmt::Debug for HeldToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldToken")
            .field("cause", &self.cause())
            .field("deadline", &self.deadline())
            .finish_non_exhaustive()
    }
}

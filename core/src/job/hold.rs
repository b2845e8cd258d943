//! Counts those who hold a job, and knows what can be done with one whatever its type.
//!
//! A job is one allocation: its head, the slot of its outcome, its body. The first thing in it is the node of its token, and the count of those who hold
//! the token is the count of those who hold the job: its runner, its handle, contexts, tokens, children of tokens.
#![allow(unsafe_code, reason = "a counted reference to a job whose type is behind a table of functions")]

use core::mem;
use core::ops::Deref;
use core::ptr::NonNull;
use core::task::{Context, Poll};

use super::head::Head;
use crate::Instant;
use crate::books::Account;
use crate::clockwork::Clockwork;
use crate::errand::{Errand, Ways};
use crate::host::Call;
use crate::observer::Kind;
use crate::sync::Arc;
use crate::token::hosted::{Hooks, Hosted};

use super::runner::Verdict;

/// What can be done with a job, by its type. Laid out as written: a node that a job hosts knows its hooks, which are the first field, and so all of it. All but `begin`, `refuse` and `abandon` are for the one who has the exclusive right to its body.
#[repr(C)]
pub(crate) struct Ops {
    pub(crate) hooks: Hooks,
    pub(crate) kind: Kind,
    /// Polls the body once. `Ready` also for a panic; afterwards the body is gone.
    pub(crate) poll: unsafe fn(&JobRef, &mut Context<'_>, &Arc<Clockwork>) -> Poll<()>,
    /// Drops the body where it lies.
    pub(crate) discard: unsafe fn(&JobRef),
    /// Fixes the outcome.
    pub(crate) settle: unsafe fn(&JobRef, Verdict, Instant, Account),
    /// Settles a call that has begun as abandoned (B3, B4). False if it has not begun, or has ended.
    pub(crate) abandon: unsafe fn(&JobRef, Instant) -> bool,
    /// Runs the closure of a call that is lent, on the thread that it was lent to, and settles the job. True if its lane is to be told.
    pub(crate) begin: unsafe fn(&JobRef) -> bool,
}

/// A counted reference to a job.
#[repr(transparent)]
pub(crate) struct JobRef(NonNull<Head>);

// SAFETY: a head is shared between threads; what is in it is immutable, atomic, or guarded. The body is reached only by its runner.
unsafe impl Send for JobRef {}
// SAFETY: as above.
unsafe impl Sync for JobRef {}

impl JobRef {
    /// # Safety
    ///
    /// `head` is that of a job, with the right to all of its memory, and the caller passes on a count of it.
    pub(crate) unsafe fn from_address(head: NonNull<Head>) -> Self {
        Self(head)
    }

    /// One more reference to the job at `head`.
    ///
    /// # Safety
    ///
    /// `head` is that of a job, with the right to all of its memory, and somebody holds it while this is called.
    pub(crate) unsafe fn hold(head: NonNull<Head>) -> Self {
        // SAFETY: promised by the caller.
        unsafe { head.as_ref() }.hosted.hold();
        Self(head)
    }

    /// Where the job is.
    pub(crate) const fn address(&self) -> NonNull<Head> {
        self.0
    }

    /// Settles a call that has begun as abandoned (B3, B4). False if it has not begun, or has ended.
    pub(crate) fn abandon(&self, now: Instant) -> bool {
        // SAFETY: the table is that of the job.
        unsafe { (self.ops().abandon)(self, now) }
    }

    /// Lends the body to a thread of the host's, which has the right to it until the loan ends.
    ///
    /// # Safety
    ///
    /// The caller has the right to the body, which is waiting; it is not to be used until the loan is back.
    pub(crate) unsafe fn lend(&self) -> Call {
        self.loan.lend();
        let job = mem::ManuallyDrop::new(self.clone()).address();
        // SAFETY: the count goes with it; a job may be used on any thread.
        Call::new(unsafe { Errand::new(job.cast(), &WAYS) })
    }
}

impl Clone for JobRef {
    #[inline]
    fn clone(&self) -> Self {
        self.hosted.hold();
        Self(self.0)
    }
}

impl Deref for JobRef {
    type Target = Head;

    #[inline]
    fn deref(&self) -> &Head {
        // SAFETY: this reference is counted, so the job is there.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for JobRef {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this reference is counted, and not used again. The node is the first field of the head.
        unsafe { Hosted::let_go(self.0.cast()) };
    }
}

/// What becomes of a call on its way to a thread.
static WAYS: Ways = Ways {
    run: |job| {
        // SAFETY: the address is that of a head; the count that went with it stays with the errand.
        let job = mem::ManuallyDrop::new(unsafe { JobRef::from_address(job.cast()) });
        // SAFETY: the body was lent, and the errand is run once.
        unsafe { (job.ops().begin)(&job) }
    },
    back: |job, tells| {
        // SAFETY: as above; the count comes back.
        let job = unsafe { JobRef::from_address(job.cast()) };
        if tells {
            job.end_lane();
        }
    },
    // SAFETY: as above.
    refuse: |job| unsafe { JobRef::from_address(job.cast()) }.refuse(),
};

/// The hooks of every job but for how it is released.
pub(crate) const fn hooks(release: unsafe fn(NonNull<Hosted>)) -> Hooks {
    Hooks { cancelled, contain, release }
}

unsafe fn cancelled(host: NonNull<Hosted>) {
    // SAFETY: the node of a job is the first field of its head, and held by the caller.
    let job = mem::ManuallyDrop::new(unsafe { JobRef::from_address(host.cast()) });
    job.notice(&job);
}

unsafe fn contain(host: NonNull<Hosted>, f: &mut dyn FnMut()) {
    // SAFETY: the node of a job is the first field of its head, which is there.
    let head = unsafe { host.cast::<Head>().as_ref() };
    head.desk.books().contain(f);
}

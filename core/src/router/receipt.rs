//! What a sender holds of a packet that was taken in.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::docket::Case;
use super::shared::Shared;
use crate::sync::Arc;
use crate::telemetry::Fate;

/// Resolves to what became of a packet: as soon as a durable outlet has it to [`Fate::Delivered`] (E6), else when every outlet is through with it.
///
/// # Cancellation
///
/// Dropping it changes nothing for the packet; nobody is told what became of it.
#[must_use = "a packet that was taken in is not yet delivered; `forget` says that nobody asks"]
pub struct Receipt {
    docket: Arc<dyn Inquiry>,
    case: Case,
}

/// A router, as its receipts see it: without the type of its packets.
pub(super) trait Inquiry: Send + Sync {
    fn poll(&self, case: Case, cx: &mut Context<'_>) -> Poll<Fate>;
    fn fate(&self, case: Case) -> Option<Fate>;
    fn detach(&self, case: Case);
}

impl<B: Send + Sync> Inquiry for Shared<B> {
    fn poll(&self, case: Case, cx: &mut Context<'_>) -> Poll<Fate> {
        if let Some(fate) = Inquiry::fate(self, case) {
            return Poll::Ready(fate);
        }
        // Cloned, and the old one dropped, outside of the lock: wakers are others' code.
        let new = cx.waker().clone();
        let (fate, old) = self.desk.with(|desk| match desk.docket.fate(case) {
            Some(fate) => (Some(fate), Some(new)),
            None => (None, desk.docket.wait(case, new)),
        });
        drop(old);
        fate.map_or(Poll::Pending, Poll::Ready)
    }

    fn fate(&self, case: Case) -> Option<Fate> {
        self.desk.with(|desk| desk.docket.fate(case))
    }

    fn detach(&self, case: Case) {
        let waker = self.desk.with(|desk| desk.docket.detach(case));
        drop(waker);
    }
}

impl Receipt {
    pub(super) fn new(docket: Arc<dyn Inquiry>, case: Case) -> Self {
        Self { docket, case }
    }

    /// What became of the packet, if that is settled.
    #[must_use]
    pub fn fate(&self) -> Option<Fate> {
        self.docket.fate(self.case)
    }

    /// Nobody asks what becomes of the packet; its counts go on.
    pub fn forget(self) {}
}

impl Future for Receipt {
    type Output = Fate;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Fate> {
        self.docket.poll(self.case, cx)
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.docket.detach(self.case);
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt").field("fate", &self.fate()).finish_non_exhaustive()
    }
}

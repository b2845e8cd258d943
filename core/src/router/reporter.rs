//! An intake whose events go to a router.

use alloc::boxed::Box;
use core::fmt;

use super::Router;
use super::inbox::{Inbox, Left};
use super::receipt::Receipt;
use crate::catalogue::Said;
use crate::sync::Arc;
use crate::sync::atomic::Ordering;
use crate::telemetry::{Event, Intake, JobEnd, Label, Refused, Source};
use crate::{Instant, Level};

/// Gives events to a router, as packets of one source; see [`Router::reporter`].
///
/// What is told through [`Intake`] and is not CRITICAL is copied, and written down as a packet later, at the turn of an outlet, or by
/// whoever looks into the router before that. Its time, its place and the figures are as if it had been written at once. A CRITICAL event is
/// written at once.
///
/// Of what is told, 128 events wait like that, and as many ends of jobs of each priority as the router has room for packets; what is older than those would be shed
/// anyway, and is, without having been written.
///
/// Dropping it loses nothing.
pub struct Reporter<B: Send + Sync + 'static> {
    router: Router<B>,
    inbox: Arc<Inbox>,
}

impl<B: Send + Sync + 'static> Reporter<B> {
    pub(super) fn new(
        router: Router<B>,
        source: Source,
        seed: u64,
        clock: Box<dyn Fn() -> Instant + Send + Sync>,
    ) -> Self {
        let inbox = router.shared.desk.with(|desk| Inbox::new(source, seed, clock, desk.config()));
        let inbox = Arc::new(inbox);
        router.shared.inboxes.with(|inboxes| inboxes.push(inbox.clone()));
        Self { router, inbox }
    }

    /// Gives an event to the router, for somebody who asks what becomes of it.
    ///
    /// # Errors
    ///
    /// As [`Router::offer`].
    pub fn report(&self, event: &Event) -> Result<Receipt, Box<Refused<B>>> {
        let (now, label, body) = self.write(event);
        self.router.offer(now, label, body)
    }

    /// How many events the router did not take that were given through [`Intake::take`], whose caller cannot be told.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.router.write_down();
        self.inbox.refused.load(Ordering::Relaxed)
    }

    fn write(&self, event: &Event) -> (Instant, Label, B) {
        let now = self.inbox.now();
        let (label, body) = self.router.shared.write(&self.inbox, self.inbox.number(), event, now, now);
        (now, label, body)
    }

    /// Sees to it that what was left, which is as bad as this, is written down. False if it was not left: nobody has had a turn for long, so its teller does
    /// the work, as it would without an inbox.
    #[inline]
    fn see_to(&self, left: Left, level: Level) -> bool {
        if left == Left::Alone {
            self.router.shared.ring(level);
        }
        left != Left::Full
    }

    /// Writes an event down at once, of which nobody asks what becomes of it.
    fn post(&self, event: &Event) {
        let (now, label, body) = self.write(event);
        if self.router.post(now, label, body).is_err() {
            self.inbox.refused.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<B: Send + Sync + 'static> Intake for Reporter<B> {
    fn take(&self, event: &Event) {
        if event.level() == Level::Critical {
            return self.post(event);
        }
        let left = self.inbox.leave(self.inbox.now(), event, &self.router.shared.untold);
        if !self.see_to(left, event.level()) {
            self.post(event);
        }
    }

    fn take_said(&self, said: &dyn Said) {
        let level = said.level();
        if level == Level::Critical {
            return self.post(&said.event());
        }
        match self.inbox.leave_said(self.inbox.now(), said, &self.router.shared.untold) {
            Some(left) if self.see_to(left, level) => {}
            Some(_) => self.post(&said.event()),
            None => self.take(&said.event()),
        }
    }

    fn take_end(&self, end: &JobEnd<'_>) {
        let level = end.level();
        if level == Level::Critical {
            return self.post(&end.event());
        }
        let left = self.inbox.leave_end(self.inbox.now(), end, &self.router.shared.untold);
        if !self.see_to(left, level) {
            self.take(&end.event());
        }
    }
}

impl<B: Send + Sync + 'static> Drop for Reporter<B> {
    fn drop(&mut self) {
        self.router.write_down();
        self.router.shared.inboxes.with(|inboxes| inboxes.retain(|inbox| !Arc::ptr_eq(inbox, &self.inbox)));
    }
}

impl<B: Send + Sync + 'static> fmt::Debug for Reporter<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").field("source", &self.inbox.source()).finish_non_exhaustive()
    }
}

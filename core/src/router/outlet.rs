//! The end of a line, where a sink is served.

use alloc::vec::Vec;
use core::fmt;
use core::task::Waker;

use super::Router;
use super::desk::OutletTurn;
use super::shared::Shared;
use crate::Instant;
use crate::sync::Arc;
use crate::sync::atomic::Ordering;
use crate::telemetry::Batch;

/// The end of a line, where somebody serves a sink.
///
/// It is a state machine over the given time: [`turn`](Outlet::turn) says what to do, [`conclude`](Outlet::conclude) says what came of it.
/// `Outlet::run` does both, as a job of a worker.
///
/// Dropping it loses nothing: what is out comes back into the line, in order, and [`Router::outlet`] gives the outlet to the next one. A
/// sink that has it already then gets it again, under the same id.
pub struct Outlet<B: Send + Sync + 'static> {
    shared: Arc<Shared<B>>,
    index: usize,
}

impl<B: Send + Sync + 'static> Outlet<B> {
    /// The outlet at `index`, if nobody serves it.
    pub(super) fn serve(shared: &Arc<Shared<B>>, index: usize) -> Option<Self> {
        let free = shared.desk.with(|desk| {
            let line = desk.lines.get_mut(index)?;
            (!core::mem::replace(&mut line.served, true)).then_some(())
        });
        free.map(|()| Self { shared: shared.clone(), index })
    }

    /// Its configuration's part that concerns whoever serves it: how long a sink may take for a batch.
    pub(crate) fn patience(&self) -> core::time::Duration {
        self.shared.desk.with(|desk| desk.lines[self.index].config.patience)
    }

    /// What to do at `now`. A `waker` is woken once there is more to do than was said; each turn replaces it.
    ///
    /// After [`OutletTurn::Deliver`] the batch is out until [`conclude`](Outlet::conclude); a turn in between gets the same as if nothing
    /// came back.
    pub fn turn(&mut self, now: Instant, waker: Option<&Waker>) -> OutletTurn<B> {
        let mut told = false;
        loop {
            self.shared.write_batch(self.index);
            let waker = waker.cloned();
            let turn = self.shared.with(|desk, after| {
                desk.begin(self.index, now, after);
                let news = if told { Vec::new() } else { super::news(desk, now) };
                if news.is_empty() { Ok(desk.turn(self.index, now, waker, after)) } else { Err((news, desk.source())) }
            });
            match turn {
                // Whoever tells something looks for a waker after it has left it, this looks for it after it has left a waker.
                Ok(OutletTurn::Wait(_)) if self.shared.untold.load(Ordering::SeqCst) > 0 => {}
                Ok(turn) => return turn,
                Err((news, source)) => {
                    told = true;
                    self.router().tell(now, news, source);
                }
            }
        }
    }

    /// What came of the batch that is out: the batch with the sink's answers, or `None` if it did not come back.
    pub fn conclude(&mut self, now: Instant, batch: Option<Batch<B>>) {
        self.shared.with(|desk, after| desk.conclude(self.index, now, batch, after));
    }

    /// The sink panicked, or did not answer in time: it is noted, and what is out counts as refused for now.
    pub(crate) fn give_up(&mut self, now: Instant) {
        self.shared.with(|desk, after| {
            desk.misbehaved(self.index);
            desk.conclude(self.index, now, None, after);
        });
    }

    fn router(&self) -> Router<B> {
        Router { shared: self.shared.clone() }
    }
}

impl<B: Send + Sync + 'static> Drop for Outlet<B> {
    fn drop(&mut self) {
        self.shared.with(|desk, after| desk.abandon(self.index, after));
    }
}

impl<B: Send + Sync + 'static> fmt::Debug for Outlet<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.shared.desk.with(|desk| desk.lines[self.index].config.name.clone());
        f.debug_struct("Outlet").field("name", &name).finish_non_exhaustive()
    }
}

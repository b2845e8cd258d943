//! This room holds the worker without a heap: a fixed number of slots, in which jobs lie from submit until their outcome is read.
//!
//! What is polled, dropped and settled when, is as in the machine of the worker with a heap (`lane`, `driver`, `keeper`); one attendant does all of it.
//! Everything but the bodies is on one board, under one lock (`board`); a body is touched by who owns its card by the card's stage (`card`), so
//! nothing here has a race of its own.

mod board;
mod body;
mod card;
mod chain;
mod context;
mod counts;
mod driver;
mod grace;
mod handle;
mod hub;
mod job;
mod line;
mod local;
mod made;
mod nap;
mod naps;
mod policy;
mod queue_limit;
mod run_limit;
mod seat;
mod shield;
mod stage;
mod submit;
mod under;
mod watch;
mod work;

use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::time::Duration;

pub use context::{HeldAsked, HeldContext};
pub use counts::HeldCounts;
pub use driver::{HeldDriver, HeldRun};
pub use grace::HeldGraced;
pub use handle::{HeldCancelOnDrop, HeldHandle};
pub use job::{HeldFallible, HeldJob, HeldPlain};
pub use local::HeldLocal;
pub use made::HeldMade;
pub use nap::HeldSleep;
pub use policy::{
    HeldEnd, HeldEvicts, HeldFull, HeldOrder, HeldPolicy, HeldRefuses, HeldStrict, HeldUrgent, HeldWaits, HeldWeighted,
};
pub use queue_limit::HeldQueueLimited;
pub use run_limit::HeldRunLimited;
pub use shield::HeldShielded;
pub use submit::HeldSubmitting;
pub use under::HeldUnder;
pub use work::HeldWork;

use board::{Board, Entry};
use body::Room;
use card::after;

use crate::held::wake;
use crate::instant::nanos_of;
use crate::{Instant, Rejected, Shutdown};

/// What becomes of a submit to a [`HeldWorker`]: the handle of an accepted job, or the job back with the reason.
pub type HeldSubmit<W, P = HeldStrict> =
    Result<HeldHandle<<W as HeldWork>::Value, <W as HeldWork>::Error, P>, Rejected<HeldJob<W>>>;

/// A worker without a heap, in a static: `LANES` jobs run at a time, `SLOTS` are accepted, running ones among them, and each lies in a slot of `BYTES` bytes.
///
/// It means what a [`Worker`](crate::Worker) means: priorities, first in first out within one, deadlines and time-outs, a grace, shielded sections, tokens above a job, cancels with a cause, shutdown. The
/// most urgent goes first, always, and when all slots are taken the job comes back, unless its [policy](HeldPolicy) says something else: weights, under which nobody starves (Q3); submits that
/// wait, or have a less urgent job make room (Q5, Q9); slots that are kept for urgent ones (Q8). Time is an argument.
///
/// ```
/// use core::task::{Context, Waker};
/// use core::{future::Future, pin::pin};
/// use countermand_core::{HeldJob, HeldWorker, Instant, Outcome, Priority, Step};
///
/// static WORKER: HeldWorker<2, 8, 32> = HeldWorker::new();
///
/// let mut driver = WORKER.attend().expect("nobody else drives it");
/// let job = HeldJob::task(async { 6 * 7 }).priority(Priority::High);
/// let handle = WORKER.submit(job, Instant::ORIGIN).expect("there is a slot");
/// // What a host does:
/// let mut cx = Context::from_waker(Waker::noop());
/// while driver.step(&mut cx, Instant::ORIGIN) == Step::Again {}
/// let answer = pin!(handle).poll(&mut cx).map(Outcome::completed);
/// assert_eq!(answer, core::task::Poll::Ready(Some(42)));
/// ```
///
/// A slot that is too small for its future does not compile; for this one 24 bytes are enough, and 8 are not:
///
/// ```
/// # use countermand_core::{HeldJob, HeldWorker, Instant};
/// static WORKER: HeldWorker<1, 1, 24> = HeldWorker::new();
/// drop(WORKER.submit(HeldJob::task(core::future::ready([1_u64, 2])), Instant::ORIGIN));
/// ```
///
/// ```compile_fail,E0080
/// # use countermand_core::{HeldJob, HeldWorker, Instant};
/// static WORKER: HeldWorker<1, 1, 8> = HeldWorker::new();
/// drop(WORKER.submit(HeldJob::task(core::future::ready([1_u64, 2])), Instant::ORIGIN));
/// ```
///
/// A job comes from any thread, so that it must be `Send` (C5); one that is not goes in by [`HeldDriver::local`], which stays where the driver is, as that does:
///
/// ```compile_fail,E0277
/// # use countermand_core::{HeldJob, HeldWorker, Instant};
/// static WORKER: HeldWorker<1, 1, 64> = HeldWorker::new();
/// let own = std::rc::Rc::new(1);
/// drop(WORKER.submit(HeldJob::task(async move { drop(own) }), Instant::ORIGIN));
/// ```
///
/// ```compile_fail,E0277
/// # use countermand_core::HeldWorker;
/// static WORKER: HeldWorker<1, 1, 64> = HeldWorker::new();
/// let driver = WORKER.attend();
/// std::thread::spawn(move || drop(driver));
/// ```
///
/// # Implementation notes
///
/// Slots of one size, not a static for each task: which jobs there are need not be known beforehand, and the queue needs no room of its own, as a queued job lies
/// where it will run. A static task costs a slot of two words, for the pointer to it.
#[repr(C)]
pub struct HeldWorker<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy = HeldStrict> {
    board: Board<SLOTS, P>,
    rooms: [Room<BYTES>; SLOTS],
}

impl<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy> HeldWorker<LANES, SLOTS, BYTES, P> {
    /// All slots free. Nothing runs until somebody [attends](Self::attend) to it.
    #[must_use]
    pub const fn new() -> Self {
        const {
            assert!(LANES > 0 && LANES <= SLOTS, "a worker has at least one lane, and a slot for each");
            assert!(SLOTS < 255, "a worker without a heap has at most 254 slots");
        }
        Self { board: Board::new(), rooms: [const { Room::empty() }; SLOTS] }
    }

    /// The one driver, for the host to run. `None` if it was given out before.
    #[must_use]
    pub fn attend(&'static self) -> Option<HeldDriver<LANES, SLOTS, BYTES, P>> {
        let first = self.board.with(|state| state.hub.attend());
        first.then(|| HeldDriver { worker: self, here: PhantomData })
    }

    /// Accepts a job at the time `now`, from which its queue time-out counts (D5).
    ///
    /// Never waits; may be called from an interrupt handler.
    ///
    /// # Errors
    ///
    /// [`Rejected`] with the job and the reason: every slot is taken, or the worker is closed.
    pub fn submit<W>(&'static self, job: HeldJob<W>, now: Instant) -> HeldSubmit<W, P>
    where
        W: HeldWork<Value: Send, Error: Send> + Send,
    {
        self.accept(job, now, Entry::Now)
    }

    /// A job that is not `Send` must come from where the driver is.
    #[allow(unsafe_code, reason = "puts the body of a job into the room of a card that was free")]
    fn accept<W: HeldWork>(&'static self, job: HeldJob<W>, now: Instant, entry: Entry) -> HeldSubmit<W, P> {
        // Moved under the lock, so that there is nothing between accepted and queued.
        let job = ManuallyDrop::new(job);
        let accepted = self.board.with(|state| {
            let (card, driver) = state.open(job.priority, job.deadline, entry)?;
            card.functions = Some(Room::<BYTES>::functions::<W>());
            // SAFETY: there is a room for each card.
            let body = unsafe { Room::body(&self.rooms, card.index) };
            let seat = self.board.seat(NonNull::from(&*card));
            // SAFETY: the card was free, so that its body is empty and nobody looks there; the work is not used here any more.
            let work = unsafe { body.put::<W>(&raw const job.work) };
            if W::LIMITED {
                card.limit(|deadline| work.admit(deadline, now));
            }
            if W::WATCHES && !mutant!(TokenIsNobodysChild) {
                match work.cause() {
                    Some(cause) => drop(card.ask(cause)), // R4
                    None => {
                        core::ptr::from_ref(self).expose_provenance();
                        // SAFETY: under the lock; seat and work are of this worker, whose address has just been exposed.
                        unsafe { under::tether::<LANES, SLOTS, BYTES, P>(work, seat) };
                    }
                }
            }
            Ok((seat, body, driver))
        });
        match accepted {
            Ok((seat, body, driver)) => {
                wake(driver);
                // SAFETY: card and body are those of this job, and this is its first handle.
                Ok(unsafe { HeldHandle::new(seat, body) })
            }
            Err(reason) => Err(Rejected { job: ManuallyDrop::into_inner(job), reason }),
        }
    }

    /// Accepts nothing more, and comes to an end as it is told, at the time `now`; [`HeldDriver::step`] answers `Closed` then, and
    /// [`HeldDriver::run`] returns. It may escalate and never relaxes (S5). As calls are none, the limit of an abort is of no use.
    pub fn shutdown(&'static self, how: Shutdown, now: Instant) {
        let abort_at = match how {
            Shutdown::Drain => Instant::NEVER,
            Shutdown::DrainFor(limit) => after(now, nanos_of(limit)),
            Shutdown::Abort | Shutdown::AbortWithin(_) => Instant::ORIGIN,
        };
        wake(self.board.with(|state| state.hub.close(abort_at)));
    }

    /// Waits so long from its first poll, by the clock of the driver. A duration beyond the clock never ends (D8).
    pub fn sleep(&'static self, duration: Duration) -> HeldSleep {
        HeldSleep::lasting(self.board.first(), nanos_of(duration))
    }

    /// Waits until this time, by the clock of the driver.
    pub fn sleep_until(&'static self, at: Instant) -> HeldSleep {
        HeldSleep::until(self.board.first(), at)
    }

    /// What became of its jobs.
    #[must_use]
    pub fn counts(&'static self) -> HeldCounts {
        self.board.with(|state| state.hub.tally.counts())
    }

    /// How many slots have a job or an outcome that was not read in them.
    #[must_use]
    pub fn occupied(&'static self) -> usize {
        self.board.with(|state| state.cards.iter().filter(|card| card.stage != stage::Stage::Free).count())
    }
}

impl<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy<Full = HeldWaits>>
    HeldWorker<LANES, SLOTS, BYTES, P>
{
    /// Accepts a job, as [`submit`](Self::submit) does; waits while there is no slot for it. Its queue time-out counts from `now`.
    ///
    /// # Errors
    ///
    /// [`Rejected`] with the job, if the worker is closed.
    ///
    /// # Cancellation
    ///
    /// See [`HeldSubmitting`].
    pub const fn submit_or_wait<W>(
        &'static self,
        job: HeldJob<W>,
        now: Instant,
    ) -> HeldSubmitting<W, LANES, SLOTS, BYTES, P>
    where
        W: HeldWork<Value: Send, Error: Send> + Send,
    {
        HeldSubmitting::new(self, job, now)
    }
}

impl<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy<Full = HeldEvicts>>
    HeldWorker<LANES, SLOTS, BYTES, P>
{
    /// Accepts a job, as [`submit`](Self::submit) does. When there is no slot for it, the youngest queued job of the lowest priority that is below its own makes room: it
    /// is cancelled with the cause [`Cause::EVICTED`](crate::Cause::EVICTED), and the newcomer waits until the driver has dropped it and its handle has read that, or was
    /// dropped. Its queue time-out counts from `now`.
    ///
    /// # Errors
    ///
    /// [`Rejected`] with the job and the reason: nothing less urgent is queued, or the worker is closed.
    ///
    /// # Cancellation
    ///
    /// See [`HeldSubmitting`].
    pub const fn submit_or_evict<W>(
        &'static self,
        job: HeldJob<W>,
        now: Instant,
    ) -> HeldSubmitting<W, LANES, SLOTS, BYTES, P>
    where
        W: HeldWork<Value: Send, Error: Send> + Send,
    {
        HeldSubmitting::new(self, job, now)
    }
}

impl<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy> Default
    for HeldWorker<LANES, SLOTS, BYTES, P>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy> fmt::Debug
    for HeldWorker<LANES, SLOTS, BYTES, P>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldWorker").field("lanes", &LANES).field("slots", &SLOTS).finish_non_exhaustive()
    }
}

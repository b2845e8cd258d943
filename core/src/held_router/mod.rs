//! Takes packets in on a device without a heap, keeps a fixed number of them by priority, and hands them to two streams, without ever losing an alarm.
//!
//! Invariants, whenever the lock is open:
//! 1. A packet that was taken in is in the line of its priority, or with a sink, or in one of the columns of the ledger (E8).
//! 2. Of each stream at most one packet is out, so that one that comes back is still the next (E3).
#![allow(unsafe_code, reason = "what is in a static is touched under one lock")]
#![expect(clippy::result_large_err, reason = "a packet that comes back has no heap to lie in")]

mod line;
mod notes;
mod packet;

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

pub use packet::HeldPacket;

use line::{Labelled, Line};
use notes::Notes;

use crate::Priority;
use crate::held::wake;
use crate::sync::{UnsafeCell, alone};
use crate::telemetry::catalogue::events::{TelemetryPriorityUnknown, TelemetryShed};
use crate::telemetry::{Event, Fate, Label, Ledger, RefuseReason, Refused, Stream};

/// A router without a heap, in a static: `ROOM` packets of each priority wait in it, which are what `B` is.
///
/// It means what a [`Router`](crate::Router) means: two streams (E2), what is CRITICAL is never shed, and its sender told no when there is no room for it (E4); of the rest the
/// oldest that waits makes room, and is counted by priority and source (E5); priorities do not borrow (E15); a packet that a sink does not acknowledge stays, with its
/// id (E10). There is one sink for each stream, which asks for the next packet when it can have one: rates, backoff and breakers are whoever drives it.
///
/// ```
/// use countermand_core::{Event, HeldRouter, Label, Level, PacketId, PacketParts, Source, Stream, Subject, Timestamp};
///
/// /// Two packets of each priority, of at most 96 bytes.
/// static ROUTER: HeldRouter<([u8; 96], usize), 2> = HeldRouter::new();
///
/// let event = Event::new("brownout", Level::Critical).with("millivolts", 2900);
/// let packet = PacketParts::of_event("1f", Timestamp::new(1_759_039_389, 0), "pump", &event)?;
/// let mut bytes = [0; 96];
/// let length = packet.encode(&mut bytes)?.len();
/// let label = Label::new(PacketId::new(0x1f), Source::of("pump"), event.level()).subject(Subject::of("brownout"));
/// assert!(ROUTER.offer(label, (bytes, length)).is_ok());
///
/// // What the task does that has the modem:
/// let packet = ROUTER.take(Stream::Emergency).expect("an alarm waits");
/// assert_eq!(packet.body().map(|(_, length)| *length), Some(length));
/// packet.acknowledge();
/// assert!(ROUTER.ledger().balances());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Implementation notes
///
/// A packet is moved out to whoever delivers it, and back when that fails, so that nothing of users' runs under the lock, and a sink may take its time.
pub struct HeldRouter<B, const ROOM: usize>(UnsafeCell<State<B, ROOM>>);

struct State<B, const ROOM: usize> {
    lines: [Line<B, ROOM>; Priority::COUNT],
    /// Whether a packet of the stream is out, and who waits for one.
    streams: [Mouth; 2],
    ledger: Ledger,
    notes: Notes,
    closed: bool,
}

struct Mouth {
    out: bool,
    waker: Option<Waker>,
}

// SAFETY: what is in it is touched under the lock. Packets go from one thread to another, and are looked at by one at a time.
unsafe impl<B: Send, const ROOM: usize> Sync for HeldRouter<B, ROOM> {}
// SAFETY: as above; wakers are `Send`.
unsafe impl<B: Send, const ROOM: usize> Send for HeldRouter<B, ROOM> {}

impl<B, const ROOM: usize> HeldRouter<B, ROOM> {
    /// One without packets.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(ROOM > 0 && ROOM < 256, "a router without a heap has room for one to 255 packets of each priority") }
        let ledger = Ledger::NONE;
        let lines = [Line::new(), Line::new(), Line::new(), Line::new()];
        let streams = [const { Mouth { out: false, waker: None } }; 2];
        Self(UnsafeCell::new(State { lines, streams, ledger, notes: Notes::new(), closed: false }))
    }

    /// Takes a packet in. Never waits; may be called from an interrupt handler, where the shed packet's destructor may run, too.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the packet, if there is no room for what is CRITICAL, or the router is closed.
    pub fn offer(&self, label: Label, body: B) -> Result<(), Refused<B>> {
        self.take_in(Labelled { label, body, own: false })
    }

    /// The next packet of this stream, if one waits and none is out.
    pub fn take(&self, stream: Stream) -> Option<HeldPacket<'_, B, ROOM>> {
        let (priority, index, packet) = self.with(|state| state.take(stream))?;
        Some(HeldPacket::new(self, packet, priority, index))
    }

    /// Waits for the next packet of this stream. One waits for each stream; of several the last is woken.
    ///
    /// # Cancellation
    ///
    /// Dropping the future loses nothing.
    pub const fn arrival(&self, stream: Stream) -> HeldArrival<'_, B, ROOM> {
        HeldArrival { router: self, stream }
    }

    /// What there is to tell of the router itself, in the name of `subsystem`: how much of a source was shed, or how often it named a priority that there is not. `None` when
    /// nothing is new. It goes in by [`offer_own`](Self::offer_own), so that it cannot feed itself (E16).
    #[must_use]
    pub fn news(&self, subsystem: &str) -> Option<Event> {
        let (note, shed) = self.with(|state| state.notes.news())?;
        let source = &note.source;
        if shed {
            let [low, normal, high] = note.shed.map(u64::from);
            return Some(TelemetryShed { subsystem, source, low, normal, high }.into());
        }
        Some(TelemetryPriorityUnknown { subsystem, source, count: note.unclear.into() }.into())
    }

    /// Takes a packet in that tells [news](Self::news) of the router itself: when it is shed, that is counted, and is no news.
    ///
    /// # Errors
    ///
    /// As [`offer`](Self::offer).
    pub fn offer_own(&self, label: Label, body: B) -> Result<(), Refused<B>> {
        self.take_in(Labelled { label, body, own: true })
    }

    /// What became of all packets so far (E8).
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.with(|state| state.ledger)
    }

    /// From here on nothing is taken in; what waits is delivered. Idempotent.
    pub fn close(&self) {
        self.with(|state| state.closed = true);
    }

    fn take_in(&self, packet: Labelled<B>) -> Result<(), Refused<B>> {
        let taken = self.with(|state| state.take_in(packet));
        let (shed, waker) =
            taken.map_err(|(reason, packet)| Refused { reason, label: packet.label, body: packet.body })?;
        drop(shed); // users' code, under no lock
        wake(waker);
        Ok(())
    }

    fn put_back(&self, priority: Priority, index: u8, packet: Labelled<B>) {
        wake(self.with(|state| {
            state.line(priority).put_back(index, packet);
            state.mouth(Stream::of(priority)).is_back()
        }));
    }

    fn end(&self, priority: Priority, index: u8, fate: Fate) {
        wake(self.with(|state| {
            state.line(priority).free(index);
            state.ledger.end(priority, fate);
            state.mouth(Stream::of(priority)).is_back()
        }));
    }

    fn with<R>(&self, f: impl FnOnce(&mut State<B, ROOM>) -> R) -> R {
        // SAFETY: under the lock, which `f` does not take again.
        alone(|| self.0.with_mut(|state| f(unsafe { &mut *state })))
    }
}

impl Mouth {
    /// The packet that was out is not any more: who waits for the next is to be woken.
    fn is_back(&mut self) -> Option<Waker> {
        self.out = false;
        self.waker.take()
    }
}

/// What was shed, and who is to be woken; or why not, and the packet.
type Taken<B> = Result<(Option<Labelled<B>>, Option<Waker>), (RefuseReason, Labelled<B>)>;

impl<B, const ROOM: usize> State<B, ROOM> {
    fn line(&mut self, priority: Priority) -> &mut Line<B, ROOM> {
        let [low, normal, high, critical] = &mut self.lines;
        match priority {
            Priority::Low => low,
            Priority::Normal => normal,
            Priority::High => high,
            Priority::Critical => critical,
        }
    }

    fn mouth(&mut self, stream: Stream) -> &mut Mouth {
        let [normal, emergency] = &mut self.streams;
        match stream {
            Stream::Normal => normal,
            Stream::Emergency => emergency,
        }
    }

    fn take_in(&mut self, packet: Labelled<B>) -> Taken<B> {
        let Label { source, mut priority, unknown_priority, .. } = packet.label;
        if mutant!(OneCriticalReroutesTheRest) && self.ledger.accepted[Priority::Critical.index()] > 0 {
            priority = Priority::Critical;
        }
        let mut shed = None;
        if self.closed {
            self.ledger.refused[priority.index()] += 1;
            return Err((RefuseReason::Closed, packet));
        }
        if self.line(priority).is_full() {
            let keeps = priority == Priority::Critical && !mutant!(CriticalIsShed); // E4
            let oldest = if keeps { None } else { self.line(priority).take() };
            let Some((index, old)) = oldest else {
                self.ledger.refused[priority.index()] += 1;
                return Err((RefuseReason::Full, packet));
            };
            self.line(priority).free(index);
            self.ledger.end(priority, Fate::Shed);
            self.notes.shed(&old.label.source, priority, old.own);
            shed = Some(old);
        }
        if unknown_priority {
            self.notes.unclear(&source);
        }
        self.line(priority).push(packet);
        self.ledger.accept(priority);
        let stream = Stream::of(priority);
        // One that waits while another is out is woken when that is back.
        let waits = self.mouth(stream).out || mutant!(FlushesOnTheNextPacketOnly) && self.line(priority).len() < 2;
        let waker = if waits { None } else { self.mouth(stream).waker.take() };
        Ok((shed, waker))
    }

    fn take(&mut self, stream: Stream) -> Option<(Priority, u8, Labelled<B>)> {
        let urgent_first: &[Priority] = match stream {
            Stream::Emergency => &[Priority::Critical],
            Stream::Normal if mutant!(NormalAheadOfHigh) => &[Priority::Normal, Priority::High, Priority::Low],
            Stream::Normal => &[Priority::High, Priority::Normal, Priority::Low],
        };
        let others_out = mutant!(SinksInSequence) && self.streams.iter().any(|mouth| mouth.out);
        if self.mouth(stream).out || others_out {
            return None;
        }
        let next = |&priority: &Priority| Some((priority, self.line(priority).take()?));
        let (priority, (index, packet)) = urgent_first.iter().find_map(next)?;
        self.mouth(stream).out = true;
        Some((priority, index, packet))
    }
}

/// Waits for the next packet of a stream. Made by [`HeldRouter::arrival`].
#[must_use = "futures do nothing unless polled"]
pub struct HeldArrival<'r, B, const ROOM: usize> {
    router: &'r HeldRouter<B, ROOM>,
    stream: Stream,
}

impl<'r, B, const ROOM: usize> Future for HeldArrival<'r, B, ROOM> {
    type Output = HeldPacket<'r, B, ROOM>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let new = cx.waker().clone(); // T8: users' code, so before the lock
        let (taken, unneeded) = self.router.with(|state| match state.take(self.stream) {
            Some(taken) => (Some(taken), Some(new)),
            None => (None, state.mouth(self.stream).waker.replace(new)),
        });
        drop(unneeded); // T8: after the lock
        match taken {
            Some((priority, index, packet)) => Poll::Ready(HeldPacket::new(self.router, packet, priority, index)),
            None => Poll::Pending,
        }
    }
}

impl<B, const ROOM: usize> Default for HeldRouter<B, ROOM> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B, const ROOM: usize> fmt::Debug for HeldRouter<B, ROOM> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldRouter").field("ledger", &self.ledger()).finish_non_exhaustive()
    }
}

impl<B, const ROOM: usize> fmt::Debug for HeldArrival<'_, B, ROOM> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldArrival").field("stream", &self.stream).finish_non_exhaustive()
    }
}

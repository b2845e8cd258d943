//! One card of a board, named by its address: what handles, wakers and contexts hold.
#![allow(unsafe_code, reason = "a waker is an address, from which card and hub are found")]

use core::ptr::NonNull;
use core::task::{Context, RawWaker, RawWakerVTable, Waker};

use super::card::Card;
use super::hub::Hub;
use crate::Instant;
use crate::held::wake;
use crate::sync::alone;

/// A card of a board that is there for ever.
#[derive(Clone, Copy)]
pub(super) struct Seat(NonNull<Card>);

// SAFETY: what it names is touched under the lock.
unsafe impl Send for Seat {}
// SAFETY: as above.
unsafe impl Sync for Seat {}

impl Seat {
    /// The card is one of a board that is there for ever.
    pub(super) const fn new(card: NonNull<Card>) -> Self {
        Self(card)
    }

    /// Runs `f` on the hub and the card, under the lock.
    pub(super) fn with<R>(self, f: impl FnOnce(&mut Hub, &mut Card) -> R) -> R {
        // SAFETY: under the lock, which `f` does not take again; the hub lies before the first card.
        alone(|| unsafe {
            let card = self.0.as_ptr();
            let first = card.sub(usize::from((*card).index));
            let hub = first.byte_sub(Hub::TO_CARDS).cast::<Hub>();
            f(&mut *hub, &mut *card)
        })
    }

    /// The waker of the card's job: it needs no count, as the board is there for ever.
    pub(super) fn waker(self) -> Waker {
        // SAFETY: the functions of the table take a card of a board that is there for ever.
        unsafe { Waker::from_raw(self.raw_waker()) }
    }

    /// The card of the job that is polled, as it is polled by the driver.
    pub(super) fn of(cx: &Context<'_>) -> Option<Self> {
        let waker = cx.waker();
        let card = NonNull::new(waker.data().cast_mut().cast())?;
        core::ptr::eq(waker.vtable(), &BELL).then_some(Self(card))
    }

    /// Whether its job was asked to stop, or there is none.
    pub(super) fn is_asked(self) -> bool {
        self.with(|_, card| card.is_asked())
    }

    /// Whether the job that is polled was asked to stop, or there is none.
    pub(super) fn stops(cx: &Context<'_>) -> bool {
        Self::of(cx).is_none_or(Self::is_asked)
    }

    /// At the first poll of a job: its limits are others from now on, as [`Card::limit`] has it. `limit` is told what time it is, too.
    pub(super) fn begin(cx: &Context<'_>, limit: impl FnOnce(Instant, Instant) -> Instant) {
        let Some(seat) = Self::of(cx) else { return };
        seat.with(|hub, card| {
            if hub.starts() {
                card.limit(|deadline| limit(deadline, hub.now));
            }
        });
    }

    /// A waker with functions of its own, which are given the card.
    pub(super) fn waker_by(self, table: &'static RawWakerVTable) -> RawWaker {
        RawWaker::new(self.0.as_ptr().cast_const().cast(), table)
    }

    /// # Safety
    ///
    /// It is what a function of such a table was given.
    pub(super) unsafe fn from_data(card: *const ()) -> Self {
        // SAFETY: promised by the caller.
        Self(unsafe { NonNull::new_unchecked(card.cast_mut().cast()) })
    }

    fn raw_waker(self) -> RawWaker {
        self.waker_by(&BELL)
    }
}

static BELL: RawWakerVTable = RawWakerVTable::new(|card| RawWaker::new(card, &BELL), ring_card, ring_card, |_| {});

/// Wakes the job of a card: a late or double wake is harmless (L5).
fn ring_card(card: *const ()) {
    // SAFETY: it was made of a seat.
    let seat = unsafe { Seat::from_data(card) };
    wake(seat.with(|hub, card| {
        card.ready = true;
        hub.ring()
    }));
}

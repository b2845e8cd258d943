//! What lies in a slot: a future until it is over, then its output until somebody reads it.
#![allow(unsafe_code, reason = "futures of any type lie in the same place, one after the other")]

use core::mem::MaybeUninit;
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};

use super::stage::Stage;
use super::work::HeldWork;
use crate::Cause;
use crate::sync::UnsafeCell;

/// A place of so many bytes, as aligned as any number.
#[repr(C, align(8))]
pub(super) struct Room<const BYTES: usize>(UnsafeCell<MaybeUninit<[u8; BYTES]>>);

/// How a room is aligned.
const ALIGN: usize = 8;

// SAFETY: whoever has the body of what is in it touches it, and nobody else: see `Body`.
unsafe impl<const BYTES: usize> Sync for Room<BYTES> {}

impl<const BYTES: usize> Room<BYTES> {
    pub(super) const fn empty() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }

    /// Where the content of one of these rooms lies.
    ///
    /// # Safety
    ///
    /// The index is one of theirs.
    pub(super) unsafe fn body(rooms: &'static [Self], index: u8) -> Body {
        // SAFETY: promised by the caller.
        let room = unsafe { &*rooms.as_ptr().add(usize::from(index)) };
        Body(room.0.with_mut(<*mut _>::cast))
    }

    /// The functions of a work that fits; one that does not fit does not compile.
    pub(super) const fn functions<W: HeldWork>() -> &'static Functions {
        const {
            assert!(size_of::<W>() <= BYTES, "the slots of this worker are too small for this future");
            assert!(
                size_of::<Result<W::Value, W::Error>>() <= BYTES,
                "the slots of this worker are too small for what this future returns"
            );
            assert!(
                align_of::<W>() <= ALIGN && align_of::<Result<W::Value, W::Error>>() <= ALIGN,
                "slots are aligned to 8 bytes, and no more"
            );
        }
        &Of::<W>::FUNCTIONS
    }
}

/// What is in a room, with its type forgotten. Its owner is whoever moves its card's stage: the driver while it is `Running`, the reader
/// under the lock when it is `Over`.
#[derive(Clone, Copy)]
pub(super) struct Body(*mut u8);

/// What can be done with the body of a job.
pub(super) struct Functions {
    poll: unsafe fn(*mut u8, &mut Context<'_>, &mut bool) -> Poll<Stage>,
    drop_work: unsafe fn(*mut u8),
    drop_value: unsafe fn(*mut u8),
    watched: Option<&'static Watched>,
}

/// What more is known of a work that [watches](super::watch::Watch).
struct Watched {
    graced: bool,
    cause: unsafe fn(*const u8) -> Option<Cause>,
}

struct Of<W>(W);

impl<W: HeldWork> Of<W> {
    const FUNCTIONS: Functions = Functions {
        poll: |place, cx, emptied| {
            let work = place.cast::<W>();
            // SAFETY: the work is there, and does not move before it is dropped.
            let mut pinned = unsafe { Pin::new_unchecked(&mut *work) };
            if W::LIMITED {
                pinned.as_mut().set_out(cx);
            }
            if W::WATCHES && pinned.as_mut().is_over(cx) {
                return Poll::Ready(Stage::Cancelled); // J4, J5
            }
            pinned.poll_work(cx).map(|value| {
                let ended = if value.is_ok() { Stage::Completed } else { Stage::Failed };
                *emptied = true;
                // SAFETY: it is not used any more; the room is large enough for the value too.
                unsafe {
                    ptr::drop_in_place(work);
                    place.cast::<Result<W::Value, W::Error>>().write(value);
                }
                ended
            })
        },
        // SAFETY: the work is there, and is not used any more.
        drop_work: |place| unsafe { ptr::drop_in_place(place.cast::<W>()) },
        // SAFETY: the value is there, and is not used any more.
        drop_value: |place| unsafe { ptr::drop_in_place(place.cast::<Result<W::Value, W::Error>>()) },
        watched: if W::WATCHES { Some(&Self::WATCHED) } else { None },
    };

    const WATCHED: Watched = Watched {
        graced: W::GRACED,
        // SAFETY: the work is there, and nobody has it to himself.
        cause: |place| unsafe { &*place.cast::<W>() }.cause(),
    };
}

impl Functions {
    /// Polls the work. Ready when the work was dropped and its value is in the room, with how it ended; or with `Cancelled`, when its grace is over and
    /// it is still there. `emptied` says whether the work is gone, also where its destructor panics.
    ///
    /// # Safety
    ///
    /// The work is in the body, and the caller owns it. So it is for the others.
    pub(super) unsafe fn poll(&self, body: Body, cx: &mut Context<'_>, emptied: &mut bool) -> Poll<Stage> {
        // SAFETY: promised by the caller.
        unsafe { (self.poll)(body.0, cx, emptied) }
    }

    /// Why the work is to stop, by the tokens that it is under (J11).
    ///
    /// # Safety
    ///
    /// The work is in the body, and nobody has it to himself meanwhile.
    pub(super) unsafe fn cause(&self, body: Body) -> Option<Cause> {
        // SAFETY: promised by the caller.
        self.watched.and_then(|watched| unsafe { (watched.cause)(body.0) })
    }

    /// Whether it is polled on when it was asked to stop, and says itself when that is over (J5).
    pub(super) fn is_graced(&self) -> bool {
        self.watched.is_some_and(|watched| watched.graced)
    }

    /// # Safety
    ///
    /// The work is in the body. It is empty afterwards, also if this panics.
    pub(super) unsafe fn drop_work(&self, body: Body) {
        // SAFETY: promised by the caller.
        unsafe { (self.drop_work)(body.0) }
    }

    /// # Safety
    ///
    /// A value is in the body. It is empty afterwards, also if this panics.
    pub(super) unsafe fn drop_value(&self, body: Body) {
        // SAFETY: promised by the caller.
        unsafe { (self.drop_value)(body.0) }
    }
}

impl Body {
    /// # Safety
    ///
    /// The work in its place.
    ///
    /// # Safety
    ///
    /// The body is empty, and of a room whose [`functions`](Room::functions) were asked for. The work stays there while what this gives is used, and nobody else has it
    /// meanwhile.
    pub(super) unsafe fn put<'a, W>(self, work: *const W) -> &'a mut W {
        let place = self.0.cast::<W>();
        // SAFETY: promised by the caller; such a room is large enough, and aligned.
        unsafe {
            ptr::copy_nonoverlapping(work, place, 1);
            &mut *place
        }
    }

    /// # Safety
    ///
    /// A value of this type is in the body. It is empty afterwards.
    pub(super) unsafe fn read<V, E>(self) -> Result<V, E> {
        // SAFETY: promised by the caller.
        unsafe { self.0.cast::<Result<V, E>>().read() }
    }
}

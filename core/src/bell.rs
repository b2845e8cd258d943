//! Wakes everybody who waits for one thing, by event-listener's list.
//!
//! That list calls, clones and drops wakers under its lock, and a waker that panics leaves it broken. So what stands on it are wakers
//! of our own, which only note whom to wake; users' wakers are touched when the lock is open (P3).

#[cfg(all(test, countermand_loom, loom))]
mod loom;

use crate::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use event_listener::{Event, EventListener};

use crate::sync::Unscheduled;

/// See the head of the file.
pub(crate) struct Bell {
    event: Event,
    noted: Arc<Unscheduled<Vec<Waker>>>,
}

impl Bell {
    pub(crate) fn new() -> Self {
        Self { event: Event::new(), noted: Arc::new(Unscheduled::new(Vec::new())) }
    }

    /// Wakes all who listen, each through `wake`.
    pub(crate) fn ring(&self, wake: impl FnMut(Waker)) {
        self.event.notify(usize::MAX);
        // Somebody who rings at the same time may find those whom this call has noted, and wakes them.
        self.noted.with(mem::take).into_iter().for_each(wake);
    }

    /// Ready at the first ring from now on.
    pub(crate) fn listen(&self) -> Listener {
        let note = Note { noted: self.noted.clone(), waker: Unscheduled::new(None) };
        Listener { listener: self.event.listen(), note: Arc::new(note) }
    }
}

/// What stands on the list for one listener.
struct Note {
    noted: Arc<Unscheduled<Vec<Waker>>>,
    /// The listener's own. Replaced and dropped by the listener, taken by a ring.
    waker: Unscheduled<Option<Waker>>,
}

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        if let Some(waker) = self.waker.with(Option::take) {
            self.noted.with(|noted| noted.push(waker));
        }
    }
}

/// The future of [`Bell::listen`].
pub(crate) struct Listener {
    listener: EventListener,
    note: Arc<Note>,
}

impl Future for Listener {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if mutant!(UsersWakersOnTheList) {
            return Pin::new(&mut this.listener).poll(cx);
        }
        // The waker first, then the list: a ring in between finds it.
        let new = cx.waker().clone();
        let old = this.note.waker.with(|waker| waker.replace(new));
        drop(old);
        let own = Waker::from(this.note.clone());
        Pin::new(&mut this.listener).poll(&mut Context::from_waker(&own))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Here, and not by the list under its lock.
        let waker = self.note.waker.with(Option::take);
        drop(waker);
    }
}

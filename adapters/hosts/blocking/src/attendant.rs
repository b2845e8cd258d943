//! The thread of a driver or keeper: polls it, and sleeps until it is woken or its alarm rings.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use countermand_core::Instant;
use parking::Parker;

std::thread_local! {
    /// What this thread is, and what its alarm is set to.
    static ROLE: Cell<Role> = const { Cell::new(Role::Other) };
}

#[derive(Clone, Copy)]
enum Role {
    Other,
    Attendant { alarm: Option<Instant> },
}

/// Runs `attendant` to its end on this thread.
pub(crate) fn run(attendant: impl Future<Output = ()>) {
    let mut attendant = pin!(attendant);
    let parker = Parker::new();
    let waker = Waker::from(parker.unparker());
    let mut cx = Context::from_waker(&waker);
    loop {
        ROLE.set(Role::Attendant { alarm: None });
        if attendant.as_mut().poll(&mut cx).is_ready() {
            return;
        }
        match ROLE.get() {
            Role::Attendant { alarm: Some(at) } => match at.to_std() {
                Some(at) => _ = parker.park_deadline(at),
                None => parker.park(), // Beyond what the system's clock can say.
            },
            Role::Attendant { alarm: None } | Role::Other => parker.park(),
        }
    }
}

/// Whether a driver or keeper lives on this thread.
pub(crate) fn is_here() -> bool {
    matches!(ROLE.get(), Role::Attendant { .. })
}

/// Has this thread's attendant polled again at `at` at the latest. False if there is none.
pub(crate) fn wake_at(at: Instant) -> bool {
    let here = is_here();
    if let Role::Attendant { alarm } = ROLE.get() {
        ROLE.set(Role::Attendant { alarm: Some(alarm.map_or(at, |earlier| earlier.min(at))) });
    }
    here
}

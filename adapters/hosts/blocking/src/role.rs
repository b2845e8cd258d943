//! What a thread of the host's is doing: giving an attendant its turn, with the call that came of that.

use std::cell::Cell;
use std::ptr;
use std::sync::Arc;

use countermand_core::{Call, Instant};

std::thread_local! {
    static ROLE: Cell<Role> = const { Cell::new(Role::Other) };
    /// What a guest was given to run.
    static CALL: Cell<Given> = const { Cell::new(Given::Elsewhere) };
}

#[derive(Clone, Copy)]
enum Role {
    Other,
    Attendant { alarm: Option<Instant> },
}

enum Given {
    /// This thread is no guest.
    Elsewhere,
    Nothing {
        crew: *const (),
    },
    This(Call),
}

/// Runs what polls an attendant; gives the time that its alarm was set to, too.
pub(crate) fn as_attendant<R>(poll: impl FnOnce() -> R) -> (R, Option<Instant>) {
    struct Back;
    impl Drop for Back {
        fn drop(&mut self) {
            ROLE.set(Role::Other);
        }
    }
    ROLE.set(Role::Attendant { alarm: None });
    let _back = Back;
    let result = poll();
    let alarm = match ROLE.get() {
        Role::Attendant { alarm } => alarm,
        Role::Other => None,
    };
    (result, alarm)
}

/// Whether a driver or keeper has its turn on this thread.
pub(crate) fn is_attendant() -> bool {
    matches!(ROLE.get(), Role::Attendant { .. })
}

/// Has this thread's attendant polled again at `at` at the latest. False if there is none.
pub(crate) fn wake_at(at: Instant) -> bool {
    let Role::Attendant { alarm } = ROLE.get() else { return false };
    ROLE.set(Role::Attendant { alarm: Some(alarm.map_or(at, |earlier| earlier.min(at))) });
    true
}

/// Runs a turn on a thread of this crew; gives the call that it handed to the crew, too.
pub(crate) fn as_guest_of<C, R>(crew: &Arc<C>, turn: impl FnOnce() -> R) -> (R, Option<Call>) {
    CALL.set(Given::Nothing { crew: Arc::as_ptr(crew).cast() });
    let result = turn();
    match CALL.replace(Given::Elsewhere) {
        Given::This(call) => (result, Some(call)),
        Given::Elsewhere | Given::Nothing { .. } => (result, None),
    }
}

/// Leaves this call to this crew's guest on this thread. Gives it back if there is none, or it has one.
pub(crate) fn keep<C>(crew: &Arc<C>, call: Call) -> Option<Call> {
    match CALL.replace(Given::Elsewhere) {
        Given::Nothing { crew: own } if ptr::eq(own, Arc::as_ptr(crew).cast()) => {
            CALL.set(Given::This(call));
            None
        }
        given => {
            CALL.set(given);
            Some(call)
        }
    }
}

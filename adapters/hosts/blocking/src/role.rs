//! What a thread of the host's is doing: giving an attendant its turn, with the call that came of that; or coming to the end of a call.

use std::cell::Cell;
use std::ptr;
use std::sync::Arc;

use countermand_core::{Call, Instant};

use crate::pool::Crew;
use crate::seat::Seat;

std::thread_local! {
    static ROLE: Cell<Role> = const { Cell::new(Role::Other) };
    /// What a guest was given to run.
    static CALL: Cell<Given> = const { Cell::new(Given::Elsewhere) };
    /// The seat that is called by the end of the call that this thread has run.
    static END: Cell<End> = const { Cell::new(End::Elsewhere) };
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
        crew: *const Crew,
    },
    This(Call),
}

enum End {
    /// This thread is not at the end of a call.
    Elsewhere,
    Here,
    Left(Arc<Seat>),
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
pub(crate) fn as_guest_of<R>(crew: &Crew, turn: impl FnOnce() -> R) -> (R, Option<Call>) {
    CALL.set(Given::Nothing { crew });
    let result = turn();
    match CALL.replace(Given::Elsewhere) {
        Given::This(call) => (result, Some(call)),
        Given::Elsewhere | Given::Nothing { .. } => (result, None),
    }
}

/// Leaves this call to the guest on this thread. Gives it back if there is none, or it has one.
pub(crate) fn keep(crew: &Crew, call: Call) -> Option<Call> {
    match CALL.replace(Given::Elsewhere) {
        Given::Nothing { crew: own } if ptr::eq(own, crew) => {
            CALL.set(Given::This(call));
            None
        }
        given => {
            CALL.set(given);
            Some(call)
        }
    }
}

/// Runs `call`; gives the seat that this calls, if nobody else sees to it.
pub(crate) fn run(call: Call) -> Option<Arc<Seat>> {
    let ended = call.run_and_hold();
    END.set(End::Here);
    drop(ended);
    match END.replace(End::Elsewhere) {
        End::Left(seat) => Some(seat),
        End::Elsewhere | End::Here => None,
    }
}

/// Leaves a seat that was called to this thread, if it is at the end of a call. Else gives it back.
pub(crate) fn leave_to_guest(seat: Arc<Seat>) -> Option<Arc<Seat>> {
    // A thread that is ending is at the end of nothing else.
    let end = END.try_with(|end| end.replace(End::Elsewhere)).unwrap_or(End::Elsewhere);
    match end {
        End::Here => {
            END.set(End::Left(seat));
            None
        }
        end => {
            let _there = END.try_with(|place| place.set(end));
            Some(seat)
        }
    }
}

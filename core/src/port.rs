//! The bell-pull of one attendant (a driver or the keeper): how others ring it, and how it parks without losing a ring.
//!
//! ```text
//!            begin()                park()
//!   PARKED ──────────► stepping ──────────────► PARKED          ring(): RUNG, and if it was parked and not
//!      ▲                  │  RUNG was set: park() says so, ▲            rung yet, wake its host
//!      └──────────────────┘  and the attendant goes on     │
//! ```
//!
//! Invariants:
//! 1. Whoever has work for the attendant publishes the work first and rings afterwards.
//! 2. The attendant announces that it parks first and looks for work afterwards.
//! 3. So one of the two sees the other: no ring is lost (L5). Both sides use read-modify-write operations.

#[cfg(all(test, countermand_loom))]
mod loom;

use core::task::Waker;

use crate::sync::Lock;
use crate::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use crate::{Instant, contain::contain_drop};

/// Set when somebody rang, until the attendant begins its next step.
const RUNG: u8 = 1;
/// Set while the attendant is parked: it has nothing to do and its waker is in place.
const PARKED: u8 = 2;
/// Set when the attendant leaves for good: rings go to others. Never cleared.
const GONE: u8 = 4;
/// Set when the attendant has left and has nothing in its hands any more. Never cleared.
const DONE: u8 = 8;

/// See the head of the file.
#[derive(Debug)]
pub(crate) struct Port {
    state: AtomicU8,
    /// Until when it parked, in nanoseconds; `u64::MAX` for as long as nobody rings, 0 while it still looks for work.
    until: AtomicU64,
    /// How many steps it has begun. Written only by the attendant.
    steps: AtomicU64,
    /// Wakes the host's task or thread. Replaced only by the attendant.
    waker: Lock<Option<Waker>>,
}

impl Port {
    pub(crate) fn new() -> Self {
        Self { state: AtomicU8::new(RUNG), until: AtomicU64::new(0), steps: AtomicU64::new(0), waker: Lock::new(None) }
    }

    /// Tells the attendant to look for work. False if it has left: then the ring must be passed on.
    pub(crate) fn ring(&self) -> bool {
        let before = self.state.fetch_or(RUNG, Ordering::SeqCst);
        if before & GONE != 0 {
            return false;
        }
        if before & (PARKED | RUNG) == PARKED {
            if let Some(waker) = self.waker.with(|waker| waker.take()) {
                waker.wake();
            }
        }
        true
    }

    /// The attendant begins a step: all rings up to here are answered by it. True if there was one, or it was parked.
    #[inline]
    pub(crate) fn begin(&self) -> bool {
        // Counted before it shows that it is awake: see `steps`.
        self.steps.store(self.steps.load(Ordering::Relaxed) + 1, Ordering::Release);
        // One that rings meanwhile is answered by the next step.
        let called = self.state.load(Ordering::SeqCst) & (RUNG | PARKED) != 0;
        if called {
            self.state.fetch_and(!(RUNG | PARKED), Ordering::SeqCst);
        }
        called
    }

    /// The attendant announces that it parks. Afterwards it looks for work once more, then calls [`Port::settle_down`].
    pub(crate) fn park(&self, waker: &Waker) {
        let fits = self.waker.with(|old| old.as_ref().is_some_and(|old| old.will_wake(waker)));
        if !fits {
            // Cloned, and the old one dropped, outside of the lock: wakers are others' code.
            let new = waker.clone();
            let old = self.waker.with(|old| old.replace(new));
            let _ = contain_drop(old);
        }
        self.until.store(0, Ordering::SeqCst);
        self.state.fetch_or(PARKED, Ordering::SeqCst);
    }

    /// The attendant found nothing to do until `until`. False if somebody rang in between: then it goes on.
    pub(crate) fn settle_down(&self, until: Option<Instant>) -> bool {
        self.until.store(until.map_or(u64::MAX, Instant::as_nanos), Ordering::SeqCst);
        self.state.load(Ordering::SeqCst) & RUNG == 0
    }

    /// The attendant leaves for good. When it has put everything out of its hands, it calls [`Port::done`].
    pub(crate) fn leave(&self) {
        self.state.fetch_or(GONE, Ordering::SeqCst);
        let old = self.waker.with(|waker| waker.take());
        let _ = contain_drop(old);
    }

    /// The attendant has left, and will do nothing any more.
    pub(crate) fn done(&self) {
        self.state.fetch_or(DONE, Ordering::SeqCst);
    }

    pub(crate) fn is_parked(&self) -> bool {
        self.state.load(Ordering::SeqCst) & PARKED != 0
    }

    /// Whether the attendant is between the beginning of a step and its parking.
    pub(crate) fn is_awake(&self) -> bool {
        self.state.load(Ordering::SeqCst) & (PARKED | GONE) == 0 && self.steps() > 0
    }

    /// Whether the attendant has nothing to do at `now`: it is parked, nobody rang, and it is not due (or it has left).
    pub(crate) fn is_quiet(&self, now: Instant) -> bool {
        let state = self.state.load(Ordering::SeqCst);
        let until = self.until.load(Ordering::SeqCst);
        state & DONE != 0 || (state & (GONE | PARKED | RUNG) == PARKED && until > now.as_nanos())
    }

    /// How many steps the attendant has begun. If it is quiet, and is so again later with the same number, then it was quiet all the
    /// time between: nobody rang it, for only a step answers a ring.
    fn steps(&self) -> u64 {
        self.steps.load(Ordering::SeqCst)
    }
}

/// Whether all of these attendants have nothing to do at one and the same moment. They ring each other, so that one that was
/// quiet may be awake when the last is looked at: so it looks twice.
pub(crate) fn all_quiet<'a>(ports: impl Iterator<Item = &'a Port> + Clone, now: Instant) -> bool {
    let steps = || ports.clone().fold(0_u64, |sum, port| sum.wrapping_add(port.steps()));
    let quiet = || ports.clone().all(|port| port.is_quiet(now));
    let before = steps();
    quiet() && quiet() && steps() == before
}

#[cfg(all(test, feature = "std", not(any(countermand_loom, countermand_shuttle))))]
mod tests {
    use alloc::sync::Arc;
    use alloc::task::Wake;
    use core::sync::atomic::{AtomicUsize, Ordering};
    use core::task::Waker;

    use super::{Port, all_quiet};
    use crate::Instant;

    #[test]
    fn one_that_still_looks_for_work_is_not_quiet() {
        let (port, now) = (Port::new(), Instant::from_nanos(1_000));
        assert!(!port.is_quiet(now), "it has not looked for work yet");
        port.begin();
        port.park(Waker::noop());
        assert!(!port.is_quiet(now));
        assert!(port.settle_down(None));
        assert!(port.is_quiet(now));
        // Polled without a reason, it parks again; whatever it finds now, nobody has rung for it.
        port.begin();
        port.park(Waker::noop());
        assert!(!port.is_quiet(now), "quiet by the time of an earlier parking");
        assert!(port.settle_down(Some(Instant::from_nanos(1_001))));
        assert!(port.is_quiet(now));
        assert!(!port.is_quiet(Instant::from_nanos(1_001)), "it is due");
        port.leave();
        assert!(!port.is_quiet(now), "it leaves, but has not put everything out of its hands");
        port.done();
        assert!(port.is_quiet(now));
    }

    #[test]
    fn a_ring_wakes_one_that_is_parked_and_is_answered_by_the_next_step() {
        let (port, count) = (Port::new(), Arc::new(Count::default()));
        let waker = Waker::from(count.clone());
        assert!(port.begin(), "it is rung from the start");
        assert!(!port.begin(), "nobody rang since");
        assert!(port.is_awake() && !port.is_parked());
        assert!(port.ring());
        assert_eq!(count.0.load(Ordering::SeqCst), 0, "one that is awake is not woken");
        assert!(port.begin());
        port.park(&waker);
        assert!(port.is_parked() && !port.is_awake());
        assert!(port.settle_down(None));
        assert!(port.ring() && port.ring());
        assert_eq!(count.0.load(Ordering::SeqCst), 1, "woken once for both");
        assert!(port.is_parked(), "until it has its turn");
        assert!(!port.settle_down(None), "there is a ring to be answered");
        assert!(port.begin() && port.is_awake() && !port.is_parked());
        // Parked and not rung: the step that comes all the same says that it was parked.
        port.park(&waker);
        assert!(port.begin());
        port.leave();
        assert!(!port.ring(), "one that has left rings nobody");
        assert!(!port.is_awake());
    }

    #[test]
    fn one_that_has_had_no_step_is_not_awake() {
        let port = Port::new();
        assert!(!port.is_awake() && !port.is_parked());
        assert_eq!(port.steps(), 0);
        port.begin();
        port.begin();
        assert_eq!(port.steps(), 2);
        port.park(Waker::noop());
        port.leave();
        assert!(!port.is_awake());
    }

    #[test]
    fn all_are_quiet_when_each_is() {
        let (ports, now) = ([Port::new(), Port::new()], Instant::from_nanos(1_000));
        for port in &ports {
            assert!(!all_quiet(ports.iter(), now));
            port.begin();
            port.park(Waker::noop());
            assert!(port.settle_down(None));
        }
        assert!(all_quiet(ports.iter(), now));
        ports[0].ring();
        assert!(!all_quiet(ports.iter(), now));
    }

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

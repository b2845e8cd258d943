//! Of the rules of tokens without a heap those that are about time.

use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

use countermand_core::{CauseKind, HeldToken, Instant};

use super::{Bell, after, poll};

pub(super) fn d1_the_earliest_counts() {
    let [early, late] = [after(Duration::from_secs(1)), after(Duration::from_secs(2))];
    let root = pin!(HeldToken::with_deadline(early));
    let later = pin!(HeldToken::child_with_deadline(root.as_ref(), late));
    assert_eq!(later.deadline(), Some(early));
    let root = pin!(HeldToken::with_deadline(late));
    let sooner = pin!(HeldToken::child_with_deadline(root.as_ref(), early));
    let none = pin!(HeldToken::child_of(sooner.as_ref()));
    assert_eq!((none.deadline(), root.deadline()), (Some(early), Some(late)));
    assert!(none.expire_due(early) && sooner.is_cancelled() && !root.is_cancelled());
}

pub(super) fn d3_due_is_exact() {
    let at = after(Duration::from_millis(5));
    let token = pin!(HeldToken::with_deadline(at));
    assert!(!token.expire_due(Instant::from_nanos(at.as_nanos() - 1)) && !token.is_cancelled());
    assert!(token.expire_due(at) && token.is_cancelled());
}

pub(super) fn d6_expiry_is_a_deadline() {
    static BELL: Bell = Bell::new();
    let token = pin!(HeldToken::with_deadline(Instant::ORIGIN));
    let mut wait = pin!(token.as_ref().cancelled_pinned());
    assert!(poll(wait.as_mut(), &BELL.waker()).is_pending(), "a deadline does nothing by itself");
    assert!(token.expire_due(Instant::ORIGIN));
    assert_eq!(BELL.woken(), 1);
    assert_eq!(poll(wait.as_mut(), &BELL.waker()).map(|cause| cause.kind()), Poll::Ready(CauseKind::Deadline));
}

pub(super) fn d8_beyond_the_clock_is_none() {
    assert_eq!(after(Duration::from_secs(1)).checked_add(Duration::MAX), None);
    let last = Instant::from_nanos(u64::MAX);
    let token = pin!(HeldToken::with_deadline(last));
    let child = pin!(HeldToken::child_with_deadline(token.as_ref(), last));
    assert_eq!(child.deadline(), None);
    assert!(!child.expire_due(last) && !child.is_cancelled());
}

pub(super) fn d9_equal_deadlines_expire_the_outer() {
    let at = after(Duration::from_secs(1));
    let root = pin!(HeldToken::with_deadline(at));
    let child = pin!(HeldToken::child_with_deadline(root.as_ref(), at));
    assert!(child.expire_due(at));
    assert!(root.is_cancelled(), "the outer one was expired");
    assert!(!root.cancel() && !child.cancel());
}

pub(super) fn c4_four_hundred_days() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    // Where counts of microseconds and milliseconds in 32 bits wrap, 400 days, and 285 years.
    let places =
        [Duration::from_micros(1 << 32), Duration::from_millis(1 << 32), DAY * 400, Duration::from_micros(1 << 53)];
    for place in places {
        let at = after(place);
        let token = pin!(HeldToken::with_deadline(at));
        for early in [Duration::ZERO, place / 2, place - Duration::from_nanos(1)] {
            assert!(!token.expire_due(after(early)), "{place:?} was due at {early:?}");
        }
        assert!(token.expire_due(at), "{place:?} was not due");
    }
}

//! The rules that can be asked of tokens without a heap. The same functions are tests here, and run on a board (`conformance/firmware/heapless`).

mod bell;
mod callbacks;
mod deadlines;

use core::future::Future;
use core::mem::ManuallyDrop;
use core::pin::{Pin, pin};
use core::ptr;
use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use core::time::Duration;

use countermand_core::{Cause, HeldCallback, HeldCancelled, HeldObserver, HeldToken, Instant};
use portable_atomic::{AtomicU32, Ordering};

use super::DEEPEST;
pub(crate) use bell::Bell;

/// The number of a rule, and what asks about it: it panics where the rule is broken.
pub(crate) type Rule = (&'static str, fn());

/// In the order of the contract.
pub(crate) const ALL: &[Rule] = &[
    ("T1", t1_one_cancel_is_first),
    ("T2", t2_sticky),
    ("T3", t3_what_was_before_the_cancel_is_seen),
    ("T5", t5_a_waker_sees_flag_and_cause),
    ("T6", t6_no_wake_is_lost),
    ("T7", t7_every_waiter_is_woken_once),
    ("T8", t8_wakers_use_the_tree),
    ("T10", t10_the_first_cause_stays),
    ("T11", t11_only_armed_guards_cancel),
    ("T12", callbacks::t12_called_once),
    ("T13", callbacks::t13_withdrawn_or_called),
    ("T14", t14_never_is_a_constant),
    ("T15", t15_who_observes_cannot_cancel),
    ("R1", r1_downwards_only),
    ("R2", r2_all_below_are_cancelled),
    ("R3", r3_no_sibling_lags),
    ("R4", r4_born_cancelled),
    ("R6", r6_nothing_is_left_behind),
    ("R7", r7_any_of_its_parents_with_that_ones_cause),
    ("R8", r8_deep_in_bounded_stack),
    ("D1", deadlines::d1_the_earliest_counts),
    ("D3", deadlines::d3_due_is_exact),
    ("D6", deadlines::d6_expiry_is_a_deadline),
    ("D8", deadlines::d8_beyond_the_clock_is_none),
    ("D9", deadlines::d9_equal_deadlines_expire_the_outer),
    ("C4", deadlines::c4_four_hundred_days),
    ("X5", x5_a_forgotten_wait_harms_nobody),
];

const PULLED: Cause = Cause::REQUESTED.with_code(7);
const TOLD: Cause = Cause::SHUTDOWN.with_text("mains lost");

fn poll(wait: Pin<&mut HeldCancelled<'_>>, waker: &Waker) -> Poll<Cause> {
    wait.poll(&mut Context::from_waker(waker))
}

pub(crate) fn after(duration: Duration) -> Instant {
    Instant::ORIGIN.checked_add(duration).expect("within the clock")
}

fn t1_one_cancel_is_first() {
    let root = pin!(HeldToken::new());
    let child = pin!(HeldToken::child_of(root.as_ref()));
    assert!(child.cancel(), "the first is told so");
    assert!(!child.cancel() && !child.cancel_with(TOLD), "the second is not");
    assert!(root.cancel(), "the parent was not cancelled by that");
    let late = pin!(HeldToken::child_of(root.as_ref()));
    assert!(!late.cancel(), "it was cancelled with its parent");
}

fn t2_sticky() {
    let root = pin!(HeldToken::new());
    let child = pin!(HeldToken::child_of(root.as_ref()));
    root.cancel();
    for _ in 0..3 {
        assert!(root.is_cancelled() && child.is_cancelled());
        child.cancel();
        root.expire_due(after(Duration::MAX / 2_000_000_000));
    }
}

fn t3_what_was_before_the_cancel_is_seen() {
    static TOKEN: HeldToken<'static> = HeldToken::new();
    static BEFORE: AtomicU32 = AtomicU32::new(0);
    BEFORE.store(1, Ordering::Relaxed);
    TOKEN.cancel();
    assert!(TOKEN.is_cancelled());
    assert_eq!(BEFORE.load(Ordering::Relaxed), 1);
}

/// Made when woken: a check, and the cause.
static T5_TOKEN: HeldToken<'static> = HeldToken::new();
static T5_SAW: AtomicU32 = AtomicU32::new(0);

fn t5_a_waker_sees_flag_and_cause() {
    fn look(_: *const ()) {
        let saw = T5_TOKEN.is_cancelled() && T5_TOKEN.cause() == Some(PULLED);
        T5_SAW.store(if saw { 1 } else { 2 }, Ordering::SeqCst);
    }
    static LOOKS: RawWakerVTable = RawWakerVTable::new(|data| RawWaker::new(data, &LOOKS), look, look, |_| {});
    // SAFETY: its functions look at statics alone.
    let waker = unsafe { Waker::from_raw(RawWaker::new(ptr::null(), &LOOKS)) };
    let mut wait = pin!(T5_TOKEN.cancelled());
    assert_eq!(poll(wait.as_mut(), &waker), Poll::Pending);
    T5_TOKEN.cancel_with(PULLED);
    assert_eq!(T5_SAW.load(Ordering::SeqCst), 1, "the waker was called, and saw the flag and the cause");
}

fn t6_no_wake_is_lost() {
    static BELLS: [Bell; 2] = [const { Bell::new() }; 2];
    let root = pin!(HeldToken::new());
    let child = pin!(HeldToken::child_of(root.as_ref()));
    // Cancelled before: ready at once.
    let early = pin!(HeldToken::child_of(root.as_ref()));
    early.cancel();
    assert_eq!(poll(pin!(early.as_ref().cancelled_pinned()), &BELLS[0].waker()), Poll::Ready(Cause::REQUESTED));
    // Polled by another waker in between: the last one is woken.
    let mut wait = pin!(child.as_ref().cancelled_pinned());
    assert_eq!(poll(wait.as_mut(), &BELLS[0].waker()), Poll::Pending);
    assert_eq!(poll(wait.as_mut(), &BELLS[1].waker()), Poll::Pending);
    root.cancel_with(PULLED);
    assert_eq!((BELLS[0].woken(), BELLS[1].woken()), (0, 1), "the waker of the last poll is woken");
    assert_eq!(poll(wait.as_mut(), &BELLS[1].waker()), Poll::Ready(PULLED));
}

fn t7_every_waiter_is_woken_once() {
    static BELLS: [Bell; 4] = [const { Bell::new() }; 4];
    let root = pin!(HeldToken::new());
    let child = pin!(HeldToken::child_of(root.as_ref()));
    {
        let mut one = pin!(root.as_ref().cancelled_pinned());
        let mut two = pin!(child.as_ref().cancelled_pinned());
        let mut three = pin!(child.as_ref().cancelled_pinned());
        for (wait, bell) in [&mut one, &mut two, &mut three].into_iter().zip(&BELLS) {
            assert_eq!(poll(wait.as_mut(), &bell.waker()), Poll::Pending);
        }
        child.cancel();
        assert_eq!(BELLS.each_ref().map(Bell::woken), [0, 1, 1, 0], "the child's waiters are woken, and no other");
        root.cancel();
        child.cancel();
        assert_eq!(BELLS.each_ref().map(Bell::woken), [1, 1, 1, 0]);
        assert!(poll(one.as_mut(), &BELLS[3].waker()).is_ready());
        let late = pin!(root.as_ref().cancelled_pinned());
        assert!(poll(late, &BELLS[3].waker()).is_ready(), "a late one is ready at once");
    }
    assert_eq!(BELLS.each_ref().map(Bell::held), [0; 4], "no waker is left");
}

static T8_TOKEN: HeldToken<'static> = HeldToken::new();
static T8_BELL: Bell = Bell::new();

fn t8_wakers_use_the_tree() {
    fn use_it() {
        T8_TOKEN.cancel();
        let below = pin!(HeldToken::child_of(Pin::static_ref(&T8_TOKEN)));
        let _ = poll(pin!(below.as_ref().cancelled_pinned()), &T8_BELL.waker());
    }
    fn clone(data: *const ()) -> RawWaker {
        let _ = T8_TOKEN.cause();
        RawWaker::new(data, &USES)
    }
    fn wake(_: *const ()) {
        use_it();
    }
    fn drop(_: *const ()) {
        let _ = poll(pin!(T8_TOKEN.cancelled()), &T8_BELL.waker());
    }
    static USES: RawWakerVTable = RawWakerVTable::new(clone, wake, wake, drop);
    // SAFETY: its functions use statics alone.
    let waker = unsafe { Waker::from_raw(RawWaker::new(ptr::null(), &USES)) };
    let mut wait = pin!(T8_TOKEN.cancelled());
    assert_eq!(poll(wait.as_mut(), &waker), Poll::Pending);
    assert_eq!(poll(wait.as_mut(), &T8_BELL.waker()), Poll::Pending, "the replaced waker was dropped under no lock");
    assert_eq!(poll(wait.as_mut(), &waker), Poll::Pending);
    T8_TOKEN.cancel_with(PULLED);
    assert_eq!(poll(wait.as_mut(), &waker), Poll::Ready(PULLED));
}

fn t10_the_first_cause_stays() {
    let root = pin!(HeldToken::with_deadline(after(Duration::from_secs(1))));
    let middle = pin!(HeldToken::child_of(root.as_ref()));
    let leaf = pin!(HeldToken::child_of(middle.as_ref()));
    middle.cancel_with(TOLD);
    leaf.cancel_with(PULLED);
    assert!(!leaf.expire_due(after(Duration::from_secs(1))), "it was cancelled before, for another reason");
    root.cancel();
    assert_eq!((leaf.cause(), middle.cause()), (Some(TOLD), Some(TOLD)));
    assert_eq!(root.cause(), Some(Cause::DEADLINE));
}

fn t11_only_armed_guards_cancel() {
    let token = pin!(HeldToken::new());
    {
        let _gone = HeldToken::child_of(token.as_ref());
        token.drop_guard().disarm();
    }
    assert!(!token.is_cancelled(), "neither a dropped child nor a disarmed guard cancels");
    drop(token.drop_guard());
    assert_eq!(token.cause(), Some(Cause::HANDLE_DROPPED));
}

fn t14_never_is_a_constant() {
    static BELL: Bell = Bell::new();
    let never = HeldObserver::NEVER;
    assert_eq!((never.is_cancelled(), never.cause(), never.deadline()), (false, None, None));
    let mut wait = pin!(never.cancelled());
    assert!(wait.as_mut().poll(&mut Context::from_waker(&BELL.waker())).is_pending());
    assert_eq!(BELL.held(), 0, "it waits for nothing");
    assert_eq!(size_of_val(&never), size_of::<usize>());
}

fn t15_who_observes_cannot_cancel() {
    static BELL: Bell = Bell::new();
    let root = pin!(HeldToken::with_deadline(after(Duration::from_secs(1))));
    let token = pin!(HeldToken::child_of(root.as_ref()));
    let observer = token.as_ref().observer_pinned();
    assert_eq!((observer.is_cancelled(), observer.deadline()), (false, Some(after(Duration::from_secs(1)))));
    {
        let mut wait = pin!(observer.cancelled());
        assert!(wait.as_mut().poll(&mut Context::from_waker(&BELL.waker())).is_pending());
    }
    // To drop it, or what it gives, cancels nothing; that it has no more is told by the compiler (see `HeldObserver`).
    assert_eq!((token.is_cancelled(), BELL.held()), (false, 0));
    let mut wait = pin!(observer.cancelled());
    assert!(wait.as_mut().poll(&mut Context::from_waker(&BELL.waker())).is_pending());
    assert!(token.cancel_with(PULLED));
    assert_eq!((BELL.woken(), observer.is_cancelled(), observer.cause()), (1, true, Some(PULLED)));
    assert_eq!(wait.poll(&mut Context::from_waker(&BELL.waker())), Poll::Ready(PULLED));
}

fn r1_downwards_only() {
    let root = pin!(HeldToken::new());
    let [one, other] = [HeldToken::child_of(root.as_ref()), HeldToken::child_of(root.as_ref())];
    let (one, other) = (pin!(one), pin!(other));
    let below = pin!(HeldToken::child_of(one.as_ref()));
    one.cancel_with(PULLED);
    assert_eq!(below.cause(), Some(PULLED));
    assert!(!root.is_cancelled() && !other.is_cancelled());
}

fn r2_all_below_are_cancelled() {
    static ROOT: HeldToken<'static> = HeldToken::new();
    static LEVEL: [HeldToken<'static>; 3] = [const { HeldToken::below(&ROOT) }; 3];
    static LEAF: HeldToken<'static> = HeldToken::below(&LEVEL[2]);
    ROOT.cancel_with(TOLD);
    assert!(LEVEL.iter().chain([&LEAF]).all(|token| token.cause() == Some(TOLD)));
}

static R3_ROOT: HeldToken<'static> = HeldToken::new();
static R3_LEAVES: [HeldToken<'static>; 2] = [const { HeldToken::below(&R3_ROOT) }; 2];
static R3_AGREED: AtomicU32 = AtomicU32::new(0);

fn r3_no_sibling_lags() {
    // The waker of the one looks at the other, whose own waker may not have been called.
    fn look(_: *const ()) {
        if R3_ROOT.is_cancelled() && R3_LEAVES.iter().all(HeldToken::is_cancelled) {
            R3_AGREED.fetch_add(1, Ordering::SeqCst);
        }
    }
    static LOOKS: RawWakerVTable = RawWakerVTable::new(|data| RawWaker::new(data, &LOOKS), look, look, |_| {});
    // SAFETY: its functions look at statics alone.
    let waker = unsafe { Waker::from_raw(RawWaker::new(ptr::null(), &LOOKS)) };
    let (mut one, mut other) = (pin!(R3_LEAVES[0].cancelled()), pin!(R3_LEAVES[1].cancelled()));
    assert!(poll(one.as_mut(), &waker).is_pending() && poll(other.as_mut(), &waker).is_pending());
    R3_ROOT.cancel();
    assert_eq!(R3_AGREED.load(Ordering::SeqCst), 2, "whoever is woken finds all of them cancelled");
}

fn r4_born_cancelled() {
    let root = pin!(HeldToken::new());
    root.cancel_with(PULLED);
    let child = pin!(HeldToken::child_with_deadline(root.as_ref(), Instant::ORIGIN));
    assert_eq!(child.cause(), Some(PULLED));
    assert!(!child.expire_due(Instant::ORIGIN));
    assert_eq!(child.cause(), Some(PULLED));
}

fn r6_nothing_is_left_behind() {
    static BELL: Bell = Bell::new();
    let root = pin!(HeldToken::new());
    for _ in 0..100 {
        let child = pin!(HeldToken::child_of(root.as_ref()));
        let mut wait = pin!(child.as_ref().cancelled_pinned());
        assert!(poll(wait.as_mut(), &BELL.waker()).is_pending());
    }
    assert_eq!(BELL.held(), 0, "a wait that is dropped takes its waker along");
    root.cancel();
    assert_eq!(BELL.woken(), 0);
}

static R7_PARENTS: [HeldToken<'static>; 3] = [const { HeldToken::new() }; 3];
static R7_LINKED: HeldToken<'static> = HeldToken::below(&R7_PARENTS[0]);
static R7_LINKS: [HeldCallback; 2] = [
    HeldCallback::new(&R7_PARENTS[1], |cause| _ = R7_LINKED.cancel_with(cause)),
    HeldCallback::new(&R7_PARENTS[2], |cause| _ = R7_LINKED.cancel_with(cause)),
];

fn r7_any_of_its_parents_with_that_ones_cause() {
    static BELL: Bell = Bell::new();
    R7_LINKS.iter().for_each(HeldCallback::register);
    let mut wait = pin!(R7_LINKED.cancelled());
    assert!(poll(wait.as_mut(), &BELL.waker()).is_pending());
    assert!(R7_PARENTS[2].cancel_with(PULLED));
    assert_eq!((R7_LINKED.cause(), BELL.woken()), (Some(PULLED), 1));
    assert_eq!(poll(wait, &BELL.waker()), Poll::Ready(PULLED));
    assert!(R7_PARENTS.iter().take(2).all(|other| !other.is_cancelled()), "never its other parents");
    assert!(R7_PARENTS[0].cancel_with(TOLD) && R7_PARENTS[1].cancel_with(TOLD));
    assert_eq!(R7_LINKED.cause(), Some(PULLED), "the first cause stays");
}

/// Builds a chain of so many, waits at its end, cancels its root, and drops all but the root from the end on, where that is soon done.
fn use_chain(depth: usize) {
    static BELL: Bell = Bell::new();
    let first = super::chain();
    let token = |place: usize| {
        assert!(place < DEEPEST);
        // SAFETY: within the chain; those up to `depth` have been written when they are asked for.
        unsafe { &*first.add(place) }
    };
    // SAFETY: within the chain, where nobody looks yet.
    unsafe { first.write(HeldToken::new()) };
    for place in 1..depth {
        // SAFETY: as above.
        unsafe { first.add(place).write(HeldToken::below(token(place - 1))) };
    }
    let (last, woken) = (token(depth - 1), BELL.woken());
    assert!(!last.is_cancelled());
    let mut wait = pin!(last.cancelled());
    assert!(poll(wait.as_mut(), &BELL.waker()).is_pending());
    assert!(token(0).cancel_with(TOLD));
    assert_eq!((last.cause(), BELL.woken()), (Some(TOLD), woken + 1));
    assert_eq!(poll(wait, &BELL.waker()), Poll::Ready(TOLD));
    // Each walks up to its root.
    for place in (1..depth).rev().take(100) {
        // SAFETY: it was written, and nobody is below it, or waits for it, any more.
        unsafe { first.add(place).drop_in_place() };
    }
}

fn r8_deep_in_bounded_stack() {
    super::in_bounded_stack(use_chain);
}

fn x5_a_forgotten_wait_harms_nobody() {
    static BELLS: [Bell; 2] = [const { Bell::new() }; 2];
    static ROOT: HeldToken<'static> = HeldToken::new();
    // The places stay, as what is pinned must; what is in them is never dropped.
    let mut forgotten = ManuallyDrop::new(ROOT.cancelled());
    // SAFETY: it stays where it is to the end of this function, where nothing can wake it any more.
    let place = unsafe { Pin::new_unchecked(&mut *forgotten) };
    assert!(poll(place, &BELLS[0].waker()).is_pending());
    // Here, as its place must be there when its token goes: what is declared later goes first.
    let mut lost;
    {
        let child = pin!(HeldToken::child_of(Pin::static_ref(&ROOT)));
        let leaf = pin!(HeldToken::child_of(child.as_ref()));
        lost = ManuallyDrop::new(leaf.as_ref().cancelled_pinned());
        // SAFETY: it stays where it is until its token goes, which takes it off.
        let place = unsafe { Pin::new_unchecked(&mut *lost) };
        assert!(poll(place, &BELLS[1].waker()).is_pending());
    }
    // Who waited for a token that has gone is on no list.
    ROOT.cancel();
    assert_eq!(BELLS.each_ref().map(Bell::woken), [1, 0]);
}

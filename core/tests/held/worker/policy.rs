//! What a policy adds: weights, submits that wait or have others make room, and slots that are kept.

use core::future::{Future, ready};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

use countermand_core::{
    Cause, Class, Discipline, HeldEnd, HeldEvicts, HeldJob, HeldPolicy, HeldToken, HeldUrgent, HeldWaits, HeldWeighted,
    Outcome, Phase, Priority, RejectReason, Shutdown, Step,
};
use portable_atomic::{AtomicU32, Ordering};

use super::super::rules::{Bell, after};
use super::super::{choosy, fair};
use super::{Captured, PULLED, SECOND, Seen, World, cancelled, completed, gated, outcome, stays, stuck, timed_out};

/// Nobody starves, and a submit may wait.
pub(crate) struct Fair;

impl HeldPolicy for Fair {
    type Order = HeldWeighted<1, 2, 4, 8>;
    type Full = HeldWaits;
}

/// One slot is kept for what is critical and one for what is high; the lowest makes room.
pub(crate) struct Choosy;

impl HeldPolicy for Choosy {
    type Order = HeldUrgent;
    type Full = HeldEvicts;
    const RESERVED: [u8; Priority::COUNT] = [0, 0, 1, 1];

    fn settled(end: HeldEnd) {
        let digit = match end.class {
            Class::Completed => 1,
            Class::Failed => 2,
            Class::Cancelled { cause: PULLED, started: true } => 3,
            Class::Cancelled { cause: Cause::REQUESTED, started: false } => 4,
            Class::TimedOut(Phase::Running) => 5,
            _ => 9,
        };
        // Whatever the others tell is of no interest: it stays in its number.
        TOLD.store(TOLD.load(Ordering::SeqCst) % 100_000 * 10 + digit, Ordering::SeqCst);
    }
}

/// What was told, a digit for each.
static TOLD: AtomicU32 = AtomicU32::new(0);

fn poll<F: Future + ?Sized>(future: Pin<&mut F>, bell: &'static Bell) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&bell.waker()))
}

static STARTED: AtomicU32 = AtomicU32::new(0);
static FIRST: AtomicU32 = AtomicU32::new(0);

pub(super) fn q3_nobody_starves() {
    let mut world = World::of(fair());
    for priority in Priority::ALL {
        STARTED.store(0, Ordering::SeqCst);
        FIRST.store(u32::MAX, Ordering::SeqCst);
        let job = async { FIRST.store(STARTED.load(Ordering::SeqCst), Ordering::SeqCst) };
        drop(world.submit(HeldJob::task(job).priority(priority)));
        let bound = Discipline::default().bound(priority).expect("it makes a promise");
        // A flood of what is more urgent and comes later.
        while FIRST.load(Ordering::SeqCst) == u32::MAX {
            let flood = || HeldJob::task(async { STARTED.fetch_add(1, Ordering::SeqCst) }).priority(Priority::Critical);
            while let Ok(handle) = world.worker.submit(flood(), world.now) {
                drop(handle);
            }
            assert_eq!(world.step(Waker::noop()), Step::Again);
            assert!(STARTED.load(Ordering::SeqCst) <= bound, "more than {bound} went before one of {priority}");
        }
        let before = FIRST.load(Ordering::SeqCst);
        assert_eq!(before == 0, priority == Priority::Critical, "{before} went before one of {priority}");
        world.run();
    }
}

pub(super) fn q4_a_free_slot_is_told_to_who_waits() {
    static SEEN: [Seen; 2] = [const { Seen::new() }; 2];
    static GATE: HeldToken<'static> = HeldToken::new();
    static BELLS: [Bell; 2] = [const { Bell::new() }; 2];
    let mut world = World::of(fair());
    let _lanes = world.fill_lanes(&SEEN[0], &GATE);
    let [mut one, two] = [(); 2].map(|()| world.submit(HeldJob::task(stuck(Captured(&SEEN[1])))));
    let mut waits = pin!(world.worker.submit_or_wait(HeldJob::task(ready(1)), world.now));
    assert!(poll(waits.as_mut(), &BELLS[0]).is_pending());
    one.cancel();
    world.run();
    world.step(&BELLS[1].waker());
    assert_eq!(BELLS[0].woken(), 0, "an outcome that was not read keeps its slot");
    assert_eq!(cancelled(&mut one), Some((Cause::REQUESTED, false)));
    assert_eq!(BELLS[1].woken(), 1, "who reads it rings the driver");
    world.run();
    assert_eq!(BELLS[0].woken(), 1, "no lane became free");
    let Poll::Ready(Ok(next)) = poll(waits, &BELLS[0]) else { panic!("a slot was promised") };
    // Of a job that nobody waits for, the slot is free at once.
    let mut waits = pin!(world.worker.submit_or_wait(HeldJob::task(ready(1)), world.now));
    assert!(poll(waits.as_mut(), &BELLS[0]).is_pending());
    two.cancel();
    drop(two);
    world.run();
    assert_eq!(BELLS[0].woken(), 2);
    let Poll::Ready(Ok(last)) = poll(waits, &BELLS[0]) else { panic!("a slot was promised") };
    GATE.cancel();
    world.run();
    assert_eq!([next, last].map(|mut job| completed(&mut job)), [Some(1); 2]);
    assert_eq!((world.worker.counts().accepted, world.worker.counts().rejected), (6, 0));
}

pub(super) fn q5_the_lowest_makes_room() {
    static SEEN: [Seen; 3] = [const { Seen::new() }; 3];
    static GATE: HeldToken<'static> = HeldToken::new();
    static BELL: Bell = Bell::new();
    let mut world = World::of(choosy());
    let worker = world.worker;
    let job = |seen, priority| HeldJob::task(gated(Captured(seen), &GATE)).priority(priority);
    let [one, mut two] = world.fill_lanes(&SEEN[0], &GATE);
    let mut victim = world.submit(job(&SEEN[1], Priority::High));
    let older = world.submit(job(&SEEN[0], Priority::Critical));
    let now = world.now;
    // What is not `Send` has others make room as well.
    let own = HeldJob::task(stays(gated(Captured(&SEEN[2]), &GATE))).priority(Priority::Critical);
    let mut waits = pin!(world.driver.local().submit_or_evict(own, now));
    assert!(poll(waits.as_mut(), &BELL).is_pending());
    assert!(world.worker.submit(job(&SEEN[0], Priority::Critical), world.now).is_err(), "nobody overtakes it");
    world.run();
    assert_eq!((cancelled(&mut victim), SEEN[1].counts()), (Some((Cause::EVICTED, false)), (0, 1)));
    world.run();
    assert_eq!(BELL.woken(), 1);
    let Poll::Ready(Ok(newcomer)) = poll(waits, &BELL) else { panic!("a slot was promised") };
    // Neither what runs makes room, nor what is as urgent.
    let urgent = worker.submit_or_evict(job(&SEEN[2], Priority::Critical), now);
    let Poll::Ready(Err(back)) = poll(pin!(urgent), &BELL) else { panic!("nothing less urgent is queued") };
    assert_eq!((back.reason, SEEN[2].counts().1), (RejectReason::Full, 0), "the job is whole");
    GATE.cancel();
    world.run();
    assert_eq!(completed(&mut two), Some(7));
    assert!([one, older, newcomer].iter().all(|job| job.is_finished()));
    drop(back);
    assert_eq!(world.worker.counts().cancelled, 1);
}

pub(super) fn q6_a_dropped_submit_loses_no_slot() {
    static SEEN: [Seen; 2] = [const { Seen::new() }; 2];
    static BELLS: [Bell; 2] = [const { Bell::new() }; 2];
    static DRIVER: Bell = Bell::new();
    let mut world = World::of(fair());
    let worker = world.worker;
    let mut jobs = [(); 4].map(|()| world.submit(HeldJob::task(ready(0))));
    let submit = |seen| worker.submit_or_wait(HeldJob::task(stuck(Captured(seen))), after(SECOND));
    let mut next =
        pin!(worker.submit_or_wait(HeldJob::task(stuck(Captured(&SEEN[1]))).queue_timeout(SECOND), world.now));
    {
        let mut granted = pin!(submit(&SEEN[0]));
        assert!(poll(granted.as_mut(), &BELLS[0]).is_pending() && poll(next.as_mut(), &BELLS[1]).is_pending());
        {
            // One that waits in the middle of the line goes without a trace.
            let mut between = pin!(submit(&SEEN[0]));
            assert!(poll(between.as_mut(), &BELLS[0]).is_pending());
        }
        world.run();
        assert_eq!(completed(&mut jobs[0]), Some(0));
        world.run();
        assert_eq!(BELLS.each_ref().map(Bell::woken), [1, 0], "the first is promised the slot");
        assert!(world.worker.submit(HeldJob::task(ready(0)), world.now).is_err());
        assert_eq!(world.worker.occupied(), 3);
        world.step(&DRIVER.waker());
    }
    assert_eq!((BELLS[1].woken(), DRIVER.woken()), (0, 1), "who gives a promise back rings the driver");
    world.run();
    assert_eq!(BELLS[1].woken(), 1, "it was dropped with its promise, and the next is woken");
    let Poll::Ready(Ok(mut next)) = poll(next, &BELLS[1]) else { panic!("a slot was promised") };
    assert_eq!(SEEN.each_ref().map(Seen::counts), [(0, 2), (0, 0)], "nothing of the dropped ones is accepted");
    assert_eq!(world.worker.counts().accepted, 5);
    // Its time in the queue counts from when it was submitted.
    world.now = after(SECOND);
    world.run();
    assert_eq!(timed_out(&mut next), Some(Phase::Queued));
    assert_eq!([BELLS[0].held(), BELLS[1].held()], [0, 0], "no waker is left");
}

pub(super) fn q8_slots_are_kept_for_the_urgent() {
    static SEEN: Seen = Seen::new();
    let world = World::of(choosy());
    let job = |priority| world.worker.submit(HeldJob::task(stuck(Captured(&SEEN))).priority(priority), world.now);
    let mut taken = 0;
    while let Ok(handle) = job(Priority::Low) {
        drop(handle);
        taken += 1;
    }
    assert_eq!(taken, 2);
    assert!(job(Priority::Normal).is_err());
    assert!(job(Priority::High).is_ok() && job(Priority::High).is_err());
    assert!(job(Priority::Critical).is_ok() && job(Priority::Critical).is_err());
}

pub(super) fn q9_served_in_order_of_arrival() {
    static BELLS: [Bell; 4] = [const { Bell::new() }; 4];
    static ORDER: AtomicU32 = AtomicU32::new(0);
    let mut world = World::of(fair());
    let worker = world.worker;
    let mut jobs = [(); 4].map(|()| world.submit(HeldJob::task(ready(9)).priority(Priority::Critical)));
    let submit = |priority| {
        let job = HeldJob::task(async { ORDER.fetch_add(1, Ordering::SeqCst) });
        worker.submit_or_wait(job.priority(priority), after(SECOND))
    };
    // What is not `Send` stands in the same line.
    let local = world.driver.local();
    let own =
        || local.submit_or_wait(HeldJob::task(stays(async { ORDER.fetch_add(1, Ordering::SeqCst) })), after(SECOND));
    let mut waits: [Pin<&mut dyn Future<Output = Option<_>>>; 4] = [
        pin!(async { submit(Priority::Normal).await.ok() }),
        pin!(async { own().await.ok() }),
        pin!(async { submit(Priority::Normal).await.ok() }),
        pin!(async { submit(Priority::High).await.ok() }),
    ];
    for (wait, bell) in waits.iter_mut().zip(&BELLS) {
        assert!(poll(wait.as_mut(), bell).is_pending());
    }
    world.run();
    // A spurious poll keeps its place.
    assert!(poll(waits[0].as_mut(), &BELLS[0]).is_pending());
    assert_eq!(completed(&mut jobs[0]), Some(9));
    let equal = HeldJob::task(ready(9)).priority(Priority::High);
    assert!(world.worker.submit(equal, world.now).is_err(), "the slot that has become free is theirs");
    for (turn, next) in (0..).zip([3, 0, 1, 2]) {
        world.run();
        let woken = BELLS.each_ref().map(Bell::woken);
        assert_eq!((woken.iter().sum::<u32>(), woken[next]), (turn + 1, 1), "one slot, one that is woken: {woken:?}");
        assert!(world.worker.submit(HeldJob::task(ready(9)), world.now).is_err(), "nobody overtakes who waits");
        let Poll::Ready(Some(mut handle)) = poll(waits[next].as_mut(), &BELLS[next]) else {
            panic!("a slot was promised")
        };
        world.run();
        assert_eq!(completed(&mut handle), Some(turn));
    }
    assert!(world.worker.submit(HeldJob::task(ready(9)), world.now).is_ok());
}

pub(super) fn e7_each_end_is_told_once() {
    static SEEN: Seen = Seen::new();
    TOLD.store(0, Ordering::SeqCst);
    let mut world = World::of(choosy());
    let stuck = || HeldJob::task(stuck(Captured(&SEEN)));
    // Detached: whether anybody reads the outcome makes no difference.
    // The more urgent ends first.
    drop(world.submit(HeldJob::task(ready(7)).priority(Priority::Low)));
    drop(world.submit(HeldJob::fallible(ready(Err::<(), u8>(7)))));
    world.run();
    let mut running = world.submit(stuck().priority(Priority::High));
    world.run();
    running.cancel_with(PULLED);
    let queued = world.submit(stuck().priority(Priority::High));
    queued.cancel();
    world.run();
    let late = world.submit(stuck().priority(Priority::High).run_timeout(SECOND));
    world.run();
    world.run_at(SECOND);
    world.worker.shutdown(Shutdown::Abort, world.now);
    assert_eq!(world.run(), Step::Closed);
    assert_eq!(TOLD.load(Ordering::SeqCst), 21_345, "each once, as it ended");
    // To read an outcome, and to drop a handle, tells nothing more.
    assert!(cancelled(&mut running).is_some());
    drop((queued, late));
    assert_eq!((TOLD.load(Ordering::SeqCst), world.worker.counts().accepted), (21_345, 5));
}

pub(super) fn s3_who_waits_is_told() {
    who_waits_is_told(|mut world| {
        world.worker.shutdown(Shutdown::Abort, world.now);
        assert_eq!(world.run(), Step::Closed);
    });
}

pub(super) fn s6_who_waits_is_told_that_it_has_gone() {
    who_waits_is_told(drop);
}

/// One waits, another was promised a slot, and then it ends.
fn who_waits_is_told(end: fn(World<Fair>)) {
    static SEEN: Seen = Seen::new();
    static BELLS: [Bell; 2] = [const { Bell::new() }; 2];
    let (dropped, woken) = (SEEN.counts().1, BELLS.each_ref().map(Bell::woken));
    let mut world = World::of(fair());
    let worker = world.worker;
    let mut jobs = [(); 4].map(|()| world.submit(HeldJob::task(ready(0))));
    let submit = || worker.submit_or_wait(HeldJob::task(stuck(Captured(&SEEN))), after(SECOND));
    let (mut granted, mut waits) = (pin!(submit()), pin!(submit()));
    assert!(poll(granted.as_mut(), &BELLS[0]).is_pending() && poll(waits.as_mut(), &BELLS[1]).is_pending());
    world.run();
    assert_eq!(completed(&mut jobs[0]), Some(0));
    world.run();
    end(world);
    assert_eq!(BELLS.each_ref().map(Bell::woken), woken.map(|before| before + 1));
    for (wait, bell) in [granted, waits].into_iter().zip(&BELLS) {
        let Poll::Ready(Err(back)) = poll(wait, bell) else { panic!("it is closed") };
        assert_eq!(back.reason, RejectReason::Closed);
    }
    // Also one that comes later.
    assert!(matches!(poll(pin!(submit()), &BELLS[0]), Poll::Ready(Err(back)) if back.reason == RejectReason::Closed));
    assert_eq!((worker.counts().accepted, worker.counts().rejected), (4, 3));
    assert!(jobs.iter_mut().skip(1).all(|job| matches!(outcome(job), Some(Outcome::Completed(0)))));
    assert_eq!(SEEN.counts(), (0, dropped + 3), "all of them came back whole");
}

//! Who goes first, and what becomes of a job that has no slot.

use core::future::ready;
use core::task::Waker;

use countermand_core::{Cause, HeldJob, HeldToken, Outcome, Phase, Priority, RejectReason, Step};
use portable_atomic::{AtomicU32, Ordering};

use super::super::rules::after;
use super::{Captured, SECOND, Seen, World, cancelled, completed, gated, outcome, stays, stuck, timed_out};

pub(super) fn q1_never_more_than_there_are() {
    static SEEN: Seen = Seen::new();
    static LATER: Seen = Seen::new();
    static GATE: HeldToken<'static> = HeldToken::new();
    let mut world = World::new();
    let [one, two] = world.fill_lanes(&SEEN, &GATE);
    let [three, four] = [(); 2].map(|()| world.submit(HeldJob::task(gated(Captured(&LATER), &GATE))));
    world.run();
    assert_eq!((SEEN.counts().0, LATER.counts().0), (2, 0), "two lanes, two jobs polled");
    assert_eq!(world.worker.occupied(), 4);
    assert!(world.worker.submit(HeldJob::task(ready(0)), world.now).is_err(), "four slots, four jobs");
    GATE.cancel();
    world.run();
    for mut job in [one, two, three, four] {
        assert_eq!(completed(&mut job), Some(7));
    }
    assert_eq!(world.worker.occupied(), 0);
}

pub(super) fn q2_urgent_first_then_in_order() {
    static TURN: AtomicU32 = AtomicU32::new(0);
    let mut world = World::new();
    let job = |priority| HeldJob::task(async { TURN.fetch_add(1, Ordering::SeqCst) }).priority(priority);
    let mut first = world.submit(job(Priority::Normal));
    let gone = world.submit(job(Priority::Normal));
    let mut second = world.submit(job(Priority::Normal));
    let mut urgent = world.submit(job(Priority::High));
    // Removed from the middle: the order of the others stays.
    gone.cancel();
    world.step(Waker::noop());
    drop(gone);
    // What is not `Send` stands in the same row.
    let last = HeldJob::task(stays(async { TURN.fetch_add(1, Ordering::SeqCst) }));
    let mut last = world.driver.local().submit(last, world.now).expect("there is a slot");
    world.run();
    let turns = [&mut urgent, &mut first, &mut second, &mut last].map(completed);
    assert_eq!(turns, [Some(0), Some(1), Some(2), Some(3)]);
}

pub(super) fn q4_a_cancelled_queued_job_goes_at_once() {
    static SEEN: [Seen; 2] = [const { Seen::new() }; 2];
    static GATE: HeldToken<'static> = HeldToken::new();
    let mut world = World::new();
    let _lanes = world.fill_lanes(&SEEN[0], &GATE);
    let mut queued = world.submit(HeldJob::task(stuck(Captured(&SEEN[1]))));
    world.run();
    queued.cancel();
    world.run();
    assert_eq!(cancelled(&mut queued), Some((Cause::REQUESTED, false)), "no lane became free");
    assert_eq!((SEEN[1].counts(), world.worker.occupied()), ((0, 1), 2));
}

pub(super) fn q5_a_full_pool_gives_the_job_back() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    let mut jobs = [(); 4].map(|()| world.submit(HeldJob::task(stuck(Captured(&SEEN)))));
    let urgent = HeldJob::fallible(async { Err::<u8, _>(Captured(&SEEN)) }).priority(Priority::Critical);
    let back = world.worker.submit(urgent, world.now).expect_err("it is full");
    assert_eq!(back.reason, RejectReason::Full);
    assert_eq!(SEEN.counts().1, 0, "the job is whole");
    jobs[0].cancel();
    world.run();
    assert!(
        world.worker.submit(HeldJob::task(ready(0)), world.now).is_err(),
        "an outcome that was not read keeps its slot"
    );
    assert!(cancelled(&mut jobs[0]).is_some());
    let mut again = world.submit(back.job);
    jobs[1].cancel();
    world.run();
    assert!(matches!(outcome(&mut again), Some(Outcome::Failed(Captured(_)))));
    assert_eq!(world.worker.counts().rejected, 2);
}

pub(super) fn q7_queue_timeout_without_a_lane() {
    static SEEN: [Seen; 2] = [const { Seen::new() }; 2];
    static GATE: HeldToken<'static> = HeldToken::new();
    let mut world = World::new();
    let _lanes = world.fill_lanes(&SEEN[0], &GATE);
    let mut queued = world.submit(HeldJob::task(stuck(Captured(&SEEN[1]))).queue_timeout(SECOND));
    assert_eq!(world.run(), Step::Parked(Some(after(SECOND))));
    world.run_at(SECOND);
    assert_eq!(timed_out(&mut queued), Some(Phase::Queued));
    assert_eq!(SEEN[1].counts(), (0, 1));
}

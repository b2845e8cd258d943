//! When a job is due, by the clock that is given.

use core::future::ready;
use core::time::Duration;

use countermand_core::{HeldJob, HeldToken, Instant, Phase, Priority, Step};

use super::super::rules::after;
use super::{Captured, PULLED, SECOND, Seen, World, cancelled, completed, outcome, stuck, timed_out};

pub(super) fn d2_due_without_an_alarm() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    let mut job = world.submit(HeldJob::task(stuck(Captured(&SEEN))).run_timeout(SECOND));
    assert_eq!(world.run(), Step::Parked(Some(after(SECOND))), "the driver says when it must be stepped");
    // Nobody woke it, and the step comes late.
    world.run_at(SECOND * 5);
    assert_eq!(timed_out(&mut job), Some(Phase::Running));
    assert_eq!(SEEN.counts(), (1, 1));
}

pub(super) fn d3_due_is_exact() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    let mut job = world.submit(HeldJob::task(stuck(Captured(&SEEN))).deadline(after(SECOND)));
    world.run_at(SECOND - Duration::from_nanos(1));
    assert!(outcome(&mut job).is_none(), "a nanosecond early");
    world.run_at(SECOND);
    assert_eq!(timed_out(&mut job), Some(Phase::Running));
}

pub(super) fn d4_due_is_never_polled() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    world.run_at(SECOND);
    let mut past = world.submit(HeldJob::task(stuck(Captured(&SEEN))).deadline(after(SECOND)));
    let mut none = world.submit(HeldJob::task(stuck(Captured(&SEEN))).run_timeout(Duration::ZERO));
    world.run();
    assert_eq!(SEEN.counts(), (0, 2), "neither was polled, both were dropped");
    assert_eq!((timed_out(&mut past), timed_out(&mut none)), (Some(Phase::Queued), Some(Phase::Queued)));
}

pub(super) fn d5_each_limit_from_its_own_beginning() {
    static SEEN: Seen = Seen::new();
    static GATE: HeldToken<'static> = HeldToken::new();
    let mut world = World::new();
    let _lanes = world.fill_lanes(&SEEN, &GATE);
    world.run_at(SECOND * 10);
    // From its submit; what is over when it starts says nothing of the time in its lane.
    let mut queued = world.submit(HeldJob::task(stuck(Captured(&SEEN))).queue_timeout(SECOND * 3));
    let mut running = world.submit(HeldJob::task(stuck(Captured(&SEEN))).run_timeout(SECOND * 3));
    world.run_at(SECOND * 12);
    assert!(outcome(&mut queued).is_none());
    GATE.cancel();
    world.run();
    world.run_at(SECOND * 15 - Duration::from_nanos(1));
    assert!(outcome(&mut queued).is_none(), "it started in time");
    assert!(outcome(&mut running).is_none(), "its time began at its first poll");
    world.run_at(SECOND * 15);
    assert_eq!(timed_out(&mut running), Some(Phase::Running));
    assert!(outcome(&mut queued).is_none());
}

pub(super) fn d5_limits_of_both_kinds_in_any_order() {
    static SEEN: Seen = Seen::new();
    static GATE: HeldToken<'static> = HeldToken::new();
    let mut world = World::new();
    let lanes = world.fill_lanes(&SEEN, &GATE);
    world.run_at(SECOND * 10);
    let job = || HeldJob::task(stuck(Captured(&SEEN))).grace(Duration::ZERO);
    let mut one = world.submit(job().queue_timeout(SECOND * 3).run_timeout(SECOND * 4).deadline(after(SECOND * 20)));
    let mut two = world.submit(job().run_timeout(SECOND * 4).queue_timeout(SECOND * 3).run_timeout(SECOND * 9));
    // What comes back keeps its limits, and they begin when it comes again.
    let back = world.worker.submit(job().queue_timeout(SECOND * 3).queue_timeout(SECOND * 9), world.now);
    let back = back.expect_err("there is no slot").job;
    world.run_at(SECOND * 12);
    GATE.cancel();
    world.run();
    drop(lanes);
    let mut again = world.submit(back);
    world.run_at(SECOND * 15 - Duration::from_nanos(1));
    assert!(outcome(&mut again).is_none());
    world.run_at(SECOND * 15);
    assert_eq!(timed_out(&mut again), Some(Phase::Queued), "the shorter counts");
    world.run_at(SECOND * 16 - Duration::from_nanos(1));
    assert!(outcome(&mut one).is_none() && outcome(&mut two).is_none(), "they started in time");
    world.run_at(SECOND * 16);
    assert_eq!([timed_out(&mut one), timed_out(&mut two)], [Some(Phase::Running); 2]);
    // Of a deadline and a limit the earlier counts, whichever was said first.
    let mut early = world.submit(job().deadline(after(SECOND * 18)).run_timeout(SECOND * 4).queue_timeout(SECOND));
    let mut short = world.submit(job().queue_timeout(SECOND).run_timeout(SECOND).deadline(after(SECOND * 18)));
    world.run();
    world.run_at(SECOND * 17);
    assert_eq!((outcome(&mut early).is_none(), timed_out(&mut short)), (true, Some(Phase::Running)));
    world.run_at(SECOND * 18);
    assert_eq!(timed_out(&mut early), Some(Phase::Running));
}

pub(super) fn d6_the_cause_decides() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    let mut job = world.submit(HeldJob::task(stuck(Captured(&SEEN))).run_timeout(SECOND));
    world.run();
    assert!(job.cancel_with(PULLED));
    // Its deadline has passed when it is dropped.
    world.run_at(SECOND * 2);
    assert_eq!(cancelled(&mut job), Some((PULLED, true)));
    let mut late = world.submit(HeldJob::task(stuck(Captured(&SEEN))).deadline(after(SECOND * 3)));
    world.run();
    world.run_at(SECOND * 3);
    assert!(!late.cancel(), "it was due before");
    assert_eq!(timed_out(&mut late), Some(Phase::Running));
}

pub(super) fn d7_a_slot_has_no_memory() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    let mut short = world.submit(HeldJob::task(ready(1)).run_timeout(SECOND).queue_timeout(SECOND));
    world.run();
    assert_eq!(completed(&mut short), Some(1));
    let mut next = world.submit(HeldJob::task(stuck(Captured(&SEEN))));
    assert_eq!(world.run(), Step::Parked(None), "the times of the last job in this slot are gone");
    world.run_at(SECOND * 2);
    assert!(outcome(&mut next).is_none());
}

pub(super) fn d8_beyond_the_clock_is_none() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    world.run_at(SECOND);
    let end = Instant::from_nanos(u64::MAX);
    let job = |seen| HeldJob::task(stuck(Captured(seen)));
    let mut jobs = [
        world.submit(job(&SEEN).run_timeout(Duration::MAX).queue_timeout(Duration::MAX)),
        world.submit(job(&SEEN).run_timeout(Duration::from_nanos(u64::MAX - 1)).deadline(end)),
    ];
    let sleeps = world.worker;
    let mut asleep = world.submit(HeldJob::task(async move { sleeps.sleep(Duration::MAX).await }));
    assert_eq!(world.run(), Step::Parked(None), "there is nothing to wait for");
    world.now = end;
    world.run();
    assert!(jobs.iter_mut().all(|job| outcome(job).is_none()) && outcome(&mut asleep).is_none());
}

pub(super) fn c4_four_hundred_days() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    let worker = world.worker;
    let mut distant =
        world.submit(HeldJob::task(stuck(Captured(&SEEN))).run_timeout(DAY * 401).priority(Priority::High));
    world.run();
    for place in [Duration::from_micros(1 << 32), Duration::from_millis(1 << 32), DAY * 400] {
        world.run_at(place - SECOND);
        let mut late =
            world.submit(HeldJob::task(async move { worker.sleep(SECOND * 3).await }).run_timeout(SECOND * 2));
        assert_eq!(world.run(), Step::Parked(Some(after(place + SECOND))), "over {place:?}");
        world.run_at(place + SECOND - Duration::from_nanos(1));
        assert!(outcome(&mut late).is_none());
        world.run_at(place + SECOND);
        assert_eq!(timed_out(&mut late), Some(Phase::Running));
        let mut nap = world.submit(HeldJob::task(async move { worker.sleep(SECOND).await }));
        world.run();
        world.run_at(place + SECOND * 2);
        assert_eq!(completed(&mut nap), Some(()));
        assert!(outcome(&mut distant).is_none());
    }
    world.run_at(DAY * 401);
    assert_eq!(timed_out(&mut distant), Some(Phase::Running));
}

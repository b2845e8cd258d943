//! How it ends, and what its counts say.

use core::future::{Future, ready};
use core::pin::Pin;
use core::task::Context;

use countermand_core::{Cause, HeldJob, HeldToken, Instant, RejectReason, Shutdown, Step};

use super::super::rules::{Bell, after};
use super::{Captured, SECOND, Seen, World, cancelled, completed, gated, stuck};

pub(super) fn s1_closed() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    world.worker.shutdown(Shutdown::Drain, world.now);
    let back = world.worker.submit(HeldJob::task(stuck(Captured(&SEEN))), world.now).expect_err("it is closed");
    assert_eq!((back.reason, SEEN.counts()), (RejectReason::Closed, (0, 0)));
    drop(back);
    assert_eq!(world.run(), Step::Closed);
    assert!(world.worker.submit(HeldJob::task(ready(0)), world.now).is_err(), "also when it is over");
}

pub(super) fn s2_drain() {
    static SEEN: Seen = Seen::new();
    static GATE: HeldToken<'static> = HeldToken::new();
    let mut world = World::new();
    let [mut one, _two] = world.fill_lanes(&SEEN, &GATE);
    let mut queued = world.submit(HeldJob::task(gated(Captured(&SEEN), &GATE)));
    world.worker.shutdown(Shutdown::Drain, world.now);
    assert_eq!(world.run(), Step::Parked(None), "it waits for its jobs");
    GATE.cancel();
    assert_eq!(world.run(), Step::Closed);
    assert_eq!(SEEN.counts().1, 3, "after the last destructor");
    assert_eq!((completed(&mut one), completed(&mut queued)), (Some(7), Some(7)));
}

pub(super) fn s3_abort() {
    static SEEN: Seen = Seen::new();
    static GATE: HeldToken<'static> = HeldToken::new();
    let mut world = World::new();
    let [mut one, mut two] = world.fill_lanes(&SEEN, &GATE);
    let mut queued = world.submit(HeldJob::task(gated(Captured(&SEEN), &GATE)));
    world.worker.shutdown(Shutdown::Abort, world.now);
    assert_eq!(world.run(), Step::Closed);
    assert_eq!(SEEN.counts(), (2, 3));
    assert_eq!(cancelled(&mut queued), Some((Cause::SHUTDOWN, false)));
    assert_eq!([&mut one, &mut two].map(cancelled), [Some((Cause::SHUTDOWN, true)); 2]);
}

pub(super) fn s4_drain_with_a_limit() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    let mut job = world.submit(HeldJob::task(stuck(Captured(&SEEN))));
    world.run();
    world.worker.shutdown(Shutdown::DrainFor(SECOND), world.now);
    assert_eq!(world.run(), Step::Parked(Some(after(SECOND))));
    assert_eq!(world.run_at(SECOND), Step::Closed);
    assert_eq!(cancelled(&mut job), Some((Cause::SHUTDOWN, true)));
    assert_eq!(world.worker.counts().cancelled, 1, "the counts say what was cut off");
}

pub(super) fn s5_never_relaxes() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    let mut job = world.submit(HeldJob::task(stuck(Captured(&SEEN))));
    world.run();
    world.worker.shutdown(Shutdown::Drain, world.now);
    world.worker.shutdown(Shutdown::DrainFor(SECOND), world.now);
    world.worker.shutdown(Shutdown::Drain, world.now);
    assert_eq!(world.run(), Step::Parked(Some(after(SECOND))), "the limit stays");
    world.worker.shutdown(Shutdown::Abort, world.now);
    world.worker.shutdown(Shutdown::Drain, world.now);
    assert_eq!(world.run(), Step::Closed);
    world.worker.shutdown(Shutdown::Abort, world.now);
    assert_eq!(world.run(), Step::Closed);
    assert_eq!(cancelled(&mut job), Some((Cause::SHUTDOWN, true)));
}

pub(super) fn s6_a_driver_that_goes() {
    static BELL: Bell = Bell::new();
    static SEEN: Seen = Seen::new();
    static GATE: HeldToken<'static> = HeldToken::new();
    let mut world = World::new();
    let [mut one, mut two] = world.fill_lanes(&SEEN, &GATE);
    let mut queued = world.submit(HeldJob::task(gated(Captured(&SEEN), &GATE)));
    assert!(Pin::new(&mut one).poll(&mut Context::from_waker(&BELL.waker())).is_pending());
    let worker = world.worker;
    drop(world);
    assert_eq!((BELL.woken(), SEEN.counts()), (1, (2, 3)));
    assert_eq!([&mut one, &mut two].map(cancelled), [Some((Cause::SHUTDOWN, true)); 2]);
    assert_eq!(cancelled(&mut queued), Some((Cause::SHUTDOWN, false)));
    assert!(worker.submit(HeldJob::task(ready(0)), Instant::ORIGIN).is_err() && worker.attend().is_none());
}

pub(super) fn s7_the_counts_add_up() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    for round in 0..8 {
        let done = world.submit(HeldJob::task(ready(round)));
        let failed = world.submit(HeldJob::fallible(ready(Err::<(), _>(round))));
        let stopped = world.submit(HeldJob::task(stuck(Captured(&SEEN))));
        let late = world.submit(HeldJob::task(stuck(Captured(&SEEN))).deadline(world.now));
        assert!(world.worker.submit(HeldJob::task(ready(0)), world.now).is_err());
        stopped.cancel();
        world.run();
        drop((done, failed, stopped, late));
    }
    world.worker.shutdown(Shutdown::Drain, world.now);
    world.run();
    let counts = world.worker.counts();
    let sums = [counts.completed, counts.failed, counts.cancelled, counts.timed_out, counts.panicked];
    assert_eq!((counts.accepted, counts.rejected, sums), (32, 8, [8, 8, 8, 8, 0]));
}

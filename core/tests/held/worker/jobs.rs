//! How a job settles, and who asked it to stop.

use core::convert::Infallible;
use core::future::{Future, ready};
use core::pin::{Pin, pin};
use core::ptr;
use core::task::{Context, RawWaker, RawWakerVTable, Waker};

use countermand_core::priority_queue::PriorityQueue;
use countermand_core::{Cause, Fixed, HeldHandle, HeldJob, HeldToken, Instant, Outcome, Priority, Shutdown, Step};
use portable_atomic::{AtomicU32, Ordering};

use super::super::rules::{Bell, after};
use super::{Captured, PULLED, SECOND, Seen, World, cancelled, completed, gated, outcome, stuck};

pub(super) fn j1_settles_once() {
    let mut world = World::new();
    let mut job = world.submit(HeldJob::task(ready(7)).deadline(after(SECOND)));
    world.run();
    assert!(!job.cancel(), "it has settled");
    world.run_at(SECOND * 2);
    world.worker.shutdown(Shutdown::Abort, world.now);
    world.run();
    assert_eq!(completed(&mut job), Some(7));
    let counts = world.worker.counts();
    assert_eq!((counts.accepted, counts.completed, counts.cancelled, counts.timed_out), (1, 1, 0, 0));
}

pub(super) fn j2_never_polled() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    let mut job = world.submit(HeldJob::task(stuck(Captured(&SEEN))));
    assert!(job.cancel_with(PULLED));
    world.run();
    assert_eq!(SEEN.counts(), (0, 1));
    assert_eq!(cancelled(&mut job), Some((PULLED, false)));
}

/// The handle of the job that is cancelled in its own poll.
static J3_OWN: PriorityQueue<HeldHandle<u32, Infallible>, Fixed<1>> = PriorityQueue::new();

pub(super) fn j3_a_value_wins() {
    let mut world = World::new();
    let job = world.submit(HeldJob::task(async {
        let own = J3_OWN.try_recv().expect("it was put there");
        assert!(own.cancel_with(PULLED), "in the poll that returns");
        drop(J3_OWN.try_send(own, Priority::Normal));
        7
    }));
    assert!(J3_OWN.try_send(job, Priority::Normal).is_ok());
    world.run();
    let mut job = J3_OWN.try_recv().expect("it was put back");
    assert_eq!(completed(&mut job), Some(7), "the request came in the poll that returned");
    // So it is with the end of the worker.
    let worker = world.worker;
    let mut last = world.submit(HeldJob::task(async move {
        worker.shutdown(Shutdown::Abort, Instant::ORIGIN);
        7
    }));
    let mut other = world.submit(HeldJob::fallible(ready(Err::<(), u8>(3))));
    assert_eq!(world.run(), Step::Closed);
    assert_eq!(completed(&mut last), Some(7));
    assert_eq!(cancelled(&mut other), Some((Cause::SHUTDOWN, false)));
}

pub(super) fn j4_not_polled_after_request() {
    static SEEN: [Seen; 2] = [const { Seen::new() }; 2];
    let mut world = World::new();
    let mut outside = world.submit(HeldJob::task(stuck(Captured(&SEEN[0]))));
    world.run();
    assert!(outside.cancel());
    world.run();
    assert_eq!(SEEN[0].counts(), (1, 1));
    assert_eq!(cancelled(&mut outside), Some((Cause::REQUESTED, true)));
    // The request comes in the poll: the next step drops it.
    let worker = world.worker;
    let mut inside = world.submit(HeldJob::task(async move {
        worker.shutdown(Shutdown::Abort, Instant::ORIGIN);
        stuck(Captured(&SEEN[1])).await
    }));
    world.step(Waker::noop());
    world.step(Waker::noop());
    assert_eq!(SEEN[1].counts(), (1, 1));
    assert_eq!(cancelled(&mut inside), Some((Cause::SHUTDOWN, true)));
}

pub(super) fn j6_cancel_says_who_was_first() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    let mut job = world.submit(HeldJob::task(stuck(Captured(&SEEN))));
    world.run();
    assert!(job.cancel_with(PULLED));
    assert!(!job.cancel() && !job.cancel_with(Cause::EVICTED), "the second is not first");
    world.run();
    assert!(!job.cancel());
    assert_eq!(cancelled(&mut job), Some((PULLED, true)));
    assert!(!job.cancel(), "also when the outcome was taken, and the slot is another's");
}

static J7_SEEN: Seen = Seen::new();
static J7_DROPS: AtomicU32 = AtomicU32::new(9);

pub(super) fn j7_dropped_before_it_is_told() {
    fn look(_: *const ()) {
        J7_DROPS.store(J7_SEEN.counts().1, Ordering::SeqCst);
    }
    static LOOKS: RawWakerVTable = RawWakerVTable::new(|data| RawWaker::new(data, &LOOKS), look, look, |_| {});
    // SAFETY: its functions look at statics alone.
    let waker = unsafe { Waker::from_raw(RawWaker::new(ptr::null(), &LOOKS)) };
    let mut world = World::new();
    let mut job = world.submit(HeldJob::task(stuck(Captured(&J7_SEEN))));
    world.run();
    assert!(Pin::new(&mut job).poll(&mut Context::from_waker(&waker)).is_pending());
    job.cancel();
    while !job.is_finished() {
        assert_eq!(J7_SEEN.counts().1, 0);
        world.step(Waker::noop());
    }
    assert_eq!(J7_DROPS.load(Ordering::SeqCst), 1, "who waits is woken when all that it captured was dropped");
    assert!(outcome(&mut job).is_some());
    assert_eq!(world.worker.occupied(), 0);
}

pub(super) fn j8_waiting_never_panics() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    let mut failed = world.submit(HeldJob::fallible(ready(Err::<u8, u32>(3))));
    let mut cut = world.submit(HeldJob::task(stuck(Captured(&SEEN))));
    world.run();
    assert!(matches!(outcome(&mut failed), Some(Outcome::Failed(3))));
    assert!(outcome(&mut failed).is_none(), "it was taken, and is pending for ever");
    drop(world);
    assert_eq!(cancelled(&mut cut), Some((Cause::SHUTDOWN, true)));
    assert!(outcome(&mut cut).is_none());
}

pub(super) fn j10_a_dropped_wait_loses_nothing() {
    static BELLS: [Bell; 2] = [const { Bell::new() }; 2];
    static SEEN: Seen = Seen::new();
    static GATE: HeldToken<'static> = HeldToken::new();
    let mut world = World::new();
    let mut job = world.submit(HeldJob::task(gated(Captured(&SEEN), &GATE)));
    world.run();
    for bell in &BELLS {
        let mut wait = pin!(&mut job);
        assert!(wait.as_mut().poll(&mut Context::from_waker(&bell.waker())).is_pending());
    }
    GATE.cancel();
    world.run();
    assert_eq!((BELLS[0].woken(), BELLS[1].woken()), (0, 1), "the last that waited is woken");
    assert_eq!(completed(&mut job), Some(7));
    drop(job);
    assert_eq!((BELLS[0].held(), BELLS[1].held()), (0, 0), "no waker is left");
}

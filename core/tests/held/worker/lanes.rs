//! Turns, wakes and rest.

use core::future::poll_fn;
use core::ptr;
use core::task::{Poll, RawWaker, RawWakerVTable, Waker};

use countermand_core::{HeldJob, HeldToken, Shutdown, Step};
use portable_atomic::{AtomicBool, AtomicU32, Ordering};

use super::super::rules::{Bell, after};
use super::{Captured, SECOND, Seen, World, completed, gated, stuck};

static L1_INSIDE: AtomicU32 = AtomicU32::new(0);
static L1_POLLS: AtomicU32 = AtomicU32::new(0);

pub(super) fn l1_one_poll_at_a_time() {
    let mut world = World::new();
    let worker = world.worker;
    let jobs = [(); 4].map(|()| {
        let mut polls = 0;
        world.submit(HeldJob::task(poll_fn(move |cx| {
            assert_eq!(L1_INSIDE.fetch_add(1, Ordering::SeqCst), 0, "one driver, one poll at a time");
            assert!(worker.attend().is_none(), "nobody else drives it meanwhile");
            cx.waker().wake_by_ref();
            polls += 1;
            L1_POLLS.fetch_add(1, Ordering::SeqCst);
            L1_INSIDE.fetch_sub(1, Ordering::SeqCst);
            if polls < 5 { Poll::Pending } else { Poll::Ready(polls) }
        })))
    });
    for step in 1..=20 {
        assert_eq!(world.step(Waker::noop()), Step::Again);
        assert!(L1_POLLS.load(Ordering::SeqCst) <= step, "one poll a step");
    }
    world.run();
    assert_eq!(jobs.map(|mut job| completed(&mut job)), [Some(5); 4]);
    assert_eq!(L1_POLLS.load(Ordering::SeqCst), 20);
}

pub(super) fn l2_a_busy_job_keeps_nobody_from_its_turn() {
    static POLLS: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];
    let mut world = World::new();
    let busy = |index: usize| {
        poll_fn(move |cx| {
            POLLS[index].fetch_add(1, Ordering::SeqCst);
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        })
    };
    let _jobs = [0, 1].map(|index| world.submit(HeldJob::task(busy(index))));
    for _ in 0..100 {
        assert_eq!(world.step(Waker::noop()), Step::Again);
        let [one, other] = [0, 1].map(|index: usize| POLLS[index].load(Ordering::SeqCst));
        assert!(one.abs_diff(other) <= 2, "{one} polls beside {other}");
    }
}

pub(super) fn l4_idle_costs_nothing() {
    static SEEN: Seen = Seen::new();
    static BELL: Bell = Bell::new();
    let mut world = World::new();
    let _job = world.submit(HeldJob::task(stuck(Captured(&SEEN))));
    world.run();
    for hour in 0..10 {
        world.now = after(SECOND * 3_600 * hour);
        assert_eq!(world.step(&BELL.waker()), Step::Parked(None));
    }
    assert_eq!((BELL.woken(), SEEN.counts().0), (0, 1));
}

static L5_GATE: HeldToken<'static> = HeldToken::new();
static L5_ARMED: AtomicBool = AtomicBool::new(false);

pub(super) fn l5_no_wake_is_lost() {
    // The gate opens when the driver has found nothing to do, and is about to leave its waker.
    fn clone(data: *const ()) -> RawWaker {
        if L5_ARMED.swap(false, Ordering::SeqCst) {
            L5_GATE.cancel();
        }
        RawWaker::new(data, &OPENS)
    }
    static OPENS: RawWakerVTable = RawWakerVTable::new(clone, |_| {}, |_| {}, |_| {});
    // SAFETY: its functions use statics alone.
    let waker = unsafe { Waker::from_raw(RawWaker::new(ptr::null(), &OPENS)) };
    static SEEN: Seen = Seen::new();
    static BELL: Bell = Bell::new();
    let mut world = World::new();
    let mut job = world.submit(HeldJob::task(gated(Captured(&SEEN), &L5_GATE)));
    world.run();
    L5_ARMED.store(true, Ordering::SeqCst);
    assert_eq!(world.step(&waker), Step::Again, "it was rung before it parked");
    world.run();
    assert_eq!(completed(&mut job), Some(7));
    // One that is parked is woken, once: by a job, and by a wake that is late.
    world.step(&BELL.waker());
    let _next = world.submit(HeldJob::task(stuck(Captured(&SEEN))));
    world.worker.shutdown(Shutdown::Drain, world.now);
    assert_eq!(BELL.woken(), 1);
}

pub(super) fn l6_all_finish_by_themselves() {
    static BELL: Bell = Bell::new();
    let mut world = World::new();
    let worker = world.worker;
    let mut handles = [1, 2, 3, 4].map(|nap| {
        world.submit(HeldJob::task(async move {
            worker.sleep(SECOND * nap).await;
            worker.sleep_until(after(SECOND * nap)).await;
            nap
        }))
    });
    // Woken, or at the time that it said, and at no other.
    while handles.iter().any(|handle| !handle.is_finished()) {
        match world.step(&BELL.waker()) {
            Step::Again => {}
            Step::Parked(Some(at)) => world.now = at,
            other => panic!("it waits for nothing, with jobs to finish: {other:?}"),
        }
    }
    assert_eq!(handles.each_mut().map(completed), [Some(1), Some(2), Some(3), Some(4)]);
    assert_eq!(world.now, after(SECOND * 6), "two and four in one lane's time, or one and three, then four");
}

//! A job that was asked to stop: its grace, and the tokens that it is under.

use core::task::Waker;

use countermand_core::{Cause, HeldJob, HeldToken, Instant, Phase, Shutdown, Step};
use portable_atomic::{AtomicU32, Ordering};

use super::super::rules::{Bell, after};
use super::{Captured, PULLED, SECOND, Seen, World, cancelled, completed, gated, stuck, timed_out};

pub(super) fn j5_polled_while_there_is_grace() {
    static SEEN: [Seen; 3] = [const { Seen::new() }; 3];
    let mut world = World::new();
    let closes = |seen: &'static Seen, seconds: u32| {
        let captured = Captured(seen);
        HeldJob::task_with(move |context| async move {
            let _captured = captured;
            let cause = context.cancelled().await;
            context.sleep(SECOND * seconds).await;
            (cause, context.now())
        })
        .grace(SECOND * 2)
    };
    let mut well = world.submit(closes(&SEEN[0], 1));
    let mut late = world.submit(closes(&SEEN[1], 3));
    let mut queued = world.submit(closes(&SEEN[2], 1));
    world.run_at(SECOND * 10);
    for job in [&well, &late, &queued] {
        assert!(job.cancel_with(PULLED));
    }
    assert_eq!(world.run(), Step::Parked(Some(after(SECOND * 11))), "both go on, until the first has slept");
    assert_eq!(cancelled(&mut queued), Some((PULLED, false)), "what has not begun has no grace");
    world.run_at(SECOND * 11);
    assert_eq!(completed(&mut well), Some((PULLED, after(SECOND * 11))), "returned within its grace");
    assert_eq!(world.run_at(SECOND * 12 - core::time::Duration::from_nanos(1)), Step::Parked(Some(after(SECOND * 12))));
    assert!(!late.is_finished());
    world.run_at(SECOND * 12);
    assert_eq!(cancelled(&mut late), Some((PULLED, true)), "its grace is over");
    assert_eq!(SEEN.each_ref().map(|seen| seen.counts().1), [1; 3]);
    // An abort is a request like any other, and the driver does not turn in circles meanwhile; one that goes waits for nobody.
    let mut aborted = world.submit(closes(&SEEN[0], 1));
    let mut left = world.submit(closes(&SEEN[1], 3));
    world.run();
    world.worker.shutdown(Shutdown::Abort, world.now);
    assert_eq!(world.run(), Step::Parked(Some(after(SECOND * 13))));
    world.run_at(SECOND * 13);
    assert_eq!(completed(&mut aborted), Some((Cause::SHUTDOWN, after(SECOND * 13))));
    drop(world);
    assert_eq!((cancelled(&mut left), SEEN[1].counts().1), (Some((Cause::SHUTDOWN, true)), 2));
}

pub(super) fn j9_a_late_value_is_delivered() {
    let mut world = World::new();
    let job = HeldJob::fallible_with(|context| async move {
        context.sleep(SECOND * 2).await;
        if context.is_cancelled() { Ok(context.cause()) } else { Err(context.cause()) }
    });
    let mut job = world.submit(job.run_timeout(SECOND).grace(SECOND * 3));
    assert_eq!(world.run(), Step::Parked(Some(after(SECOND))));
    world.run_at(SECOND);
    assert!(!job.is_finished());
    world.run_at(SECOND * 2);
    assert_eq!(completed(&mut job), Some(Some(Cause::DEADLINE)), "late, and not lost");
    let counts = world.worker.counts();
    assert_eq!((counts.completed, counts.timed_out), (1, 0));
}

pub(super) fn r9_a_shielded_section_goes_on() {
    static SEEN: [Seen; 2] = [const { Seen::new() }; 2];
    static OWN: [HeldToken<'static>; 2] = [const { HeldToken::new() }; 2];
    static AFTER: AtomicU32 = AtomicU32::new(0);
    let mut world = World::new();
    let shielded = |seen: &'static Seen, own: &'static HeldToken<'static>| {
        let captured = Captured(seen);
        HeldJob::task_with(move |context| async move {
            let _captured = captured;
            let cause = context.shielded(own.cancelled()).await;
            // Its own was seen, and what came from outside is at the end of the section.
            assert_eq!((cause, context.is_cancelled()), (PULLED, true));
            AFTER.fetch_add(1, Ordering::SeqCst);
            core::future::pending::<u32>().await
        })
    };
    let mut asked = world.submit(shielded(&SEEN[0], &OWN[0]));
    let mut late = world.submit(shielded(&SEEN[1], &OWN[1]).run_timeout(SECOND));
    world.run();
    assert!(asked.cancel());
    world.run_at(SECOND);
    assert!(!asked.cancel() && !late.cancel(), "an outside observer sees the truth");
    assert!(!asked.is_finished() && !late.is_finished());
    assert_eq!(world.run(), Step::Parked(None), "it does not turn in circles meanwhile");
    for own in &OWN {
        own.cancel_with(PULLED);
    }
    world.run();
    assert_eq!((AFTER.load(Ordering::SeqCst), SEEN.each_ref().map(|seen| seen.counts().1)), (2, [1, 1]));
    assert_eq!(cancelled(&mut asked), Some((Cause::REQUESTED, true)));
    assert_eq!(timed_out(&mut late), Some(Phase::Running));
    // A job of the same kind that is in no section is dropped at its next wait; and a driver that goes waits for nobody.
    static NEVER: HeldToken<'static> = HeldToken::new();
    let mut open = world.submit(HeldJob::task_with(|context| async move {
        context.shielded(async {}).await;
        stuck(Captured(&SEEN[0])).await
    }));
    let mut left = world.submit(shielded(&SEEN[1], &NEVER));
    world.run();
    assert!(open.cancel());
    world.run();
    assert_eq!((cancelled(&mut open), SEEN[0].counts()), (Some((Cause::REQUESTED, true)), (1, 2)));
    drop(world);
    assert_eq!((cancelled(&mut left), SEEN[1].counts().1), (Some((Cause::SHUTDOWN, true)), 2));
}

pub(super) fn j11_cancelled_with_what_is_above() {
    static ABOVE: HeldToken<'static> = HeldToken::new();
    static SERVICE: HeldToken<'static> = HeldToken::below(&ABOVE);
    static OWN: HeldToken<'static> = HeldToken::below(&SERVICE);
    static DUE: HeldToken<'static> = HeldToken::with_deadline(Instant::from_nanos(1_000_000_000));
    static SEEN: [Seen; 4] = [const { Seen::new() }; 4];
    static BELL: Bell = Bell::new();
    let mut world = World::new();
    let worker = world.worker;
    let stuck_by = |seen| HeldJob::task(stuck(Captured(seen)));
    let mut due = world.submit(stuck_by(&SEEN[0]).under(&DUE));
    let mut running = world.submit(stuck_by(&SEEN[1]).under(&SERVICE));
    assert_eq!(world.run(), Step::Parked(Some(after(SECOND))), "the token's deadline is the job's");
    let mut queued = world.submit(stuck_by(&SEEN[2]).under(&SERVICE));
    let mut other = world.submit(stuck_by(&SEEN[3]).under(&DUE));
    world.run();
    world.step(&BELL.waker());
    assert!(ABOVE.cancel_with(PULLED));
    assert_eq!(BELL.woken(), 1, "the driver is woken");
    world.step(Waker::noop());
    assert_eq!(cancelled(&mut queued), Some((PULLED, false)), "no lane became free");
    world.run();
    assert_eq!(cancelled(&mut running), Some((PULLED, true)));
    assert_eq!(SEEN[2].counts().0, 0);
    assert_eq!(SEEN[1].counts(), (1, 1), "it was not polled for that");
    // Born cancelled.
    let mut late = world.submit(stuck_by(&SEEN[1]).under(&SERVICE));
    world.run();
    assert_eq!((cancelled(&mut late), SEEN[1].counts()), (Some((PULLED, false)), (1, 2)));
    world.run_at(SECOND);
    assert_eq!(timed_out(&mut due), Some(Phase::Running));
    assert_eq!(timed_out(&mut other), Some(Phase::Running));
    // What it starts goes under a token of its own, which goes with it; a grace is one there, too.
    static CHILD: HeldToken<'static> = HeldToken::new();
    let parent = world.submit(HeldJob::task(async {
        let _guard = CHILD.drop_guard();
        stuck(Captured(&SEEN[3])).await
    }));
    let child = HeldJob::task_with(|context| async move { context.cancelled().await }).grace(SECOND).under(&CHILD);
    let mut child = world.submit(child);
    world.run();
    parent.cancel();
    world.run();
    assert_eq!(completed(&mut child), Some(Cause::HANDLE_DROPPED));
    // A job that is over is on no list: the next in its slot is not touched.
    drop(parent);
    static GATE: HeldToken<'static> = HeldToken::new();
    assert!(!OWN.cancel() && worker.occupied() == 0);
    static LAST: HeldToken<'static> = HeldToken::new();
    let first = world.submit(HeldJob::task(core::future::ready(1)).under(&LAST));
    world.run();
    drop(first);
    let mut next = world.submit(HeldJob::task(gated(Captured(&SEEN[0]), &GATE)));
    LAST.cancel();
    GATE.cancel();
    world.run();
    assert_eq!(completed(&mut next), Some(7));
}

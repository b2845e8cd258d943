//! Where there is no driver, not yet or not any more.

use core::future::{Future, ready};
use core::pin::{Pin, pin};
use core::task::{Context, Waker};
use core::time::Duration;

use countermand_core::{Cause, HeldJob, HeldToken, Instant, RejectReason, Shutdown};

use super::super::fresh;
use super::{Captured, PULLED, SECOND, Seen, World, cancelled, outcome, stuck};

/// The end of the clock, which is never (D8).
const END: Instant = Instant::from_nanos(u64::MAX);

pub(super) fn c1_every_call_works_without_a_driver() {
    static SEEN: Seen = Seen::new();
    let mut cx = Context::from_waker(Waker::noop());
    let worker = fresh();
    // Before it comes.
    let submit = || worker.submit(HeldJob::task(stuck(Captured(&SEEN))), Instant::ORIGIN);
    let (mut job, mut left) = (submit().expect("there is a slot"), submit().expect("there is a slot"));
    assert!(job.cancel_with(PULLED) && !job.cancel() && !job.is_finished());
    assert!(Pin::new(&mut job).poll(&mut cx).is_pending());
    assert!(pin!(worker.sleep(SECOND)).poll(&mut cx).is_pending(), "nobody knows the time");
    assert_eq!((worker.counts().accepted, worker.occupied()), (2, 2));
    let mut world = World::of(worker);
    world.run();
    assert_eq!(cancelled(&mut job), Some((PULLED, false)));
    // After it has gone.
    drop(world);
    assert!(!left.cancel() && left.is_finished() && worker.attend().is_none());
    assert_eq!(cancelled(&mut left), Some((Cause::SHUTDOWN, true)));
    worker.shutdown(Shutdown::Drain, Instant::ORIGIN);
    assert_eq!(submit().expect_err("it is closed").reason, RejectReason::Closed);
    assert_eq!(SEEN.counts(), (1, 3));
    assert_eq!((worker.counts().cancelled, worker.counts().rejected, worker.occupied()), (2, 1, 0));
}

pub(super) fn c2_made_moved_and_dropped_without_a_driver() {
    static SEEN: Seen = Seen::new();
    static TOKEN: HeldToken<'static> = HeldToken::with_deadline(Instant::ORIGIN);
    static CHILD: HeldToken<'static> = HeldToken::below(&TOKEN);
    let moved = |seen| Some(HeldJob::task(stuck(Captured(seen)))).into_iter().next().expect("it is there");
    drop(moved(&SEEN).run_timeout(Duration::MAX).queue_timeout(Duration::ZERO).deadline(END));
    drop(moved(&SEEN).grace(Duration::MAX).under(&CHILD));
    drop(HeldJob::task_with(|context| async move { context.sleep(SECOND).await }));
    drop((TOKEN.cancelled(), CHILD.drop_guard(), CHILD.observer().cancelled()));
    assert_eq!((SEEN.counts(), CHILD.cause()), ((0, 2), Some(Cause::HANDLE_DROPPED)));
    let worker = fresh();
    drop((worker.sleep(SECOND), worker.sleep_until(END)));
    let handles = [(); 2].map(|()| worker.submit(moved(&SEEN), END).expect("there is a slot"));
    let [kept, detached] = handles;
    drop(detached);
    let mut kept = Some(kept).into_iter().next().expect("it is there");
    assert!(outcome(&mut kept).is_none() && !TOKEN.is_cancelled());
    drop(kept.cancel_on_drop());
    drop(worker.submit(HeldJob::task(ready(1)), Instant::ORIGIN));
    // What was only described has not run, and what was left is dropped by the driver.
    assert_eq!(SEEN.counts(), (0, 2));
    drop(worker.attend());
    assert_eq!((SEEN.counts(), worker.occupied(), worker.counts().cancelled), ((0, 4), 0, 3));
}

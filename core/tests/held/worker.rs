//! The rules that can be asked of a worker without a heap. The same functions are tests here, and run on a board (`conformance/firmware/heapless`).

use core::convert::Infallible;
use core::future::{Future, pending, poll_fn, ready};
use core::mem;
use core::pin::{Pin, pin};
use core::ptr;
use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use core::time::Duration;

use countermand_core::priority_queue::PriorityQueue;
use countermand_core::{
    Cause, Fixed, HeldDriver, HeldHandle, HeldJob, HeldToken, HeldWork, HeldWorker, Instant, Outcome, Phase, Priority,
    RejectReason, Shutdown, Step,
};
use portable_atomic::{AtomicBool, AtomicU32, Ordering};

use super::fresh;
use super::rules::{Bell, Rule, after};

/// Two lanes and four slots.
pub(crate) type Small = HeldWorker<2, 4, 128>;

/// In the order of the contract.
pub(crate) const ALL: &[Rule] = &[
    ("D2", d2_due_without_an_alarm),
    ("D3", d3_due_is_exact),
    ("D4", d4_due_is_never_polled),
    ("D5", d5_each_limit_from_its_own_beginning),
    ("D6", d6_the_cause_decides),
    ("D7", d7_a_slot_has_no_memory),
    ("D8", d8_beyond_the_clock_is_none),
    ("J1", j1_settles_once),
    ("J2", j2_never_polled),
    ("J3", j3_a_value_wins),
    ("J4", j4_not_polled_after_request),
    ("J6", j6_cancel_says_who_was_first),
    ("J7", j7_dropped_before_it_is_told),
    ("J8", j8_waiting_never_panics),
    ("J10", j10_a_dropped_wait_loses_nothing),
    ("Q1", q1_never_more_than_there_are),
    ("Q2", q2_urgent_first_then_in_order),
    ("Q4", q4_a_cancelled_queued_job_goes_at_once),
    ("Q5", q5_a_full_pool_gives_the_job_back),
    ("Q7", q7_queue_timeout_without_a_lane),
    ("S1", s1_closed),
    ("S2", s2_drain),
    ("S3", s3_abort),
    ("S4", s4_drain_with_a_limit),
    ("S5", s5_never_relaxes),
    ("S6", s6_a_driver_that_goes),
    ("S7", s7_the_counts_add_up),
    ("L2", l2_a_busy_job_keeps_nobody_from_its_turn),
    ("L4", l4_idle_costs_nothing),
    ("L5", l5_no_wake_is_lost),
    ("L6", l6_all_finish_by_themselves),
    ("C4", c4_four_hundred_days),
    ("X1", x1_a_dropped_handle_detaches),
    ("X2", x2_dropped_once),
    ("X3", x3_dropped_by_the_driver),
    ("X4", x4_what_nobody_reads_is_released),
    ("X5", x5_a_forgotten_handle_keeps_its_slot),
];

const PULLED: Cause = Cause::REQUESTED.with_code(7);
const SECOND: Duration = Duration::from_secs(1);

/// What happened to a job.
#[derive(Default)]
struct Seen {
    polls: AtomicU32,
    drops: AtomicU32,
}

impl Seen {
    const fn new() -> Self {
        Self { polls: AtomicU32::new(0), drops: AtomicU32::new(0) }
    }

    fn counts(&self) -> (u32, u32) {
        (self.polls.load(Ordering::SeqCst), self.drops.load(Ordering::SeqCst))
    }
}

/// What a job has captured.
struct Captured(&'static Seen);

impl Drop for Captured {
    fn drop(&mut self) {
        self.0.drops.fetch_add(1, Ordering::SeqCst);
    }
}

/// A job that goes on when the gate is cancelled, and returns 7.
async fn gated(captured: Captured, gate: &'static HeldToken<'static>) -> u32 {
    let mut wait = pin!(gate.cancelled());
    poll_fn(|cx| {
        captured.0.polls.fetch_add(1, Ordering::SeqCst);
        wait.as_mut().poll(cx)
    })
    .await;
    7
}

/// A job that never returns.
async fn stuck(captured: Captured) -> u32 {
    captured.0.polls.fetch_add(1, Ordering::SeqCst);
    pending().await
}

/// The host: a driver, and a clock that the rule moves.
struct World {
    worker: &'static Small,
    driver: HeldDriver<2, 4, 128>,
    now: Instant,
}

impl World {
    fn new() -> Self {
        let worker = fresh();
        let driver = worker.attend().expect("nobody else drives it");
        assert!(worker.attend().is_none(), "there is one driver");
        Self { worker, driver, now: Instant::ORIGIN }
    }

    /// Steps until there is nothing to do.
    fn run(&mut self) -> Step {
        for _ in 0..1_000 {
            let step = self.step(Waker::noop());
            if step != Step::Again {
                return step;
            }
        }
        panic!("a driver that is never through")
    }

    fn step(&mut self, waker: &Waker) -> Step {
        self.driver.step(&mut Context::from_waker(waker), self.now)
    }

    fn run_at(&mut self, at: Duration) -> Step {
        self.now = after(at);
        self.run()
    }

    fn submit<W>(&self, job: HeldJob<W>) -> HeldHandle<W::Value, W::Error>
    where
        W: HeldWork<Value: Send, Error: Send> + Send,
    {
        self.worker.submit(job, self.now).expect("there is a slot")
    }

    /// Both lanes are taken until the gate opens.
    fn fill_lanes(
        &mut self,
        seen: &'static Seen,
        gate: &'static HeldToken<'static>,
    ) -> [HeldHandle<u32, Infallible>; 2] {
        let handles =
            [(); 2].map(|()| self.submit(HeldJob::task(gated(Captured(seen), gate)).priority(Priority::Critical)));
        self.run();
        handles
    }
}

fn outcome<T, E>(handle: &mut HeldHandle<T, E>) -> Option<Outcome<T, E>> {
    match Pin::new(handle).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}

fn timed_out<T, E>(handle: &mut HeldHandle<T, E>) -> Option<Phase> {
    match outcome(handle) {
        Some(Outcome::TimedOut { phase, late: None }) => Some(phase),
        _ => None,
    }
}

fn cancelled<T, E>(handle: &mut HeldHandle<T, E>) -> Option<(Cause, bool)> {
    match outcome(handle) {
        Some(Outcome::Cancelled { cause, started }) => Some((cause, started)),
        _ => None,
    }
}

fn completed<T, E>(handle: &mut HeldHandle<T, E>) -> Option<T> {
    outcome(handle).and_then(Outcome::completed)
}

fn d2_due_without_an_alarm() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    let mut job = world.submit(HeldJob::task(stuck(Captured(&SEEN))).run_timeout(SECOND));
    assert_eq!(world.run(), Step::Parked(Some(after(SECOND))), "the driver says when it must be stepped");
    // Nobody woke it, and the step comes late.
    world.run_at(SECOND * 5);
    assert_eq!(timed_out(&mut job), Some(Phase::Running));
    assert_eq!(SEEN.counts(), (1, 1));
}

fn d3_due_is_exact() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    let mut job = world.submit(HeldJob::task(stuck(Captured(&SEEN))).deadline(after(SECOND)));
    world.run_at(SECOND - Duration::from_nanos(1));
    assert!(outcome(&mut job).is_none(), "a nanosecond early");
    world.run_at(SECOND);
    assert_eq!(timed_out(&mut job), Some(Phase::Running));
}

fn d4_due_is_never_polled() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    world.run_at(SECOND);
    let mut past = world.submit(HeldJob::task(stuck(Captured(&SEEN))).deadline(after(SECOND)));
    let mut none = world.submit(HeldJob::task(stuck(Captured(&SEEN))).run_timeout(Duration::ZERO));
    world.run();
    assert_eq!(SEEN.counts(), (0, 2), "neither was polled, both were dropped");
    assert_eq!((timed_out(&mut past), timed_out(&mut none)), (Some(Phase::Queued), Some(Phase::Queued)));
}

fn d5_each_limit_from_its_own_beginning() {
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

fn d6_the_cause_decides() {
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

fn d7_a_slot_has_no_memory() {
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

fn d8_beyond_the_clock_is_none() {
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

fn j1_settles_once() {
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

fn j2_never_polled() {
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

fn j3_a_value_wins() {
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

fn j4_not_polled_after_request() {
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

fn j6_cancel_says_who_was_first() {
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

fn j7_dropped_before_it_is_told() {
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

fn j8_waiting_never_panics() {
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

fn j10_a_dropped_wait_loses_nothing() {
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

fn q1_never_more_than_there_are() {
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

fn q2_urgent_first_then_in_order() {
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
    let mut last = world.submit(job(Priority::Normal));
    world.run();
    let turns = [&mut urgent, &mut first, &mut second, &mut last].map(completed);
    assert_eq!(turns, [Some(0), Some(1), Some(2), Some(3)]);
}

fn q4_a_cancelled_queued_job_goes_at_once() {
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

fn q5_a_full_pool_gives_the_job_back() {
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

fn q7_queue_timeout_without_a_lane() {
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

fn s1_closed() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    world.worker.shutdown(Shutdown::Drain, world.now);
    let back = world.worker.submit(HeldJob::task(stuck(Captured(&SEEN))), world.now).expect_err("it is closed");
    assert_eq!((back.reason, SEEN.counts()), (RejectReason::Closed, (0, 0)));
    drop(back);
    assert_eq!(world.run(), Step::Closed);
    assert!(world.worker.submit(HeldJob::task(ready(0)), world.now).is_err(), "also when it is over");
}

fn s2_drain() {
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

fn s3_abort() {
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

fn s4_drain_with_a_limit() {
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

fn s5_never_relaxes() {
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

fn s6_a_driver_that_goes() {
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

fn s7_the_counts_add_up() {
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

fn l2_a_busy_job_keeps_nobody_from_its_turn() {
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

fn l4_idle_costs_nothing() {
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

fn l5_no_wake_is_lost() {
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

fn l6_all_finish_by_themselves() {
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

fn c4_four_hundred_days() {
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

fn x1_a_dropped_handle_detaches() {
    static SEEN: [Seen; 2] = [const { Seen::new() }; 2];
    static GATE: HeldToken<'static> = HeldToken::new();
    let mut world = World::new();
    let goes_on = world.submit(HeldJob::task(gated(Captured(&SEEN[0]), &GATE)));
    let goes_too = world.submit(HeldJob::task(gated(Captured(&SEEN[1]), &GATE))).cancel_on_drop();
    world.run();
    drop((goes_on, goes_too));
    world.run();
    assert_eq!((SEEN[0].counts(), SEEN[1].counts()), ((1, 0), (1, 1)));
    GATE.cancel();
    world.run();
    assert_eq!((SEEN[0].counts(), world.worker.occupied()), ((2, 1), 0));
    let counts = world.worker.counts();
    assert_eq!((counts.completed, counts.cancelled), (1, 1));
}

fn x2_dropped_once() {
    static SEEN: [Seen; 5] = [const { Seen::new() }; 5];
    let mut world = World::new();
    // The output and what was captured, read, dropped unread, cancelled, queued.
    let pass_on = |seen| async move { (Captured(seen), Captured(seen)) };
    let mut read = world.submit(HeldJob::task(pass_on(&SEEN[0])));
    let unread = world.submit(HeldJob::task(pass_on(&SEEN[1])));
    world.run();
    drop(completed(&mut read));
    drop(unread);
    let early = world.submit(HeldJob::task(pass_on(&SEEN[2])));
    drop(early);
    world.run();
    let cut = world.submit(HeldJob::task(stuck(Captured(&SEEN[3]))));
    world.run();
    let queued = world.submit(HeldJob::task(stuck(Captured(&SEEN[4]))));
    cut.cancel();
    queued.cancel();
    world.run();
    drop((cut, queued));
    assert_eq!(SEEN.each_ref().map(|seen| seen.counts().1), [2, 2, 2, 1, 1]);
    assert_eq!(world.worker.occupied(), 0);
}

fn x3_dropped_by_the_driver() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    let running = world.submit(HeldJob::task(stuck(Captured(&SEEN))));
    world.run();
    let queued = world.submit(HeldJob::task(stuck(Captured(&SEEN)))).cancel_on_drop();
    running.cancel();
    drop(queued);
    assert_eq!(SEEN.counts().1, 0, "whoever cancels drops nothing");
    world.run();
    assert_eq!(SEEN.counts(), (1, 2));
}

fn x4_what_nobody_reads_is_released() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    for round in 1..=16 {
        drop(world.submit(HeldJob::task(async { Captured(&SEEN) })));
        world.run();
        assert_eq!((SEEN.counts().1, world.worker.occupied()), (round, 0));
    }
}

fn x5_a_forgotten_handle_keeps_its_slot() {
    static SEEN: Seen = Seen::new();
    let mut world = World::new();
    mem::forget(world.submit(HeldJob::task(async { Captured(&SEEN) })));
    let worker = world.worker;
    // A job that leaves a sleep behind in its slot.
    let slept = world.submit(HeldJob::task(async move { worker.sleep(SECOND).await }));
    world.run();
    slept.cancel();
    world.run();
    drop(slept);
    assert_eq!((world.worker.occupied(), SEEN.counts().1), (1, 0), "its value is there, and nobody reads it");
    let mut others = [(); 3].map(|()| world.submit(HeldJob::task(ready(7))));
    assert!(world.worker.submit(HeldJob::task(ready(0)), world.now).is_err());
    world.run_at(SECOND * 2);
    assert_eq!(others.each_mut().map(completed), [Some(7); 3]);
    assert_eq!(world.worker.counts().completed, 4);
}

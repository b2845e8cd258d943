//! The rules that can be asked of a worker without a heap. The same functions are tests here, and run on a board (`conformance/firmware/heapless`).

mod context;
mod drops;
mod ending;
mod jobs;
mod lanes;
mod policy;
mod queue;
mod stops;
mod time;

use core::convert::Infallible;
use core::future::{Future, pending, poll_fn};
use core::marker::PhantomData;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use countermand_core::{
    Cause, HeldDriver, HeldHandle, HeldJob, HeldPolicy, HeldStrict, HeldToken, HeldWork, HeldWorker, Instant, Outcome,
    Phase, Priority, Step,
};
use portable_atomic::{AtomicU32, Ordering};

use super::fresh;
use super::rules::{Rule, after};

/// What the largest job of these rules takes.
const BYTES: usize = 32 + 32 * size_of::<usize>();

/// Two lanes and four slots.
pub(crate) type Small<P = HeldStrict> = HeldWorker<2, 4, BYTES, P>;

pub(crate) use policy::{Choosy, Fair};

/// In the order of the contract.
pub(crate) const ALL: &[Rule] = &[
    ("R9", stops::r9_a_shielded_section_goes_on),
    ("D2", time::d2_due_without_an_alarm),
    ("D3", time::d3_due_is_exact),
    ("D4", time::d4_due_is_never_polled),
    ("D5", time::d5_each_limit_from_its_own_beginning),
    ("D5", time::d5_limits_of_both_kinds_in_any_order),
    ("D6", time::d6_the_cause_decides),
    ("D7", time::d7_a_slot_has_no_memory),
    ("D8", time::d8_beyond_the_clock_is_none),
    ("J1", jobs::j1_settles_once),
    ("J2", jobs::j2_never_polled),
    ("J3", jobs::j3_a_value_wins),
    ("J4", jobs::j4_not_polled_after_request),
    ("J5", stops::j5_polled_while_there_is_grace),
    ("J6", jobs::j6_cancel_says_who_was_first),
    ("J7", jobs::j7_dropped_before_it_is_told),
    ("J8", jobs::j8_waiting_never_panics),
    ("J9", stops::j9_a_late_value_is_delivered),
    ("J10", jobs::j10_a_dropped_wait_loses_nothing),
    ("J11", stops::j11_cancelled_with_what_is_above),
    ("Q1", queue::q1_never_more_than_there_are),
    ("Q2", queue::q2_urgent_first_then_in_order),
    ("Q3", policy::q3_nobody_starves),
    ("Q4", queue::q4_a_cancelled_queued_job_goes_at_once),
    ("Q4", policy::q4_a_free_slot_is_told_to_who_waits),
    ("Q5", queue::q5_a_full_pool_gives_the_job_back),
    ("Q5", policy::q5_the_lowest_makes_room),
    ("Q6", policy::q6_a_dropped_submit_loses_no_slot),
    ("Q7", queue::q7_queue_timeout_without_a_lane),
    ("Q8", policy::q8_slots_are_kept_for_the_urgent),
    ("Q9", policy::q9_served_in_order_of_arrival),
    ("S1", ending::s1_closed),
    ("S2", ending::s2_drain),
    ("S3", ending::s3_abort),
    ("S3", policy::s3_who_waits_is_told),
    ("S4", ending::s4_drain_with_a_limit),
    ("S5", ending::s5_never_relaxes),
    ("S6", ending::s6_a_driver_that_goes),
    ("S6", policy::s6_who_waits_is_told_that_it_has_gone),
    ("S7", ending::s7_the_counts_add_up),
    ("L1", lanes::l1_one_poll_at_a_time),
    ("L2", lanes::l2_a_busy_job_keeps_nobody_from_its_turn),
    ("L4", lanes::l4_idle_costs_nothing),
    ("L5", lanes::l5_no_wake_is_lost),
    ("L6", lanes::l6_all_finish_by_themselves),
    ("C1", context::c1_every_call_works_without_a_driver),
    ("C2", context::c2_made_moved_and_dropped_without_a_driver),
    ("C4", time::c4_four_hundred_days),
    ("X1", drops::x1_a_dropped_handle_detaches),
    ("X2", drops::x2_dropped_once),
    ("X3", drops::x3_dropped_by_the_driver),
    ("X4", drops::x4_what_nobody_reads_is_released),
    ("X5", drops::x5_a_forgotten_handle_keeps_its_slot),
    ("E7", policy::e7_each_end_is_told_once),
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

/// The same, of what may not leave its thread.
async fn stays<F: Future>(future: F) -> F::Output {
    let here = PhantomData::<*const ()>;
    let output = future.await;
    let _: PhantomData<_> = here;
    output
}

/// The host: a driver, and a clock that the rule moves.
struct World<P: HeldPolicy = HeldStrict> {
    worker: &'static Small<P>,
    driver: HeldDriver<2, 4, BYTES, P>,
    now: Instant,
}

impl World {
    fn new() -> Self {
        Self::of(fresh())
    }
}

impl<P: HeldPolicy> World<P> {
    fn of(worker: &'static Small<P>) -> Self {
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

    fn submit<W>(&self, job: HeldJob<W>) -> HeldHandle<W::Value, W::Error, P>
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
    ) -> [HeldHandle<u32, Infallible, P>; 2] {
        let handles =
            [(); 2].map(|()| self.submit(HeldJob::task(gated(Captured(seen), gate)).priority(Priority::Critical)));
        self.run();
        handles
    }
}

fn outcome<T, E, P: HeldPolicy>(handle: &mut HeldHandle<T, E, P>) -> Option<Outcome<T, E>> {
    match Pin::new(handle).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}

fn timed_out<T, E, P: HeldPolicy>(handle: &mut HeldHandle<T, E, P>) -> Option<Phase> {
    match outcome(handle) {
        Some(Outcome::TimedOut { phase, late: None }) => Some(phase),
        _ => None,
    }
}

fn cancelled<T, E, P: HeldPolicy>(handle: &mut HeldHandle<T, E, P>) -> Option<(Cause, bool)> {
    match outcome(handle) {
        Some(Outcome::Cancelled { cause, started }) => Some((cause, started)),
        _ => None,
    }
}

fn completed<T, E, P: HeldPolicy>(handle: &mut HeldHandle<T, E, P>) -> Option<T> {
    outcome(handle).and_then(Outcome::completed)
}

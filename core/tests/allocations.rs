//! What a worker asks of the allocator: in the steady state nothing for a job whose outcome is read, but for one with a parent that is not of its worker; and nothing that stays. And a guard: nothing, but for a violation.
#![allow(clippy::result_large_err, reason = "a refusal gives the job back, in its owner")]
#![cfg(feature = "std")]
#![allow(unsafe_code, reason = "an allocator that counts")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Future, pending};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::bench::{Bench, take};
use countermand_core::{
    Cause, DependencyPolicy, Event, Fate, FullPolicy, Guard, Handle, Instant, Job, KernelId, Label, Level, Outcome,
    OutletConfig, OutletTurn, PacketId, Priority, Router, RouterConfig, Source, Stream, SubsystemId, Timers, Token,
    Work, WorkerConfig,
};

thread_local! {
    static COUNT: Cell<(u64, i64)> = const { Cell::new((0, 0)) };
}

/// Counts the allocations of each thread, and the bytes that it holds.
struct Counting;

// SAFETY: passes every call on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size() as i64);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        note(0, -(layout.size() as i64));
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

fn note(allocations: u64, bytes: i64) {
    // Nothing is counted while a thread ends.
    let _ = COUNT.try_with(|count| count.set((count.get().0 + allocations, count.get().1 + bytes)));
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn bench() -> Bench {
    let mut bench = Bench::new(WorkerConfig::new().lanes(4).drivers(1).capacity(64));
    // The first job of each lane makes what stays.
    for _ in 0..3 {
        round(&mut bench, 64);
        let timed = Job::task(async {}).run_timeout(Duration::from_secs(1)).queue_timeout(Duration::from_secs(1));
        drop(bench.worker.try_submit(timed).expect("a place"));
        bench.run();
    }
    bench
}

/// Submits so many jobs, and runs until they have settled.
fn round(bench: &mut Bench, jobs: u64) {
    for number in 0..jobs {
        drop(bench.worker.try_submit(Job::task(async move { number })).expect("a place"));
    }
    bench.run();
}

#[test]
fn a_submit_allocates_nothing_in_the_steady_state() {
    let mut bench = bench();
    let second = Duration::from_secs(1);
    let plain = || Job::task(async { 1 });
    let service = Token::new();
    let parent = service.child_token();
    for options in 0..5 {
        for round in 0..3 {
            let job = match options {
                0 => plain(),
                1 => plain().name("named").priority(Priority::High).cancel_on_drop(),
                // A parent that is not of this worker: the job's token has two.
                4 => plain().parent(&parent),
                2 => plain().run_timeout(second).queue_timeout(second).grace(second),
                _ => plain().deadline(Instant::from_nanos(1_000)),
            };
            let before = COUNT.get().0;
            let handle = bench.worker.try_submit(job);
            let made = COUNT.get().0 - before;
            // The first round makes what is kept for the next ones. The token of a job that has two parents is linked to both in an allocation of its own.
            let fits = if round == 0 { made <= 2 } else { made == u64::from(options == 4) };
            assert!(fits, "options {options}, round {round}: {made} allocations");
            bench.run();
            assert!(matches!(take(&mut handle.expect("a place")), Outcome::Completed(1)));
        }
    }
}

/// How many allocations `submit` makes.
fn made<R>(submit: impl FnOnce() -> R) -> (u64, R) {
    let before = COUNT.get().0;
    let result = submit();
    (COUNT.get().0 - before, result)
}

#[test]
fn jobs_below_one_parent_share_what_joins_it_to_their_worker() {
    let bench = bench();
    let parent = Token::new();
    let submit = || made(|| bench.worker.try_submit(Job::task(async { 1 }).parent(&parent)).expect("a place"));
    let ((first, _one), (second, _other)) = (submit(), submit());
    assert_eq!(first - second, 1, "{first} allocations of the first, {second} of the second");
}

#[test]
fn timers_whose_times_rise_take_one_place_each() {
    let mut timers = Timers::growing();
    // Those of two lengths, while time goes on: the slots, and no heap to order them.
    let (made, ()) = made(|| {
        for now in 0..4 {
            timers.insert(Instant::from_nanos(now + 7), ());
            timers.insert(Instant::from_nanos(now + 30), ());
        }
    });
    assert_eq!((made, timers.len()), (1, 8));
}

#[test]
fn no_door_allocates_in_the_steady_state() {
    let mut bench = bench();
    for round in 0..3 {
        let mut submit = pin!(bench.worker.submit(Job::task(async { 1 })));
        let (awaited, polled) = made(|| submit.as_mut().poll(&mut Context::from_waker(Waker::noop())));
        let Poll::Ready(Ok(mut first)) = polled else { unreachable!("there is a place") };
        let (blocking, handle) = made(|| bench.worker.submit_blocking(Job::task(async { 1 })).ok());
        let mut second = handle.expect("a place");
        for (door, made) in [("submit().await", awaited), ("submit_blocking", blocking)] {
            // The first round makes what is kept for the next ones.
            assert!(made <= u64::from(round == 0), "{door}, round {round}: {made} allocations");
        }
        bench.run();
        let outcomes = [take(&mut first), take(&mut second)];
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Completed(1))));
    }
}

#[test]
fn a_submit_that_waited_allocates_no_more_than_twice_when_it_is_let_in() {
    let mut bench = Bench::new(WorkerConfig::new().lanes(1).drivers(1).capacity(1));
    for _ in 0..3 {
        let runs = bench.worker.try_submit(Job::task(async { 1 })).expect("a place");
        let mut submit = pin!(bench.worker.submit(Job::task(async { 1 })));
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(submit.as_mut().poll(cx).is_pending());
        bench.run();
        let (made, polled) = made(|| submit.as_mut().poll(cx));
        assert!(matches!(polled, Poll::Ready(Ok(_))));
        assert!(made <= 2, "{made} allocations");
        bench.run();
        assert!(runs.is_finished());
    }
}

#[test]
fn a_call_allocates_once_at_the_most() {
    let mut bench = Bench::with_threads(WorkerConfig::new().lanes(4).drivers(1).capacity(64));
    for round in 0..6 {
        let (tried, handle) = made(|| bench.worker.try_submit(Job::call(|_| 1)).ok());
        let (blocking, other) = made(|| bench.worker.submit_blocking(Job::call(|_| 1)).ok());
        assert!(handle.is_some() && other.is_some());
        // The first rounds make what stays.
        if round >= 2 {
            assert!(tried <= 1 && blocking <= 1, "{tried}, {blocking} allocations");
        }
        bench.turn();
        bench.host.run_calls();
        bench.run();
    }
}

#[test]
fn a_submit_that_evicts_allocates_once_at_the_most() {
    let config = WorkerConfig::new().lanes(1).drivers(1).capacity(2).full(FullPolicy::EvictLowest);
    let mut bench = Bench::new(config);
    for round in 0..6 {
        let low = [(); 2].map(|()| bench.worker.try_submit(Job::task(async { 1 }).priority(Priority::Low)).ok());
        let (made, high) = made(|| bench.worker.try_submit(Job::task(async { 1 }).priority(Priority::High)).ok());
        assert!(high.is_some() && low.iter().all(Option::is_some));
        if round >= 2 {
            assert!(made <= 1, "{made} allocations");
        }
        bench.run();
        assert_eq!(bench.worker.counts().cancelled, round + 1, "jobs that made room");
    }
}

#[test]
fn what_a_detached_job_leaves_is_released() {
    let mut bench = bench();
    let before = COUNT.get().1;
    let handles: Vec<_> =
        (0..32_u64).map(|number| bench.worker.try_submit(Job::task(async move { number })).ok()).collect();
    drop(handles);
    let late: Vec<_> =
        (0..32_u64).map(|number| bench.worker.try_submit(Job::task(async move { number })).ok()).collect();
    bench.run();
    // Before they ran, and after it: X4 holds for both.
    drop(late);
    assert_eq!(COUNT.get().1 - before, 0, "bytes held more than before");
}

/// What a job took with it, whatever became of it, goes with its last holder.
#[test]
fn whatever_a_job_has_goes_with_it() {
    fn submit(bench: &Bench, job: Job<impl Work<Value = (), Error = Infallible> + 'static>) -> Handle<()> {
        bench.worker.try_submit(job).expect("a place")
    }
    let long = || "a text on the heap".repeat(3);
    type Round<'a> = &'a dyn Fn(&mut Bench);
    let cases: [(&str, Round<'_>); 10] = [
        ("a name of its own", &|bench| drop(submit(bench, Job::task(async {}).name(long())))),
        ("a parent", &|bench| drop(submit(bench, Job::task(async {}).parent(&Token::new())))),
        ("both", &|bench| drop(submit(bench, Job::task(async {}).parent(&Token::new().child_token()).name(long())))),
        ("a parent that is cancelled already", &|bench| {
            let parent = Token::new();
            parent.cancel();
            drop(submit(bench, Job::task(async {}).parent(&parent)));
        }),
        ("a parent, and no place", &|bench| {
            let all: Vec<_> = (0..64).map(|_| submit(bench, Job::task(async {}))).collect();
            assert!(bench.worker.try_submit(Job::task(async {}).parent(&Token::new()).name(long())).is_err());
            drop(all);
        }),
        ("a cause, before it runs", &|bench| {
            assert!(submit(bench, Job::task(async {})).cancel_with(Cause::REQUESTED.with_text("told at length")));
        }),
        ("a cause, while it runs", &|bench| {
            let handle = submit(bench, Job::task(pending::<()>()));
            bench.run();
            assert!(handle.cancel_with(Cause::REQUESTED.with_text("told at length")));
        }),
        ("a cause of its parent", &|bench| {
            let parent = Token::new();
            let handle = submit(bench, Job::task(pending::<()>()).parent(&parent));
            bench.run();
            assert!(parent.cancel_with(Cause::REQUESTED.with_text("told at length")));
            bench.run();
            assert!(handle.is_finished());
        }),
        ("callbacks that nobody called", &|bench| {
            let text = long();
            let job = Job::task_with(|cx| async move { drop(cx.token().on_cancel(move |_| drop(text))) });
            submit(bench, job).on_done(|_| {});
        }),
        ("a child with a deadline", &|bench| {
            let job = Job::task_with(|cx| async move {
                drop(cx.token().child_token().child_with_deadline(Instant::from_nanos(1 << 60)));
            });
            drop(submit(bench, job.parent(&Token::new()).deadline(Instant::from_nanos(1 << 61))));
        }),
    ];
    for (what, case) in cases {
        let mut bench = bench();
        let mut rounds = |count: u32| {
            for _ in 0..count {
                case(&mut bench);
                bench.run();
            }
            COUNT.get().1
        };
        let before = rounds(16);
        assert_eq!(rounds(64) - before, 0, "{what}: bytes held more than before");
    }
}

#[test]
fn a_million_jobs_leave_memory_flat() {
    let mut bench = bench();
    let before = COUNT.get().1;
    for _ in 0..1_000_000 / 64 {
        round(&mut bench, 64);
    }
    assert_eq!(COUNT.get().1 - before, 0, "bytes held after a million jobs more than before");
    assert!(bench.worker.counts().completed > 1_000_000 - 64);
}

#[test]
fn a_guard_allocates_for_a_violation_alone() {
    let told = Cell::new(0);
    let before = COUNT.get().0;
    let subsystem = SubsystemId::new("tolaria").expect("an identifier");
    let policy = DependencyPolicy::new("kernel").and_then(|policy| policy.allow("eager", "no compiler here"));
    let guard = Guard::new(subsystem, |_: &Event| told.set(told.get() + 1));
    let guard = guard.with_policy(policy.expect("a policy")).expect("room");
    let kernel: KernelId = guard.identify("k1").expect("an identifier");
    assert_eq!(*guard.known(kernel, &|id: &KernelId| *id == kernel).expect("it is known"), kernel);
    assert_eq!(*guard.require("setting", "PORT", Some(7)).expect("it is there"), 7);
    assert_eq!(*guard.fallback("kernel", "eager", || 5).expect("it is allowed"), 5);
    assert!(KernelId::new("no kernel").is_err());
    assert_eq!((COUNT.get().0 - before, told.get()), (0, 1), "allocations and events where all is well");
    // It is a pointer wide, for the sake of what is well.
    let violation = guard.require::<u8>("setting", "HOST", None).expect_err("it is not there");
    assert_eq!((COUNT.get().0 - before, told.get()), (1, 2), "allocations and events after {violation}");
}

#[test]
fn a_router_keeps_nothing_of_packets_that_are_through() {
    let outlets = vec![OutletConfig::new("normal", Stream::Normal), OutletConfig::new("emergency", Stream::Emergency)];
    let (router, mut outlets) =
        Router::new(RouterConfig::default(), outlets, |_: &Event, _: &Label, _| ()).expect("a router");
    let mut rounds = |count: u32| {
        for number in 0..count {
            let label = Label::new(PacketId::new(number.into()), Source::of("a"), Level::Info);
            let read = router.offer(Instant::ORIGIN, label, ()).expect("a place");
            router.offer(Instant::ORIGIN, label, ()).expect("a place").forget();
            router.post(Instant::ORIGIN, label, ()).expect("a place");
            while let OutletTurn::Deliver(mut batch) = outlets[0].turn(Instant::ORIGIN, None) {
                batch.acknowledge_rest();
                outlets[0].conclude(Instant::ORIGIN, Some(batch));
            }
            assert_eq!(read.fate(), Some(Fate::Delivered));
        }
        COUNT.get().1
    };
    let before = rounds(100);
    assert_eq!(rounds(2_000) - before, 0, "bytes held more than before");
}

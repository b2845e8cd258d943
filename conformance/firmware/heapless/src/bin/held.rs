//! Examines one rule of the contract on tokens, a worker, a queue, a router, a guard and settings without a heap, and says what it found as a child process of the suite's program does.
#![no_std]
#![no_main]
#![allow(unsafe_code, reason = "the rules make wakers by hand, and workers of several kinds lie in one place")]

use core::cell::{Cell, RefCell, UnsafeCell};
use core::convert::Infallible;
use core::mem::MaybeUninit;
use core::panic::PanicInfo;
use core::pin::{Pin, pin};
use core::sync::atomic::Ordering;
use core::task::{Context, Poll, Waker};

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::{entry, exception};

use countermand_core::{Cause, CauseKind, HeldHandle, HeldJob, HeldToken, Instant, Outcome, Step};
use countermand_heapless::line::{self, LONGEST, complain, leave, say};
use countermand_heapless::stack::Painted;
use critical_section::Mutex;
use portable_atomic::AtomicU32;

#[path = "../../../../../core/tests/held/guard.rs"]
mod guard;
#[path = "../../../../../core/tests/held/packet.rs"]
mod packet;
#[path = "../../../../../core/tests/held/queue.rs"]
mod queue;
#[path = "../../../../../core/tests/held/router.rs"]
mod router;
#[path = "../../../../../core/tests/held/rules.rs"]
mod rules;
#[path = "../../../../../core/tests/held/settings.rs"]
mod settings;
#[path = "../../../../../core/tests/held/worker/mod.rs"]
mod worker;

/// No use of a token alone is deeper than this.
const DEEPEST_TOKEN: usize = 512;

/// No step of a worker is deeper than this, beside what the job itself takes.
const DEEPEST_STEP: usize = 768;

/// Neither is an event deeper that is made and written as bytes: it lies on the stack, of one kilobyte.
const DEEPEST_EVENT: usize = 2_560;

/// What must be left of the stack where its depth is told: a frame may be so large, and not be written where it is deepest.
const GUARD: usize = 256;

const SECOND: core::time::Duration = core::time::Duration::from_secs(1);

/// Those that only a board can show, of tokens and of a worker.
const HERE: [&[rules::Rule]; 2] =
    [&[("T4", t4_a_handler_checks_and_cancels)], &[("J6", j6_a_handler_cancels), ("L5", l5_a_handler_wakes)]];

#[entry]
fn main() -> ! {
    let mut text = [0; LONGEST];
    let arguments = line::arguments(&mut text);
    let mut words = arguments.split_ascii_whitespace();
    let tokens = rules::ALL.iter().chain(HERE[0]);
    let jobs = worker::ALL.iter().chain(HERE[1]);
    let others = queue::ALL.iter().chain(router::ALL).chain(guard::ALL).chain(settings::ALL);
    if arguments == "stack" {
        let worker = fresh();
        let (token, step, event) = (depth(use_tokens), depth(|| use_worker(worker)), depth(use_event));
        say(format_args!("stack: {token} bytes of tokens, {step} of a worker, {event} of an event"));
        leave(token <= DEEPEST_TOKEN && step <= DEEPEST_STEP && event <= DEEPEST_EVENT);
    }
    if arguments == "list" {
        for (number, _) in tokens.chain(jobs).chain(others) {
            say(format_args!("{number}"));
        }
        leave(true);
    }
    let (Some("__examine"), Some(_), Some(number), Some(_), mutant) =
        (words.next(), words.next(), words.next(), words.next(), words.next())
    else {
        panic!("an image is called with `__examine HOST RULE SEED [MUTANT]` or `stack`, not with {arguments:?}")
    };
    switch_on(mutant);
    let of = |rule: &&rules::Rule| rule.0 == number;
    let is_in = |rules: &[rules::Rule]| rules.iter().any(|rule| rule.0 == number);
    let is_token = tokens.clone().any(|rule| rule.0 == number);
    let is_job = jobs.clone().any(|rule| rule.0 == number);
    let left_out = match (is_token, is_job) {
        (_, true) if is_in(queue::ALL) => "a queue between tasks, in place, and a worker of static slots",
        _ if is_in(router::ALL) => "a router without a heap, which has neither rates nor receipts",
        _ if is_in(guard::ALL) => "a guard without a heap",
        _ if is_in(settings::ALL) => "the types of the configuration: what loads them needs std",
        (true, true) => "tokens and a worker of static slots, which need no heap",
        (true, false) => "tokens alone, of the kind that needs no heap",
        (false, true) => "a worker of static slots, which needs no heap",
        (false, false) => {
            let why = why_not(number);
            say(format_args!(
                "\u{1e}{{\"verdict\":\"not-applicable\",\"why\":\"not run: {why}\",\"runs\":0,\"left_out\":[],\"raced\":0}}"
            ));
            leave(true);
        }
    };
    let painted = Painted::new();
    for (_, rule) in tokens.chain(jobs).chain(others).filter(of) {
        rule();
    }
    // What runs into the statics may change whatever the rule looks at.
    assert!(painted.spare() > 0, "the examination needs more stack than this board has");
    say(format_args!(
        "\u{1e}{{\"verdict\":\"pass\",\"why\":\"\",\"runs\":1,\"left_out\":[\"{left_out}\"],\"raced\":0}}"
    ));
    leave(true);
}

/// Why a rule is not asked here: what is not there without a heap, and what is seen to elsewhere.
fn why_not(number: &str) -> &'static str {
    match number {
        "T9" | "P1" | "P2" | "P3" | "P4" => "a panic ends the image: nothing unwinds",
        "R5" => "no node goes before what is below it: that does not compile, see HeldToken's documentation",
        "J12" | "C3" => "nothing blocks: there is one thread",
        "B1" | "B2" | "B3" | "B4" => "there are no threads for blocking calls",
        "L3" => "there is one driver",
        "C5" => "the compiler tells it, in the examples of HeldWorker's documentation",
        "E6" | "E12" | "E13" | "E14" => "the journal needs std",
        "G4" => "a preflight needs a heap",
        "G5" | "G7" | "G8" => "what loads a configuration needs std",
        _ => panic!("there is no reason why {number} is not asked"),
    }
}

/// How many workers a rule uses at the most; an image examines one rule.
const MOST_WORKERS: usize = 2;

/// The workers of a rule, of whatever kind.
struct Workers(UnsafeCell<MaybeUninit<[worker::Small<worker::Fair>; MOST_WORKERS]>>);

// SAFETY: whoever is given a part of it has that alone.
unsafe impl Sync for Workers {}

static WORKERS: Workers = Workers(UnsafeCell::new(MaybeUninit::uninit()));

/// A worker that no rule has used.
fn kept<W: Default>() -> &'static W {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    const {
        assert!(size_of::<W>() <= size_of::<worker::Small<worker::Fair>>());
        assert!(align_of::<W>() <= align_of::<worker::Small<worker::Fair>>());
    }
    let place = GIVEN.fetch_add(1, Ordering::SeqCst) as usize;
    assert!(place < MOST_WORKERS, "a rule has too many workers");
    let first = WORKERS.0.get().cast::<worker::Small<worker::Fair>>();
    // SAFETY: one of the places, given out once; the worker fits, and stays there for good.
    unsafe {
        let worker = first.add(place).cast::<W>();
        worker.write(W::default());
        &*worker
    }
}

fn fresh() -> &'static worker::Small {
    kept()
}

fn fair() -> &'static worker::Small<worker::Fair> {
    kept()
}

fn choosy() -> &'static worker::Small<worker::Choosy> {
    kept()
}

#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    let mut text = [0; LONGEST];
    let number = line::arguments(&mut text).split_ascii_whitespace().nth(2).unwrap_or("the image");
    complain(format_args!("{number} is broken: {info}"));
    leave(false)
}

#[cfg(feature = "mutants")]
fn switch_on(name: Option<&str>) {
    use countermand_core::mutant::{Mutant, activate};
    if let Some(name) = name {
        let mutant = Mutant::ALL.iter().copied().find(|mutant| mutant.name() == name);
        activate(Some(mutant.unwrap_or_else(|| panic!("no mutant is called {name:?}"))));
    }
}

#[cfg(not(feature = "mutants"))]
fn switch_on(name: Option<&str>) {
    assert!(name.is_none(), "this image was built without mutants");
}

static PULLED: HeldToken<'static> = HeldToken::new();
static WIRED: HeldToken<'static> = HeldToken::below(&PULLED);

/// How often the handler looked.
static LOOKS: AtomicU32 = AtomicU32::new(0);

/// What the handler does.
#[derive(Clone, Copy)]
enum Task {
    /// Checks a token, and cancels its root at the hundredth time.
    Pull,
    /// Cancels the job.
    Cancel,
    /// Opens the gate of a job.
    Wake,
}

static TASK: Mutex<Cell<Task>> = Mutex::new(Cell::new(Task::Pull));
static JOB: Mutex<RefCell<Option<HeldHandle<u32, Infallible>>>> = Mutex::new(RefCell::new(None));
static GATE: HeldToken<'static> = HeldToken::new();

#[exception]
fn SysTick() {
    let looks = LOOKS.load(Ordering::SeqCst) + 1;
    LOOKS.store(looks, Ordering::SeqCst);
    match critical_section::with(|section| TASK.borrow(section).get()) {
        Task::Pull => {
            // A check, in the middle of whatever the interrupted code does with the same tree.
            let _ = WIRED.is_cancelled();
            if looks == 100 {
                assert!(PULLED.cancel_with(Cause::REQUESTED.with_code(7)), "the handler is the first");
            }
        }
        Task::Cancel => {
            // Taken out, as it locks by itself.
            if let Some(job) = critical_section::with(|section| JOB.borrow(section).take()) {
                assert!(job.cancel_with(Cause::REQUESTED.with_code(7)), "the handler is the first");
                assert!(!job.cancel());
                critical_section::with(|section| JOB.borrow(section).replace(Some(job)));
            }
            critical_section::with(|section| TASK.borrow(section).set(Task::Pull));
        }
        Task::Wake => {
            GATE.cancel_with(Cause::REQUESTED.with_code(7));
        }
    }
}

fn tick(task: Task) -> SYST {
    critical_section::with(|section| TASK.borrow(section).set(task));
    let mut timer = cortex_m::Peripherals::take().expect("they are taken once").SYST;
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(997);
    timer.clear_current();
    timer.enable_counter();
    timer.enable_interrupt();
    timer
}

fn t4_a_handler_checks_and_cancels() {
    let mut timer = tick(Task::Pull);
    let mut cx = Context::from_waker(Waker::noop());
    // Puts itself on the list and takes itself off, all the time, until the handler has cancelled.
    let cause = loop {
        let leaf = pin!(HeldToken::child_of(Pin::static_ref(&WIRED)));
        let mut wait = pin!(leaf.as_ref().cancelled_pinned());
        if let Poll::Ready(cause) = wait.as_mut().poll(&mut cx) {
            break cause;
        }
    };
    timer.disable_interrupt();
    assert_eq!(cause, Cause::REQUESTED.with_code(7));
    assert_eq!((WIRED.cause(), LOOKS.load(Ordering::SeqCst)), (Some(cause), 100));
}

/// Steps until the job is over, and sleeps where there is nothing to do: only the handler ends that.
fn run_with(task: Task, job: HeldHandle<u32, Infallible>, worker: &'static worker::Small) -> Outcome<u32, Infallible> {
    let mut driver = worker.attend().expect("nobody else drives it");
    critical_section::with(|section| JOB.borrow(section).replace(Some(job)));
    let mut cx = Context::from_waker(Waker::noop());
    let mut timer = tick(task);
    let mut job = loop {
        match driver.step(&mut cx, Instant::ORIGIN) {
            Step::Again => {}
            Step::Parked(None) => cortex_m::asm::wfi(),
            other => panic!("there is neither a time nor an end: {other:?}"),
        }
        let job = critical_section::with(|section| JOB.borrow(section).take());
        match job {
            Some(job) if job.is_finished() => break job,
            job => critical_section::with(|section| drop(JOB.borrow(section).replace(job))),
        }
    };
    timer.disable_interrupt();
    match Pin::new(&mut job).poll(&mut cx) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("it is finished"),
    }
}

fn j6_a_handler_cancels() {
    let worker = fresh();
    let job = worker.submit(HeldJob::task(core::future::pending::<u32>()), Instant::ORIGIN).expect("there is a slot");
    let outcome = run_with(Task::Cancel, job, worker);
    assert!(matches!(outcome, Outcome::Cancelled { cause, started: true } if cause == Cause::REQUESTED.with_code(7)));
}

fn l5_a_handler_wakes() {
    let worker = fresh();
    let wait =
        async { LOOKS.load(Ordering::SeqCst) + u32::from(GATE.cancelled().await.kind() == CauseKind::Requested) };
    let job = worker.submit(HeldJob::task(wait), Instant::ORIGIN).expect("there is a slot");
    assert!(
        matches!(run_with(Task::Wake, job, worker), Outcome::Completed(1)),
        "it began before the handler came, and went on after it"
    );
}

/// How deep the stack is below whoever uses it so.
#[inline(never)]
fn depth(use_it: impl FnOnce()) -> usize {
    let painted = Painted::new();
    use_it();
    assert!(painted.spare() > GUARD, "the depth that is looked for may be greater");
    painted.depth()
}

/// How deep a chain of tokens is: as there is room for.
const DEEPEST: usize = size_of::<Workers>() / size_of::<HeldToken<'static>>();

/// Where the tokens of a chain lie, one after the other: where other rules have their workers.
fn chain() -> *mut HeldToken<'static> {
    WORKERS.0.get().cast()
}

/// The stack is no deeper for a chain that is as deep as can be than for one of two.
fn in_bounded_stack(use_chain: fn(usize)) {
    let depth_of = |length| {
        let painted = Painted::new();
        use_chain(length);
        painted.depth()
    };
    let (short, long) = (depth_of(2), depth_of(DEEPEST));
    assert_eq!(short, long, "bytes of stack for a chain of two, and of {DEEPEST}");
}

/// Waits, cancels with three waiting on three levels, and drops.
#[inline(never)]
fn use_tokens() {
    let mut cx = Context::from_waker(Waker::noop());
    let root = pin!(HeldToken::new());
    let child = pin!(HeldToken::child_of(root.as_ref()));
    let leaf = pin!(HeldToken::child_of(child.as_ref()));
    let mut one = pin!(root.as_ref().cancelled_pinned());
    let mut two = pin!(child.as_ref().cancelled_pinned());
    let mut three = pin!(leaf.as_ref().cancelled_pinned());
    for wait in [&mut one, &mut two, &mut three] {
        assert!(wait.as_mut().poll(&mut cx).is_pending());
    }
    root.cancel();
    for wait in [&mut one, &mut two, &mut three] {
        assert!(wait.as_mut().poll(&mut cx).is_ready());
    }
}

/// An event is made, and written as a packet.
#[inline(never)]
fn use_event() {
    packet::write_one();
}

/// Jobs that wait for a token, sleep and are cancelled, each in its own way; the stack of the jobs is in it.
#[inline(never)]
fn use_worker(worker: &'static worker::Small) {
    static TOKEN: HeldToken<'static> = HeldToken::new();
    let mut driver = worker.attend().expect("nobody else drives it");
    let mut cx = Context::from_waker(Waker::noop());
    let mut wait = worker.submit(HeldJob::task(TOKEN.cancelled()), Instant::ORIGIN).expect("there is a slot");
    let mut sleep = worker.submit(HeldJob::task(worker.sleep(SECOND)), Instant::ORIGIN).expect("there is a slot");
    let mut late = worker
        .submit(HeldJob::task(worker.sleep(SECOND * 9)).run_timeout(SECOND), Instant::ORIGIN)
        .expect("there is a slot");
    let cut = worker.submit(HeldJob::task(worker.sleep(SECOND * 9)), Instant::ORIGIN).expect("there is a slot");
    let mut run = |now| while driver.step(&mut cx, now) == Step::Again {};
    run(Instant::ORIGIN);
    TOKEN.cancel();
    cut.cancel();
    run(Instant::ORIGIN);
    let end = Instant::from_nanos(2_000_000_000);
    run(end);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(Pin::new(&mut wait).poll(&mut cx), Poll::Ready(Outcome::Completed(_))));
    assert!(matches!(Pin::new(&mut sleep).poll(&mut cx), Poll::Ready(Outcome::Completed(()))));
    run(end);
    run(Instant::from_nanos(4_000_000_000));
    assert!(matches!(Pin::new(&mut late).poll(&mut cx), Poll::Ready(Outcome::TimedOut { .. })));
}

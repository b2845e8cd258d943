//! The paths through the core whose instructions are counted. All run on one thread, in the steady state, 64 at a time.

use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use countermand::{
    Handle, Heap, Instant, Intake, Job, Payload, Priority, Reporter, Shelf, Source, Token, WorkerConfig, priority_queue,
};

use super::bursts;
use super::stage::Stage;
use crate::idioms::work::{TIMEOUT, pending_once, ready};
use crate::questions::{m3, m4};

/// How many are done at a time.
pub(super) const BATCH: u64 = 64;

/// What a path may take.
#[derive(Clone, Copy)]
pub(super) enum Bound {
    /// So many instructions.
    Count(f64),
    /// So many times what another path takes.
    Times(&'static str, f64),
}

use Bound::{Count, Times};

/// A path.
pub(super) struct Path {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    /// What it may take.
    pub(super) goal: Option<Bound>,
    /// How often it is walked, and twice that.
    pub(super) times: u64,
    pub(super) walk: fn(u64),
}

const TIMES: u64 = 100 * BATCH;

/// The twelve of the core, five more that are goals, three of jobs that come in thousands, and two limits.
pub(super) static ALL: &[Path] = &[
    Path {
        name: "token check",
        what: "is_cancelled, with the loop",
        goal: Some(Times("a load", 1.1)),
        times: TIMES,
        walk: check,
    },
    Path {
        name: "clone",
        what: "a token cloned and dropped",
        goal: Some(Times("an Arc", 1.05)),
        times: TIMES,
        walk: clone,
    },
    Path { name: "child", what: "a child made and dropped", goal: Some(Count(220.0)), times: TIMES, walk: child },
    Path {
        name: "register",
        what: "a wait polled once and dropped",
        goal: Some(Count(100.0)),
        times: TIMES,
        walk: register,
    },
    Path {
        name: "submit",
        what: "a job into the queue",
        goal: None,
        times: TIMES,
        walk: |times| jobs(times, Part::Submit),
    },
    Path { name: "run", what: "a turn of a job that stays, and its wake", goal: None, times: TIMES, walk: turns },
    Path {
        name: "settle",
        what: "out of the queue, polled, settled",
        goal: None,
        times: TIMES,
        walk: |times| jobs(times, Part::Settle),
    },
    Path {
        name: "await",
        what: "the outcome taken, the handle dropped",
        goal: None,
        times: TIMES,
        walk: |times| jobs(times, Part::Await),
    },
    Path { name: "queue push and pop", what: "of four priorities", goal: None, times: TIMES, walk: push_and_pop },
    Path {
        name: "queue send and receive",
        what: "the same between tasks, nobody waiting",
        goal: Some(Count(190.0)),
        times: TIMES,
        walk: send_and_receive,
    },
    Path {
        name: "event",
        what: "made, and left for the next outlet that has a turn",
        goal: None,
        times: TIMES,
        walk: event,
    },
    Path {
        name: "event, by its fields",
        what: "one of the catalogue, left for the next outlet that has a turn",
        goal: None,
        times: TIMES,
        walk: said,
    },
    Path { name: "wake", what: "registered, cancelled, woken", goal: Some(Count(200.0)), times: TIMES, walk: wake },
    Path {
        name: "cancel, each waited on",
        what: "a child of the root that is cancelled, and its only wait",
        goal: Some(Count(20.0)),
        times: TIMES,
        walk: sweep,
    },
    Path {
        name: "job",
        what: "submit, settle, await",
        goal: Some(Count(400.0)),
        times: TIMES,
        walk: |times| jobs(times, Part::All),
    },
    Path {
        name: "job, pending once",
        what: "submit, two polls, await",
        goal: Some(Count(650.0)),
        times: TIMES,
        walk: pending,
    },
    Path {
        name: "job, telemetry",
        what: "counters, distributions, an event",
        goal: Some(Count(520.0)),
        times: TIMES,
        walk: telemetry,
    },
    Path {
        name: "job, in a burst",
        what: "6,400 queued at a time: submit, settle, await",
        goal: None,
        times: bursts::MOST,
        walk: bursts::queued,
    },
    Path {
        name: "job, asleep",
        what: "6,400 at a time: submit, a sleep of 1 ms, await",
        goal: None,
        times: bursts::MOST,
        walk: bursts::asleep,
    },
    Path {
        name: "job, cancelled",
        what: "6,400 running: their parent's cancel, settle, await",
        goal: None,
        times: bursts::MOST,
        walk: bursts::cancelled,
    },
    Path { name: "a load", what: "the limit of a token check", goal: None, times: TIMES, walk: load },
    Path { name: "an Arc", what: "the limit of a clone", goal: None, times: TIMES, walk: arc },
];

/// What runs in here is counted.
#[inline(never)]
pub(super) fn measured<T>(work: impl FnOnce() -> T) -> T {
    // Looked at afterwards, so that this frame is there until the work is done.
    black_box(work())
}

fn check(times: u64) {
    let token = Token::new();
    measured(|| {
        for _ in 0..times {
            assert!(!black_box(&token).is_cancelled(), "nobody cancels it");
        }
    });
}

fn load(times: u64) {
    let flag = AtomicBool::new(false);
    measured(|| {
        for _ in 0..times {
            assert!(!black_box(&flag).load(Ordering::Acquire), "nobody sets it");
        }
    });
}

fn arc(times: u64) {
    let shared = Arc::new(0_u64);
    measured(|| {
        for _ in 0..times {
            drop(black_box(black_box(&shared).clone()));
        }
    });
}

fn clone(times: u64) {
    let token = Token::new();
    measured(|| {
        for _ in 0..times {
            drop(black_box(black_box(&token).clone()));
        }
    });
}

fn child(times: u64) {
    let token = Token::new();
    measured(|| {
        for _ in 0..times {
            drop(black_box(black_box(&token).child_token()));
        }
    });
}

fn register(times: u64) {
    let root = Token::new();
    let token = root.child_token();
    measured(|| {
        for _ in 0..times {
            let wait = pin!(black_box(&token).cancelled());
            assert!(wait.poll(&mut Context::from_waker(Waker::noop())).is_pending(), "nobody cancels it");
        }
    });
}

fn wake(times: u64) {
    let root = Token::new();
    for _ in 0..times / BATCH {
        let tokens: Vec<Token> = (0..BATCH).map(|_| root.child_token()).collect();
        measured(|| {
            let mut context = Context::from_waker(Waker::noop());
            for token in &tokens {
                let mut wait = pin!(token.cancelled());
                assert!(wait.as_mut().poll(&mut context).is_pending(), "nobody has cancelled it");
                token.cancel();
                assert!(wait.poll(&mut context).is_ready(), "it was cancelled");
            }
        });
    }
}

/// A root of 64 children at a time, each with one who waits.
fn sweep(times: u64) {
    for _ in 0..times / BATCH {
        let root = Token::new();
        let mut waits: Vec<_> = (0..BATCH).map(|_| Box::pin(root.child_token().cancelled_owned())).collect();
        let mut context = Context::from_waker(Waker::noop());
        for wait in &mut waits {
            assert!(wait.as_mut().poll(&mut context).is_pending(), "nobody has cancelled it");
        }
        measured(|| assert!(black_box(&root).cancel(), "nobody did before"));
        assert!(waits.iter_mut().all(|wait| wait.as_mut().poll(&mut context).is_ready()), "all were cancelled");
    }
}

/// Which part of a job's life is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Submit,
    Settle,
    Await,
    All,
}

/// Runs `work` counted, or not.
fn counted<T>(is: bool, work: impl FnOnce() -> T) -> T {
    if is { measured(work) } else { work() }
}

fn config() -> WorkerConfig {
    WorkerConfig::new().lanes(BATCH as usize)
}

fn jobs(times: u64, part: Part) {
    batches(times, part, config(), ready);
}

fn pending(times: u64) {
    batches(times, Part::All, config(), pending_once);
}

fn telemetry(times: u64) {
    batches(times, Part::All, config().observer(Arc::new(m4::All::new())), ready);
}

fn batches<F>(times: u64, part: Part, config: WorkerConfig, body: fn(u64) -> F)
where
    F: Future<Output = u64> + Send + 'static,
{
    let mut stage = Stage::new(config);
    let mut handles: Vec<Handle<u64>> = Vec::with_capacity(BATCH as usize);
    // The driver is parked when the first job comes, as it is afterwards.
    stage.settle();
    for _ in 0..times / BATCH {
        let all = part == Part::All;
        counted(all || part == Part::Submit, || {
            for number in 0..BATCH {
                let job = Job::task(body(number)).priority(Priority::Normal).run_timeout(TIMEOUT);
                handles.push(stage.worker.try_submit(job).expect("there is room"));
            }
        });
        counted(all || part == Part::Settle, || stage.settle());
        counted(all || part == Part::Await, || handles.drain(..).for_each(finished));
    }
}

fn finished(mut handle: Handle<u64>) {
    match Pin::new(&mut handle).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => assert!(outcome.completed().is_some(), "nobody cancels it"),
        Poll::Pending => unreachable!("the driver has run out of work"),
    }
}

/// As many jobs as lanes, each of which wants another turn at once.
fn turns(times: u64) {
    let mut stage = Stage::new(config());
    let restless = || {
        poll_fn(|context: &mut Context<'_>| {
            context.waker().wake_by_ref();
            Poll::<u64>::Pending
        })
    };
    let submit = |_| stage.worker.try_submit(Job::task(restless()).run_timeout(TIMEOUT)).expect("there is room");
    let handles: Vec<_> = (0..BATCH).map(submit).collect();
    // Until all are in their lanes, with their wakers made.
    (0..4 * BATCH).for_each(|_| assert!(stage.step(), "they want turns"));
    measured(|| (0..times).for_each(|_| assert!(stage.step(), "they want turns")));
    drop(handles);
}

fn push_and_pop(times: u64) {
    let mut shelf: Shelf<u64, Heap> = Shelf::with_capacity(BATCH as usize);
    for _ in 0..times / BATCH {
        measured(|| {
            for number in 0..BATCH {
                let priority = Priority::ALL[(number & 3) as usize];
                assert!(black_box(&mut shelf).push(priority, number).is_ok(), "there is room");
            }
            while let Some(highest) = black_box(&mut shelf).highest() {
                black_box(shelf.pop(highest));
            }
        });
    }
}

fn send_and_receive(times: u64) {
    let (sender, receiver) = priority_queue::bounded(BATCH as usize);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..times / BATCH {
        measured(|| {
            for number in 0..BATCH {
                let sent = pin!(black_box(&sender).send(number, Priority::ALL[(number & 3) as usize]));
                assert!(matches!(sent.poll(&mut context), Poll::Ready(Ok(()))), "there is room");
            }
            while let Poll::Ready(received) = pin!(black_box(&receiver).recv()).poll(&mut context) {
                assert!(black_box(received).is_ok(), "it is open");
            }
        });
    }
}

fn event(times: u64) {
    told(times, |reporter, number| reporter.take(&m3::event(number)));
}

fn said(times: u64) {
    told(times, |reporter, number| reporter.take_said(&m3::said(number)));
}

fn told(times: u64, tell: impl Fn(&Reporter<Payload>, u64)) {
    let (router, mut outlets) = m3::router();
    let reporter = router.reporter(Source::of("kasmina"), 1, || Instant::ORIGIN);
    for _ in 0..times / BATCH {
        measured(|| (0..BATCH).for_each(|number| tell(&reporter, black_box(number))));
        outlets.iter_mut().take(1).for_each(m3::drain);
    }
    assert_eq!(reporter.refused(), 0);
}

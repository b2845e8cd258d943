//! What a worker does about jobs that nobody can stop: a poll that holds its driver up (L3), a call that does not end (B4).
#![cfg(feature = "std")]

mod common;

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::bench::{Bench, Hand, take};
use countermand_core::{
    Assembly, Class, Drive, Job, JobInfo, JobState, Metrics, Observer, Outcome, Priority, Settled, Shutdown, Worker,
    WorkerConfig,
};

const SECOND: Duration = Duration::from_secs(1);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

fn config() -> WorkerConfig {
    WorkerConfig::new().lanes(2).drivers(1).capacity(8).watchdog(Some(SECOND)).shutdown_limit(SECOND * 5)
}

/// A worker of one driver, whose keeper has a turn whenever it is told to: also in the midst of a poll.
struct Crew {
    host: Arc<Hand>,
    worker: Worker,
    driver: Pin<Box<Drive<Hand>>>,
    keeper: Turns,
}

#[derive(Clone)]
struct Turns(Arc<Mutex<Pin<Box<Drive<Hand>>>>>);

impl Turns {
    fn turn(&self) -> bool {
        self.0.lock().expect("free").as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }
}

impl Crew {
    fn new(config: WorkerConfig) -> Self {
        let host = Arc::new(Hand::default());
        let (worker, attendants) = Assembly::new(config, host.clone()).expect("a good config").into_parts();
        assert_eq!(attendants.iter().map(Drive::index).collect::<Vec<_>>(), [Some(0), None]);
        let mut attendants = attendants.into_iter().map(Box::pin);
        let (driver, keeper) = (attendants.next().expect("one"), attendants.next().expect("and the keeper"));
        Self { host, worker, driver, keeper: Turns(Arc::new(Mutex::new(keeper))) }
    }

    fn turn(&mut self) -> bool {
        self.driver.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    /// Submits a job whose first polls do what `during` says, the first with 0; it is never ready.
    fn hold(
        &self,
        name: &'static str,
        polls: u32,
        mut during: impl FnMut(u32, &Hand, &Turns) + Send + 'static,
    ) -> countermand_core::Handle<()> {
        let (host, keeper, mut poll) = (self.host.clone(), self.keeper.clone(), 0);
        let body = poll_fn(move |cx| {
            if poll < polls {
                during(poll, &host, &keeper);
                cx.waker().wake_by_ref();
            }
            poll += 1;
            Poll::Pending
        });
        self.worker.try_submit(Job::task(body).name(name).priority(Priority::High)).expect("a place")
    }
}

/// Writes down who is said to hold up a driver, and for how long.
#[derive(Default)]
struct Stalls(Mutex<Vec<(String, Duration)>>, Metrics);

impl Observer for Stalls {
    fn stalled(&self, job: &JobInfo, held: Duration) {
        assert_eq!((job.state, job.priority), (JobState::Running, Priority::High));
        self.0.lock().expect("free").push((job.name.to_string(), held));
        self.1.stalled(job, held);
    }
}

#[test]
fn a_poll_that_holds_its_driver_is_told_of_once() {
    let stalls = Arc::new(Stalls::default());
    let mut crew = Crew::new(config().observer(stalls.clone()));
    let handle = crew.hold("slow", 3, |poll, host, keeper| {
        // The first is just within the limit, the second looked at again and again, the third too long again.
        keeper.turn();
        host.pass(SECOND - Duration::from_nanos(1));
        keeper.turn();
        if poll > 0 {
            for _ in 0..3 {
                host.pass(Duration::from_nanos(1));
                keeper.turn();
            }
        }
    });
    for _ in 0..20 {
        crew.turn();
        crew.keeper.turn();
    }
    let told = stalls.0.lock().expect("free").clone();
    assert_eq!(told, [("slow".to_owned(), SECOND), ("slow".to_owned(), SECOND)]);
    let figure = |name: &str| {
        stalls
            .1
            .snapshot()
            .samples()
            .find(|one| one.name == name && one.priority == Priority::High)
            .map(|one| one.value)
    };
    assert_eq!(figure("countermand.jobs.stalled"), Some(2));
    drop(handle);
}

#[test]
fn nobody_is_looked_after_without_a_limit_nor_when_everybody_rests() {
    let stalls = Arc::new(Stalls::default());
    let mut crew = Crew::new(config().watchdog(None).observer(stalls.clone()));
    let _slow = crew.hold("slow", 2, |_, host, keeper| {
        host.pass(SECOND * 100);
        keeper.turn();
    });
    for _ in 0..10 {
        crew.turn();
        crew.keeper.turn();
    }
    assert_eq!(stalls.0.lock().expect("free").len(), 0);

    // A bench polls only whoever was woken: one that looked for ever would never come to rest.
    let mut bench = Bench::new(config().observer(stalls.clone()));
    let _resting = bench.worker.try_submit(Job::task(pending::<()>())).expect("a place");
    bench.run();
    bench.advance(SECOND);
    bench.advance(SECOND * 100);
    assert_eq!(stalls.0.lock().expect("free").len(), 0, "one that rests holds up nobody");
}

#[test]
fn b4_a_call_that_does_not_end_is_left_to_itself_at_the_limit() {
    let crew = Bench::with_threads(config());
    let (worker, host) = (crew.worker.clone(), crew.host.clone());
    let crew = Arc::new(Mutex::new(crew));
    let seen: Arc<Mutex<Vec<Class>>> = Arc::default();
    let (inside, note, door) = (crew.clone(), seen.clone(), worker.clone());
    let call = Job::call(move |cx| {
        // It is in here, and the worker is to end.
        let mut wait = door.shutdown(Shutdown::Abort);
        let mut crew = inside.lock().expect("free");
        crew.run();
        assert!(cx.is_cancelled());
        assert_eq!(cx.name(), "for ever");
        crew.advance(SECOND * 5 - Duration::from_nanos(1));
        assert_eq!(door.counts().abandoned, 0, "the limit has not passed");
        crew.advance(Duration::from_nanos(1));
        let report = take(&mut wait);
        let names: Vec<_> = report.survivors.iter().map(|job| job.name.to_string()).collect();
        assert_eq!((names, report.counts.abandoned), (vec!["for ever".to_owned()], 1));
        note.lock().expect("free").push(Class::Abandoned);
    });
    let mut handle = worker.try_submit(call.name("for ever")).expect("a place");
    crew.lock().expect("free").run();
    host.run_calls();
    assert_eq!(seen.lock().expect("free").len(), 1, "the call came to its end");
    assert!(matches!(take(&mut handle), Outcome::Abandoned));
    assert!(worker.counts().balances());
}

#[test]
fn s4_a_poll_that_does_not_end_is_left_when_it_is_the_same_at_two_looks() {
    let mut crew = Crew::new(config());
    let worker = crew.worker.clone();
    let report = Arc::new(Mutex::new(None));
    let out = report.clone();
    let _stuck = crew.hold("stuck", 1, move |_, host, keeper| {
        let mut wait = worker.shutdown(Shutdown::Abort);
        keeper.turn();
        host.pass(SECOND * 5);
        // The limit has passed. That this poll is the one of the look when the abort began is seen at once.
        keeper.turn();
        host.pass(BETWEEN_LOOKS);
        keeper.turn();
        *out.lock().expect("free") = Some(take(&mut wait));
    });
    let mut bystander = crew.worker.try_submit(Job::task(pending::<()>()).name("bystander")).expect("a place");
    for _ in 0..10 {
        crew.turn();
    }
    let report = report.lock().expect("free").take().expect("the worker has ended without its driver");
    let mut names: Vec<_> = report.survivors.iter().map(|job| job.name.to_string()).collect();
    names.sort_unstable();
    assert!(names.contains(&"stuck".to_owned()), "{report:?}");
    assert!(report.counts.balances(), "{report:?}");
    // Its driver comes back, and settles what it has.
    assert!(take(&mut bystander).is_cancelled());
    assert_eq!(crew.worker.counts().unsettled, 0);
}

#[test]
fn s4_a_poll_that_is_merely_in_progress_when_the_limit_passes_is_waited_for() {
    let mut crew = Crew::new(config());
    let worker = crew.worker.clone();
    let waits = Arc::new(Mutex::new(None));
    let keep = waits.clone();
    let _busy = crew.hold("busy", 4, move |poll, host, keeper| match poll {
        0 => {
            *keep.lock().expect("free") = Some(worker.shutdown(Shutdown::DrainFor(SECOND)));
            keeper.turn();
        }
        1 => {
            host.pass(SECOND);
            keeper.turn();
        }
        _ => {
            host.pass(SECOND * 5);
            keeper.turn();
        }
    });
    for _ in 0..20 {
        crew.turn();
        crew.keeper.turn();
    }
    let mut wait = waits.lock().expect("free").take().expect("it was asked to end");
    let report = take(&mut wait);
    assert_eq!(report.survivors.len(), 0, "{report:?}");
    assert_eq!((report.counts.cancelled, report.counts.unsettled), (1, 0), "{report:?}");
    assert_eq!(report.cut_off.iter().map(|job| job.name.to_string()).collect::<Vec<_>>(), ["busy"]);
}

/// Counts what the hooks say.
#[derive(Default)]
struct Hooks(Mutex<Vec<&'static str>>);

impl Observer for Hooks {
    fn evicted(&self, _: &JobInfo) {
        self.0.lock().expect("free").push("evicted");
    }

    fn settled(&self, job: &JobInfo, _: &Settled) {
        assert_eq!(job.state, JobState::Settled);
        self.0.lock().expect("free").push("settled");
    }
}

#[test]
fn q5_who_makes_room_is_told_as_evicted_and_then_as_settled() {
    let (hooks, metrics) = (Arc::new(Hooks::default()), Arc::new(Metrics::new()));
    for observer in [hooks.clone() as Arc<dyn Observer>, metrics.clone()] {
        let config = config().lanes(1).capacity(1).full(countermand_core::FullPolicy::EvictLowest).observer(observer);
        let mut bench = Bench::new(config);
        assert_eq!(bench.worker.full_policy(), countermand_core::FullPolicy::EvictLowest);
        let running = bench.worker.try_submit(Job::task(pending::<()>())).expect("a place");
        bench.run();
        let low = bench.worker.try_submit(Job::task(async {}).priority(Priority::Low)).expect("a place");
        let high = bench.worker.try_submit(Job::task(async {}).priority(Priority::High)).expect("its place");
        bench.run();
        assert!(low.is_finished() && !high.is_finished() && !running.is_finished());
    }
    // What follows is that the others go with their worker.
    assert_eq!(hooks.0.lock().expect("free")[..2], ["evicted", "settled"]);
    let figures = metrics.snapshot();
    let evicted = |priority| {
        figures
            .samples()
            .find(|one| one.name == "countermand.jobs.evicted" && one.priority == priority)
            .map(|one| one.value)
    };
    assert_eq!(Priority::ALL.map(evicted), [Some(1), Some(0), Some(0), Some(0)]);
}

//! The books of a worker, kept twice: random jobs, requests, drops and shutdowns under many seeds, counted from outside.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use countermand_core::{Class, FullPolicy, Handle, Job, Phase, Priority, Shutdown, Token, Work, Worker, WorkerConfig};
use countermand_sim::{Rng, Sim, Spawned};

/// What was seen from outside.
#[derive(Default)]
struct Seen {
    /// Bodies alive.
    alive: AtomicUsize,
    /// Jobs between their first poll and their drop.
    running: AtomicUsize,
    /// The most of those at once.
    most_running: AtomicUsize,
    classes: Mutex<Vec<Class>>,
    accepted: AtomicUsize,
    refused: AtomicUsize,
    /// What a job saw that it should not have; its own panic would only be its outcome.
    faults: Mutex<Vec<&'static str>>,
}

impl Seen {
    fn expect(&self, fine: bool, otherwise: &'static str) {
        if !fine {
            self.faults.lock().expect("no panic under it").push(otherwise);
        }
    }
}

/// What every body captures.
struct Body {
    seen: Arc<Seen>,
    begun: bool,
    gone: Arc<AtomicBool>,
}

impl Body {
    fn new(seen: &Arc<Seen>, gone: &Arc<AtomicBool>) -> Self {
        seen.alive.fetch_add(1, SeqCst);
        Self { seen: Arc::clone(seen), begun: false, gone: Arc::clone(gone) }
    }

    fn begin(&mut self, token: &Token) {
        self.seen.expect(!self.begun, "X2: begun twice");
        self.seen.expect(!token.is_cancelled(), "J2: polled although it was cancelled before");
        self.begun = true;
        let running = self.seen.running.fetch_add(1, SeqCst) + 1;
        self.seen.most_running.fetch_max(running, SeqCst);
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.seen.alive.fetch_sub(1, SeqCst);
        self.seen.expect(!self.gone.swap(true, SeqCst), "X2: dropped twice");
        if self.begun {
            self.seen.running.fetch_sub(1, SeqCst);
        }
    }
}

fn pick<T: Copy>(random: &mut Rng, of: &[T]) -> T {
    of[usize::try_from(random.below(of.len() as u64)).unwrap_or(0)]
}

fn millis(random: &mut Rng, below: u64) -> Duration {
    Duration::from_millis(random.below(below))
}

/// What all who take part in one run share.
#[derive(Clone)]
struct Run {
    sim: Sim,
    worker: Worker,
    seen: Arc<Seen>,
    parent: Token,
    crowd: Arc<Crowd>,
}

/// Those who submit and follow: tasks of the sim, or, if the sim is to be stopped, part of the future of `block_on`, which outlives it.
#[derive(Default)]
struct Crowd {
    outlives: bool,
    tasks: Mutex<Vec<Spawned<()>>>,
    parts: Mutex<Vec<Pin<Box<dyn Future<Output = ()> + Send>>>>,
}

impl Crowd {
    fn add(&self, sim: &Sim, name: &str, future: impl Future<Output = ()> + Send + 'static) {
        if self.outlives {
            self.parts.lock().expect("no panic under it").push(Box::pin(future));
        } else {
            self.tasks.lock().expect("no panic under it").push(sim.spawn_named(name, future));
        }
    }

    /// Waits for all, and for those whom they add.
    async fn ends(&self) {
        let mut parts = Vec::new();
        poll_fn(|cx| {
            loop {
                parts.append(&mut self.parts.lock().expect("no panic under it"));
                let before = parts.len();
                parts.retain_mut(|part| part.as_mut().poll(cx).is_pending());
                if self.parts.lock().expect("no panic under it").is_empty() {
                    return if parts.is_empty() { Poll::Ready(()) } else { Poll::Pending };
                }
                assert!(before > 0);
            }
        })
        .await;
        loop {
            let task = self.tasks.lock().expect("no panic under it").pop();
            match task {
                Some(task) => task.await.expect("nobody aborts it"),
                None => return,
            }
        }
    }
}

impl Run {
    fn task(&self, mut body: Body, mut random: Rng) -> Job<impl Work<Value = u64, Error = Infallible> + use<>> {
        let sim = self.sim.clone();
        Job::task_with(move |cx| async move {
            body.begin(cx.token());
            for _ in 0..random.below(6) {
                match random.below(10) {
                    0..=3 => cx.yield_now().await,
                    4..=6 => cx.sleep(millis(&mut random, 8)).await,
                    7 => sim.sleep(millis(&mut random, 8)).await,
                    8 => drop(cx.timeout(millis(&mut random, 4), cx.sleep(millis(&mut random, 8))).await),
                    _ if random.below(4) == 0 => panic!("a job's own panic"),
                    _ if random.below(4) == 0 => drop(cx.token().cancel()),
                    _ => {}
                }
            }
            drop(body);
            random.next_u64()
        })
    }

    fn call(&self, mut body: Body, mut random: Rng) -> Job<impl Work<Value = u64, Error = Infallible> + use<>> {
        let sim = self.sim.clone();
        let abandonable = random.below(2) == 0;
        let job = Job::call(move |cx| {
            body.begin(cx.token());
            for _ in 0..random.below(4) {
                match random.below(8) {
                    0 => drop(cx.is_cancelled()),
                    1 => sim.block_on(sim.yield_now()),
                    2 if random.below(4) == 0 => panic!("a job's own panic"),
                    _ => sim.block_on(sim.sleep(millis(&mut random, 8))),
                }
            }
            drop(body);
            random.next_u64()
        });
        if abandonable { job.abandonable() } else { job }
    }

    fn options<W: Work>(&self, job: Job<W>, random: &mut Rng) -> Job<W> {
        let job = job.priority(pick(random, &[Priority::Low, Priority::Normal, Priority::High, Priority::Critical]));
        let job = if random.below(3) == 0 { job.run_timeout(millis(random, 20)) } else { job };
        let job = if random.below(3) == 0 { job.queue_timeout(millis(random, 20)) } else { job };
        let job = if random.below(4) == 0 { job.grace(millis(random, 10)) } else { job };
        let job = if random.below(4) == 0 { job.parent(&self.parent) } else { job };
        if random.below(4) == 0 { job.cancel_on_drop() } else { job }
    }

    /// Submits in one of the ways there are; `None` if it gave up while it waited, or was refused.
    async fn submit<W>(&self, job: Job<W>, random: &mut Rng) -> Option<Handle<u64>>
    where
        W: Work<Value = u64, Error = Infallible>,
    {
        let job = self.options(job, random);
        let submitted = if random.below(3) == 0 {
            self.worker.try_submit(job)
        } else {
            // Half of them wait for as long as it takes: a forgotten one is a stall.
            let limit = if random.below(2) == 0 { Duration::MAX } else { millis(random, 30) };
            let mut limit = pin!(self.sim.sleep(limit));
            let mut submit = pin!(self.worker.submit(job));
            let either = poll_fn(|cx| match submit.as_mut().poll(cx) {
                Poll::Ready(submitted) => Poll::Ready(Some(submitted)),
                Poll::Pending => limit.as_mut().poll(cx).map(|()| None),
            });
            either.await? // Q6
        };
        match submitted {
            Ok(handle) => {
                self.seen.accepted.fetch_add(1, SeqCst);
                Some(handle)
            }
            Err(_given_back) => {
                self.seen.refused.fetch_add(1, SeqCst);
                None
            }
        }
    }

    /// Follows one job to its end, or leaves it.
    async fn follow(self, handle: Handle<u64>, gone: Arc<AtomicBool>, mut random: Rng) {
        let (seen, dropped) = (Arc::clone(&self.seen), Arc::clone(&gone));
        handle.on_done(move |class| {
            let fine = dropped.load(SeqCst) || class == Class::Abandoned;
            seen.expect(fine, "J7: settled before the task was dropped");
            seen.classes.lock().expect("no panic under it").push(class);
        });
        for _ in 0..random.below(4) {
            match random.below(3) {
                0 => self.sim.yield_now().await,
                _ => self.sim.sleep(millis(&mut random, 6)).await,
            }
        }
        match random.below(4) {
            0 => return drop(handle),
            1 => drop(handle.cancel()),
            _ => {}
        }
        let outcome = handle.await;
        let fine = gone.load(SeqCst) || outcome.class() == Class::Abandoned;
        self.seen.expect(fine, "J7: the handle was ready before the task was dropped");
    }

    async fn submitter(self, mut random: Rng) {
        for _ in 0..10 {
            let gone = Arc::new(AtomicBool::new(false));
            let body = Body::new(&self.seen, &gone);
            let accepted = if random.below(6) == 0 {
                let call = self.call(body, random.fork());
                self.submit(call, &mut random).await
            } else {
                let task = self.task(body, random.fork());
                self.submit(task, &mut random).await
            };
            if let Some(handle) = accepted {
                let follow = self.clone().follow(handle, gone, random.fork());
                self.crowd.add(&self.sim, "follower", follow);
            }
            if random.below(2) == 0 {
                self.sim.sleep(millis(&mut random, 4)).await;
            }
        }
    }
}

/// Runs one seed; returns how the jobs ended, as the outside saw it, and how many were refused.
fn audit(sim: &Sim) -> (Vec<Class>, usize) {
    let mut random = sim.rng();
    if random.below(2) == 0 {
        sim.set_lateness(Duration::from_millis(5));
    }
    if random.below(2) == 0 {
        sim.set_turn_cost(Duration::from_micros(200));
    }
    let lanes = 1 + usize::try_from(random.below(4)).unwrap_or(0);
    let drivers = 1 + usize::try_from(random.below(lanes as u64)).unwrap_or(0);
    let full = pick(&mut random, &[FullPolicy::Wait, FullPolicy::Reject, FullPolicy::EvictLowest]);
    let config = WorkerConfig::new().lanes(lanes).drivers(drivers).capacity(3).full(full);
    let worker = sim.start(config).expect("a valid configuration");
    let disturb = random.below(5);
    let crowd = Arc::new(Crowd { outlives: disturb == 4, ..Crowd::default() });
    let run = Run { sim: sim.clone(), worker: worker.clone(), seen: Arc::default(), parent: Token::new(), crowd };
    for number in 0..3 {
        run.crowd.add(sim, &format!("submitter {number}"), run.clone().submitter(random.fork()));
    }
    let when = millis(&mut random, 40);
    let (own, disturbed) = (sim.clone(), run.clone());
    let disturbance = async move {
        own.sleep(when).await;
        match disturb {
            0 => drop(disturbed.parent.cancel()),
            1 => drop(disturbed.worker.shutdown(Shutdown::Abort)),
            2 => drop(disturbed.worker.shutdown(Shutdown::DrainFor(Duration::from_millis(5)))),
            3 => {}
            _ => own.stop(), // S6
        }
    };
    run.crowd.add(sim, "disturbance", disturbance);
    let report = sim.block_on(async {
        // L6: they end before anybody calls for shutdown, if nobody did.
        run.crowd.ends().await;
        worker.shutdown(Shutdown::Drain).await
    });
    assert!(report.survivors.is_empty(), "{report:?}");
    let counts = report.counts;
    // What was abandoned may still be running.
    sim.run_for(Duration::from_secs(1));
    let seen = &run.seen;
    // Q1, X2, X4
    assert!(seen.most_running.load(SeqCst) <= lanes);
    assert_eq!(seen.alive.load(SeqCst), 0, "bodies are left");
    assert_eq!(*seen.faults.lock().expect("no panic under it"), [""; 0]);
    // J1, S7: by the outside's count and by the worker's.
    let classes = seen.classes.lock().expect("no panic under it");
    let accepted = seen.accepted.load(SeqCst);
    assert_eq!(classes.len(), accepted, "settled otherwise than once each");
    let count = |class: fn(&Class) -> bool| classes.iter().filter(|&one| class(one)).count() as u64;
    assert_eq!(counts.accepted, accepted as u64);
    assert_eq!(counts.completed, count(|class| *class == Class::Completed));
    assert_eq!(counts.cancelled, count(|class| matches!(class, Class::Cancelled { .. })));
    assert_eq!(counts.timed_out, count(|class| matches!(class, Class::TimedOut(Phase::Queued | Phase::Running))));
    assert_eq!(counts.panicked, count(|class| *class == Class::Panicked));
    assert_eq!(counts.abandoned, count(|class| *class == Class::Abandoned));
    let ended =
        counts.completed + counts.failed + counts.cancelled + counts.timed_out + counts.panicked + counts.abandoned;
    assert_eq!(counts.accepted, ended);
    classes.iter().for_each(|class| sim.note(format!("{class:?}")));
    (classes.clone(), seen.refused.load(SeqCst))
}

#[test]
fn the_books_agree_whatever_the_order() {
    // The panics of jobs are part of it; their messages would bury a real failure.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload_as_str() != Some("a job's own panic") {
            hook(info);
        }
    }));
    let seeds = std::env::var("SIM_AUDIT_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    let (mut met, mut refused) = (BTreeMap::new(), 0);
    let explored = Sim::explore(0..seeds, |sim| {
        let (classes, refusals) = audit(sim);
        classes.into_iter().for_each(|class| *met.entry(format!("{class:?}")).or_insert(0_u64) += 1);
        refused += refusals;
    });
    println!("{explored:?}\n{refused} refused\n{met:#?}");
    assert!(explored.schedules * 100 >= explored.runs * 99, "{explored:?}");
    // The control: what is meant to happen did.
    assert!(refused > 0);
    for kind in [
        "Completed",
        "Panicked",
        "TimedOut(Queued)",
        "TimedOut(Running)",
        "Abandoned",
        "Requested",
        "Shutdown",
        "HandleDropped",
        "Evicted",
    ] {
        assert!(met.keys().any(|class| class.contains(kind)), "no {kind} in {met:#?}");
    }
    let _ = Sim::assert_replays(1, |sim| drop(audit(sim)));
}

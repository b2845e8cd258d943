//! The soak of one host, in a process of its own: laps of jobs, each until everything is at rest; then audit, shutdown, storms.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use countermand_core::{
    Discipline, Job, JobInfo, Metrics, Observer, Priority, RejectReason, Settled, Shutdown, Token, Worker, WorkerConfig,
};
use fastrand::Rng;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use serde::{Deserialize, Serialize};

use super::ledger::{Faults, Ledger, Line};
use super::mix::Mix;
use super::pulse::move_on;
use super::storm::{self, Storm};
use super::story::Stage;
use super::vitals::Vitals;
use crate::{Bench, Check, Flaw, Gate, LocalFuture, Profile, Rule};

const LANES: usize = 64;
const DRIVERS: usize = 4;
const CAPACITY: usize = 256;
const RESERVED: usize = 32;
/// Jobs under way at once: more than there are places, so that submitters wait.
const WINDOW: usize = 512;

/// Hosts in virtual time that wait for blocked calls in real time, a tenth of a second, before each move of their clock: there a soak has no calls.
const VIRTUAL: [&str; 1] = ["sim"];

/// Jobs before the first look, to have all there that is made once.
pub(super) const WARM_UP: u64 = 4_000;

/// What a child is told to do.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) jobs: u64,
    pub(super) seed: u64,
    pub(super) mix: Mix,
    pub(super) storms: bool,
}

/// What it found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Soaked {
    pub(super) jobs: u64,
    pub(super) seconds: f64,
    /// Each way to end, as the ledger has it.
    pub(super) ends: Vec<(String, u64)>,
    /// The ledger beside the worker's books.
    pub(super) lines: Vec<Line>,
    pub(super) faults: Faults,
    /// After each lap: jobs done, bytes of the heap, bytes resident.
    pub(super) samples: Vec<(u64, u64, Option<u64>)>,
    pub(super) storms: Vec<Storm>,
}

/// After each lap, for whoever watches.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Lap {
    pub(super) jobs: u64,
    pub(super) per_second: f64,
    pub(super) heap: u64,
    pub(super) resident: Option<u64>,
    pub(super) threads: Option<u64>,
}

/// A plan, and who hears of each lap.
#[derive(Clone, Copy)]
struct Orders {
    plan: Plan,
    told: fn(Lap),
}

/// As a rule, so that it runs on the bench of every host.
pub(super) static SOAK: Rule = Rule { id: "soak", name: "soak", needs: Profile::NONE, once: false, check: soak };

/// One soak runs in a process at a time; this is how its orders get in, and what it found out.
static ORDERS: Mutex<Option<Orders>> = Mutex::new(None);
static FOUND: Mutex<Option<Soaked>> = Mutex::new(None);
/// Whom to ask if it does not.
static WORKER: Mutex<Option<Worker>> = Mutex::new(None);

/// The next soak of this process follows this plan; `told` hears of each lap.
pub(super) fn follow(plan: Plan, told: fn(Lap)) {
    *lock(&ORDERS) = Some(Orders { plan, told });
}

/// What the last soak found.
pub(super) fn found() -> Option<Soaked> {
    lock(&FOUND).take()
}

/// Where it stands when nothing happens any more.
pub(super) fn standstill() -> String {
    let worker = lock(&WORKER).clone();
    worker.map_or_else(
        || "no worker has jobs".to_owned(),
        |worker| {
            let jobs: Vec<_> = worker.jobs().into_iter().take(5).collect();
            let (queued, running) = (worker.queued(), worker.running());
            format!("{queued} queued, {running} running, {:?}, among them {jobs:?}", worker.counts())
        },
    )
}

fn soak(bench: &Bench) -> LocalFuture<'_, Check> {
    Box::pin(async move {
        let orders = *lock(&ORDERS);
        let Orders { plan, told } = orders.ok_or_else(|| Flaw::Inconclusive("there is no plan".to_owned()))?;
        if has_calls(bench) {
            crowd(bench).await?;
        }
        let mut soaked = jobs(bench, plan, told).await?;
        if plan.storms {
            soaked.storms = storm::all(bench).await?;
        }
        let done = soaked.jobs;
        *lock(&FOUND) = Some(soaked);
        Ok(done)
    })
}

fn has_calls(bench: &Bench) -> bool {
    bench.profile().blocking && !VIRTUAL.contains(&bench.host_name())
}

/// As many calls at once as there will ever be, so that a pool of threads which the whole process shares, and which never shrinks, has its size.
async fn crowd(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.running_worker(WorkerConfig::new().lanes(LANES).drivers(DRIVERS))?;
    let (gate, inside) = (Gate::new(), Arc::new(AtomicUsize::new(0)));
    let mut handles = Vec::new();
    for _ in 0..LANES {
        let (gate, inside) = (gate.clone(), Arc::clone(&inside));
        let call = Job::call(move |_| {
            inside.fetch_add(1, Ordering::SeqCst);
            gate.wait_blocking();
        });
        handles.push(bench.submit(&worker, call).await?);
    }
    bench.until("there is a thread for each lane", || inside.load(Ordering::SeqCst) == LANES).await?;
    gate.open();
    for handle in handles {
        bench.settled(handle).await?;
    }
    bench.until("each call has left its lane", || worker.running() == 0).await
}

async fn jobs(bench: &Bench, plan: Plan, told: fn(Lap)) -> Result<Soaked, Flaw> {
    let witness = Arc::new(Witness { metrics: Metrics::new(), ends: AtomicU64::new(0) });
    let config = WorkerConfig::new()
        .name("soak")
        .lanes(LANES)
        .drivers(DRIVERS)
        .capacity(CAPACITY)
        .reserve(Priority::High, RESERVED)
        .discipline(Discipline::Weighted([1, 2, 4, 8]))
        .observer(Arc::clone(&witness) as Arc<dyn Observer>);
    let worker = bench.running_worker(config)?;
    *lock(&WORKER) = Some(worker.clone());
    let (canceller, orders) = channel::<Token>();
    let elsewhere = bench.drives_elsewhere();
    if !bench.profile().blocking {
        bench.leave_out("calls: the host has none");
    } else if VIRTUAL.contains(&bench.host_name()) {
        bench.leave_out("calls: the host waits for them in real time before it moves its clock");
    }
    // A token that has been cancelled is sent on to nobody, and nothing is left of it here.
    let thread = elsewhere.then(|| thread::spawn(move || orders.iter().for_each(|token| _ = token.cancel())));
    let stage = Stage {
        worker,
        ledger: RefCell::new(Ledger::default()),
        canceller: elsewhere.then_some(canceller),
        calls: has_calls(bench),
        left: RefCell::default(),
        watched: RefCell::default(),
    };
    let begun = Instant::now();
    let samples = laps(bench, &stage, plan, told).await?;
    let seconds = begun.elapsed().as_secs_f64();

    let Stage { worker, ledger, canceller, .. } = stage;
    let mut ledger = ledger.into_inner();
    let counts = worker.counts();
    let mut lines = ledger.beside(&counts);
    lines.extend(ledger.beside_metrics(&witness.metrics.snapshot()));
    lines.push(Line::new("terminal events", counts.accepted, witness.ends.load(Ordering::SeqCst)));

    // All have come to their end without it (L6).
    *lock(&WORKER) = None;
    let report = bench.within("a worker without jobs drains", worker.shutdown(Shutdown::Drain)).await?;
    if report.counts != counts || !report.cut_off.is_empty() || !report.survivors.is_empty() {
        ledger.faults.note(|| format!("the report of an idle worker's drain says {report:?}, its books {counts:?}"));
    }
    drop(worker);
    drop(canceller);
    if let Some(thread) = thread {
        bench.on_thread("the canceller's thread ends", move || thread.join().is_ok()).await?;
    }
    bench.until("no alarm is set after the end", || bench.running_alarms_set() == 0).await?;
    let ends = ledger.by_end();
    Ok(Soaked { jobs: plan.jobs, seconds, ends, lines, faults: ledger.faults, samples, storms: Vec::new() })
}

async fn laps(bench: &Bench, stage: &Stage, plan: Plan, told: fn(Lap)) -> Result<Vec<(u64, u64, Option<u64>)>, Flaw> {
    let laps = (plan.jobs / 5_000).clamp(1, 64);
    let mut samples = Vec::with_capacity(64);
    let mut playing = FuturesUnordered::new();
    let mut next = 0;
    for lap in 1..=laps {
        let (before, begun) = (next, Instant::now());
        let end = u64::try_from(u128::from(plan.jobs) * u128::from(lap) / u128::from(laps)).unwrap_or(plan.jobs);
        loop {
            while next < end && playing.len() < WINDOW {
                let mut rng = Rng::with_seed(plan.seed.wrapping_add(next.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
                let kind = plan.mix.draw(&mut rng);
                playing.push(stage.play(next, kind, rng));
                next += 1;
            }
            // Each of them is polled only when it was woken itself, so that a lost wake-up is seen.
            if playing.next().await.is_none() {
                break;
            }
            move_on();
        }
        let worker = &stage.worker;
        let at_rest = || worker.counts().unsettled == 0 && worker.running() == 0 && worker.queued() == 0;
        bench.until("everything that was accepted has ended", at_rest).await?;
        bench.quiet(worker).await?;
        stage.clear();
        let vitals = Vitals::now();
        samples.push((end, vitals.heap_bytes, vitals.resident));
        let per_second = (end - before) as f64 / begun.elapsed().max(Duration::from_micros(1)).as_secs_f64();
        let (heap, resident, threads) = (vitals.heap_bytes, vitals.resident, vitals.threads);
        told(Lap { jobs: end, per_second, heap, resident, threads });
        move_on();
    }
    Ok(samples)
}

/// Counts the ends that are told (E7), and hands everything on to the metrics.
struct Witness {
    metrics: Metrics,
    ends: AtomicU64,
}

impl Observer for Witness {
    fn submitted(&self, job: &JobInfo) {
        self.metrics.submitted(job);
    }

    fn started(&self, job: &JobInfo) {
        self.metrics.started(job);
    }

    fn settled(&self, job: &JobInfo, settled: &Settled) {
        self.ends.fetch_add(1, Ordering::SeqCst);
        self.metrics.settled(job, settled);
    }

    fn rejected(&self, reason: RejectReason, priority: Priority) {
        self.metrics.rejected(reason, priority);
    }

    fn evicted(&self, job: &JobInfo) {
        self.metrics.evicted(job);
    }

    fn stalled(&self, job: &JobInfo, held: Duration) {
        self.metrics.stalled(job, held);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

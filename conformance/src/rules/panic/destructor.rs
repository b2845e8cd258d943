//! A destructor that panics while its job is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countermand_core::{FullPolicy, Handle, Job, Outcome, Priority, Shutdown, Worker, WorkerConfig};

use crate::rules::crew::{Crew, all_settled, refused, runs_calls};
use crate::{Bench, Census, Check, Flaw, Gate, ensure, ensure_eq};

/// What ends the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Cancel,
    Timeout,
    Grace,
    Evict,
    Abort,
    DropWorker,
    Return,
}

const ENDS: [End; 7] = [End::Cancel, End::Timeout, End::Grace, End::Evict, End::Abort, End::DropWorker, End::Return];

pub(super) async fn p2_a_destructor_that_panics_settles_its_job(bench: &Bench) -> Check {
    let mut runs = 0;
    for end in ENDS {
        for queued in [true, false] {
            let possible = match end {
                End::Evict => queued,
                End::Grace | End::Return => !queued,
                _ => true,
            };
            if possible {
                end_one(bench, end, queued).await?;
                runs += 1;
            }
        }
    }
    attendants_vanish(bench).await?;
    poll_and_destructor(bench).await?;
    if runs_calls(bench) {
        queued_call(bench).await?;
    }
    harmless(bench).await?;
    Ok(runs + 3)
}

/// Null control: of a destructor that does not panic the same look says that it did not.
async fn harmless(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let census = Census::new();
    let job = Job::task(Armed { pass: Gate::new().wait(), _bomb: census.probe() });
    let handle = bench.submit(&worker, job).await?;
    bench.quiet(&worker).await?;
    handle.cancel();
    ensure!(is_panicked(bench, handle, "a harmless destructor").await.is_err(), "a panic that nobody planted");
    census.each_once("a harmless destructor")?;
    ensure_eq!(worker.counts().panicked, 0, "panicked jobs, of which none panics");
    all_settled(bench, &worker, 1).await
}

/// A task that waits for a gate and whose destructor panics.
fn armed(
    census: &Census,
    gate: &Gate,
) -> Job<impl countermand_core::Work<Value = (), Error = std::convert::Infallible> + use<>> {
    let (bomb, pass) = (census.probe_with(|| std::panic::panic_any("planted in a destructor")), gate.wait());
    Job::task(Armed { pass, _bomb: bomb })
}

/// Not an async block: that would drop its variables inside of the poll.
struct Armed {
    pass: crate::Pass,
    _bomb: crate::Probe,
}

impl Future for Armed {
    type Output = ();

    fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        std::pin::Pin::new(&mut self.pass).poll(cx)
    }
}

async fn end_one(bench: &Bench, end: End, queued: bool) -> Result<(), Flaw> {
    let config = WorkerConfig::new().lanes(1).drivers(1).capacity(1).full(FullPolicy::EvictLowest);
    let worker = bench.worker(config)?;
    let (gate, census, own) = (Gate::new(), Census::new(), Gate::new());
    let first = if queued {
        let first = bench.submit(&worker, Job::task(gate.wait())).await?;
        bench.quiet(&worker).await?;
        Some(first)
    } else {
        None
    };
    let job = armed(&census, &own).priority(Priority::Low);
    let job = match end {
        End::Timeout => job.run_timeout(Duration::from_secs(1)).queue_timeout(Duration::from_secs(1)),
        End::Grace => job.grace(Duration::from_secs(1)),
        _ => job,
    };
    let handle = bench.submit(&worker, job).await?;
    bench.quiet(&worker).await?;
    let mut accepted = 1 + u64::from(queued);
    let mut survivor = Some(worker);
    if let Some(worker) = &survivor {
        match end {
            End::Cancel => ensure!(handle.cancel(), "the first cancel was told that it was not first"),
            End::Timeout => bench.advance(worker, Duration::from_secs(1)).await?,
            End::Grace => {
                handle.cancel();
                bench.advance(worker, Duration::from_secs(1)).await?;
            }
            End::Evict => {
                drop(bench.submit(worker, Job::task(async {}).priority(Priority::High)).await?);
                accepted += 1;
            }
            End::Abort => drop(worker.shutdown(Shutdown::Abort)),
            End::DropWorker => {}
            End::Return => own.open(),
        }
    }
    if end == End::DropWorker {
        survivor = None;
    }
    let what = format!("{end:?}, queued: {queued}");
    is_panicked(bench, handle, &what).await?;
    census.each_once(&what)?;
    gate.open();
    drop(first);
    if let Some(worker) = survivor {
        all_settled(bench, &worker, accepted).await?;
        let counts = worker.counts();
        ensure_eq!((counts.panicked, counts.contained_panics), (1, 0), "{what}: panicked jobs and other panics");
        if end != End::Abort {
            is_alive(bench, &worker).await?;
        }
    }
    Ok(())
}

async fn is_panicked<T, E>(bench: &Bench, handle: Handle<T, E>, what: &str) -> Result<(), Flaw> {
    match bench.settled(handle).await? {
        Outcome::Panicked(panic) => {
            ensure_eq!(panic.message(), Some("planted in a destructor"), "{what}: message of the panic");
            Ok(())
        }
        other => {
            Err(Flaw::Broken(format!("{what}: a destructor panicked, and the job settled as {:?}", other.class())))
        }
    }
}

async fn is_alive(bench: &Bench, worker: &Worker) -> Result<(), Flaw> {
    let next = bench.submit(worker, Job::task(std::future::ready(3))).await?;
    ensure_eq!(bench.settled(next).await?.completed(), Some(3), "what the next job returned");
    Ok(())
}

/// The driver and the keeper are dropped with the jobs in their hands.
async fn attendants_vanish(bench: &Bench) -> Result<(), Flaw> {
    let (worker, mut crew) = Crew::new(bench, WorkerConfig::new().lanes(2).drivers(1))?;
    let census = Census::new();
    let mut handles = Vec::new();
    for place in 0..5 {
        handles.push(worker.try_submit(armed(&census, &Gate::new())).map_err(refused)?);
        if place == 2 {
            crew.settle_down()?;
        }
    }
    drop(crew);
    for handle in handles {
        is_panicked(bench, handle, "the attendants are dropped").await?;
    }
    census.each_once("jobs of attendants that were dropped")?;
    ensure_eq!(worker.counts().panicked, 5, "panicked jobs in the books");
    Ok(())
}

/// The poll panics, and then the destructor; and a payload that panics when it is dropped, which nobody reads.
async fn poll_and_destructor(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let census = Census::new();
    let bomb = census.probe_with(|| std::panic::panic_any("planted in a destructor"));
    struct Both(#[expect(dead_code, reason = "it goes off when it is dropped")] crate::Probe);
    impl Future for Both {
        type Output = ();

        fn poll(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<()> {
            panic!("planted in a poll")
        }
    }
    let outcome = bench.settled(bench.submit(&worker, Job::task(Both(bomb))).await?).await?;
    let Outcome::Panicked(panic) = outcome else {
        return Err(Flaw::Broken("a job whose poll and destructor panicked did not settle so".to_owned()));
    };
    ensure_eq!(
        panic.message(),
        Some("planted in a poll"),
        "of the panics of a poll and then a destructor, the outcome's"
    );
    let counts = worker.counts();
    ensure_eq!((counts.panicked, counts.contained_panics), (1, 1), "panicked jobs, and other panics");
    let went_off = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&went_off);
    let payload = census.probe_with(move || {
        count.fetch_add(1, Ordering::SeqCst);
        std::panic::panic_any("planted in a payload");
    });
    drop(bench.submit(&worker, Job::task(async move { std::panic::panic_any(payload) as () })).await?);
    bench.until("the detached job settles", || worker.counts().panicked == 2).await?;
    bench.quiet(&worker).await?;
    ensure_eq!(went_off.load(Ordering::SeqCst), 1, "drops of a panic's payload that nobody read");
    ensure_eq!(worker.counts().contained_panics, 2, "panics contained, when a payload panicked too");
    census.each_once("destructors and payloads that panicked")?;
    is_alive(bench, &worker).await?;
    all_settled(bench, &worker, 3).await
}

async fn queued_call(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let (gate, census) = (Gate::new(), Census::new());
    let first = bench.submit(&worker, Job::task(gate.wait())).await?;
    bench.quiet(&worker).await?;
    let bomb = census.probe_with(|| std::panic::panic_any("planted in a destructor"));
    let call = bench.submit(&worker, Job::call(move |_| drop(bomb))).await?;
    call.cancel();
    is_panicked(bench, call, "a queued call is cancelled").await?;
    gate.open();
    bench.settled(first).await?;
    is_alive(bench, &worker).await?;
    all_settled(bench, &worker, 3).await
}

//! What can be made, moved and dropped where there is no runtime.

use std::prelude::v1::*;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countermand_core::{Instant, Job, JobContext, Priority, Shutdown, Sleep, Token, Worker, WorkerConfig};

use crate::rules::crew::{Attendant, all_settled, lock, quietly};
use crate::{Bench, Check, Flaw, Gate, Recorder, ensure, poll};

pub(super) async fn c2_nothing_needs_a_runtime_to_be_made_or_dropped(bench: &Bench) -> Check {
    bench.on_thread("tokens and deadlines are made, moved and dropped", tokens).await?;
    bench.on_thread("jobs are described, moved and dropped", jobs).await?;
    let worker = bench.worker(WorkerConfig::new().lanes(2).drivers(1))?;
    let accepted = handles(bench, &worker).await?;
    all_settled(bench, &worker, accepted).await?;
    contexts(bench, &worker).await?;
    attendants(bench).await?;
    shut_down_waits(bench, worker).await?;
    Ok(6)
}

/// Drops the value on another new thread.
fn drop_elsewhere<T: Send + 'static>(value: T) {
    // A panic there is one here.
    std::thread::spawn(move || drop(value)).join().expect("the drop of a value panicked on a thread of its own");
}

fn tokens() {
    let root = Token::new();
    let dated = root.child_with_deadline(Instant::from_nanos(5));
    let linked = Token::linked([&root, &dated]);
    let recorder = Recorder::new();
    let mut wait = Box::pin(linked.clone().cancelled_owned());
    let _ = poll(wait.as_mut(), &recorder.waker());
    let mut run = Box::pin(async { Token::new().run_until_cancelled(std::future::pending::<()>()).await });
    let _ = poll(run.as_mut(), &recorder.waker());
    drop_elsewhere(root.on_cancel(|_| {}));
    drop_elsewhere(linked.child_token().drop_guard());
    drop_elsewhere(linked.shield());
    drop_elsewhere(dated.observer());
    drop_elsewhere(wait);
    drop_elsewhere(run);
    drop_elsewhere((Token::never(), Token::with_deadline(Instant::ORIGIN), Token::default()));
    dated.expire_due(Instant::from_nanos(5));
    drop_elsewhere((root, dated, linked));
}

fn jobs() {
    let parent = Token::new();
    let job = Job::task_with(|context: JobContext| async move { context.sleep(Duration::from_secs(1)).await })
        .name("made on a thread")
        .priority(Priority::Critical)
        .run_timeout(Duration::MAX)
        .queue_timeout(Duration::ZERO)
        .deadline(Instant::ORIGIN)
        .grace(Duration::MAX)
        .parent(&parent)
        .cancel_on_drop()
        .abandonable();
    drop_elsewhere(job);
    drop_elsewhere(Job::task(async {}));
    drop_elsewhere(Job::call(|context| context.is_cancelled()));
    drop_elsewhere(Job::fallible(async { Err::<(), ()>(()) }));
    drop_elsewhere(Job::fallible_call(|_| Ok::<(), ()>(())));
    let config = WorkerConfig::new().lanes(0);
    assert!(config.check().is_err(), "a configuration without lanes was found good");
    drop_elsewhere(config);
}

/// Handles, submits and tokens of a worker that runs elsewhere. Returns how many jobs it accepted.
async fn handles(bench: &Bench, worker: &Worker) -> Result<u64, Flaw> {
    let (theirs, gate) = (worker.clone(), Gate::new());
    let pass = gate.clone();
    let act = move || {
        let recorder = Recorder::new();
        // Neither polled nor awaited.
        drop_elsewhere(theirs.submit(Job::task(async {})));
        drop_elsewhere(theirs.scope(|_| std::future::pending::<()>()));
        drop_elsewhere(theirs.child_with_timeout(Duration::from_secs(1)));
        let mut handles = Vec::new();
        for number in 0..6 {
            let job = Job::task(pass.wait());
            let job = if number % 2 == 0 { job.cancel_on_drop() } else { job };
            handles.extend(theirs.try_submit(job).ok());
        }
        let accepted = handles.len();
        // Polled here, dropped elsewhere; and dropped here.
        for (number, mut handle) in handles.into_iter().enumerate() {
            if number % 3 == 0 {
                let _ = poll(std::pin::Pin::new(&mut handle), &recorder.waker());
            }
            if number % 3 == 2 { drop(handle) } else { drop_elsewhere(handle) }
        }
        drop_elsewhere(theirs);
        accepted as u64
    };
    let accepted = bench.on_thread("handles and submits are moved and dropped", act).await?;
    ensure!(accepted == 6, "a foreign thread had {accepted} of 6 jobs accepted");
    gate.open();
    Ok(accepted)
}

/// What a job gives away of itself is used and dropped after its end, elsewhere.
async fn contexts(bench: &Bench, worker: &Worker) -> Result<(), Flaw> {
    let loot: Arc<Mutex<Option<(JobContext, Sleep)>>> = Arc::default();
    let bag = Arc::clone(&loot);
    let job = Job::task_with(move |context| async move {
        let mut sleep = context.sleep(Duration::from_secs(1));
        let _ = poll(std::pin::Pin::new(&mut sleep), &Recorder::new().waker());
        *lock(&bag) = Some((context, sleep));
    });
    bench.settled(bench.submit(worker, job).await?).await?;
    let stolen = lock(&loot).take();
    let use_it = move || {
        let (context, mut sleep) = stolen.expect("the job gave away its context");
        let _ = (context.now(), context.id(), context.name().len(), context.token().is_cancelled());
        let _ = poll(std::pin::Pin::new(&mut sleep), &Recorder::new().waker());
        let mut sections = Box::pin(context.shielded(|token| async move { token.is_cancelled() }));
        let _ = poll(sections.as_mut(), &Recorder::new().waker());
        let mut interval = context.interval(Duration::from_millis(1));
        let _ = poll(Box::pin(interval.tick()).as_mut(), &Recorder::new().waker());
        let mut limited = Box::pin(context.timeout(Duration::from_secs(1), std::future::pending::<()>()));
        let _ = poll(limited.as_mut(), &Recorder::new().waker());
        drop_elsewhere(context.child_with_timeout(Duration::from_secs(1)));
        drop_elsewhere(limited);
        drop_elsewhere((interval, sleep, context));
    };
    bench.on_thread("a job's context is used after its end", use_it).await?;
    bench.quiet(worker).await
}

/// The attendants themselves, never polled, and polled in the host: dropped elsewhere, with jobs in their hands.
async fn attendants(bench: &Bench) -> Result<(), Flaw> {
    for polled in [false, true] {
        let (worker, attendants) = bench.parts(WorkerConfig::new().lanes(2).drivers(2))?;
        let far = Duration::from_secs(1_000_000);
        let job = || Job::task(std::future::pending::<()>()).run_timeout(far).queue_timeout(far);
        let handles: Vec<_> = (0..4).filter_map(|_| worker.try_submit(job()).ok()).collect();
        let mut attendants: Vec<_> = attendants.into_iter().map(Attendant::new).collect();
        if polled {
            // With their alarms set.
            attendants.iter_mut().for_each(|attendant| _ = attendant.turn());
        }
        bench.on_thread("attendants are dropped on a foreign thread", move || drop_elsewhere(attendants)).await?;
        ensure!(
            handles.iter().all(countermand_core::Handle::is_finished),
            "a job of dropped attendants is not settled"
        );
        bench.on_thread("a worker without attendants is dropped", move || drop((worker, handles))).await?;
    }
    Ok(())
}

/// The wait for the end, made, polled and dropped elsewhere; the last handle of the worker as well.
async fn shut_down_waits(bench: &Bench, worker: Worker) -> Result<(), Flaw> {
    let act = move || {
        drop_elsewhere(worker.shutdown(Shutdown::Drain));
        let mut wait = Box::pin(worker.shutdown(Shutdown::Drain));
        let _ = poll(wait.as_mut(), &Recorder::new().waker());
        drop_elsewhere(wait);
        drop_elsewhere(worker);
    };
    bench.on_thread("waits for the end are moved and dropped", move || quietly(act).is_ok()).await.and_then(|fine| {
        ensure!(fine, "making, moving or dropping the wait for the end of a worker panicked");
        Ok(())
    })
}

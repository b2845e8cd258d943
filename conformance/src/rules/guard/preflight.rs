//! Preflights: every violation, in the order of the checks, and nothing made after what did not hold.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use countermand_core::{
    Check as Point, Grounded, Guard, Job, Preflight, Reason, Shutdown, SubsystemId, Worker, WorkerConfig,
};

use super::{Ledger, Named, id, plan};
use crate::rules::kit::{TICK, has, lock, secs};
use crate::{Bench, Check, Flaw, Gate, Profile, Recorder, ensure, ensure_eq, poll};

pub(super) async fn g4_all_violations_are_reported_at_once(bench: &Bench) -> Check {
    plan::names()?;
    let runs = plan::cycles(bench)?;
    let rounds = bench.rounds(8);
    let mut random = bench.random();
    for _ in 0..rounds {
        any_shape(bench, &mut random).await?;
    }
    limits(bench).await?;
    closed(bench).await?;
    if has(bench, Profile::NONE.unwind()) {
        panics(bench).await?;
    }
    if has(bench, Profile::NONE.blocking()) {
        blocking(bench).await?;
    }
    Ok(runs + rounds + 3)
}

fn setup(bench: &Bench) -> Result<(Ledger, Guard<Ledger>, Worker), Flaw> {
    let ledger = Ledger::default();
    // Fewer places than checks.
    let worker = bench.worker(WorkerConfig::new().lanes(2).drivers(1).capacity(2))?;
    Ok((ledger.clone(), Guard::new(id("tolaria")?, ledger), worker))
}

fn planned(points: Vec<Point<'_>>) -> Result<Preflight<'_>, Flaw> {
    Preflight::new(points).map_err(|error| Flaw::Broken(format!("a sound plan was refused: {error}")))
}

async fn grounded(
    bench: &Bench,
    points: Vec<Point<'_>>,
    guard: &Guard<Ledger>,
    worker: &Worker,
) -> Result<Grounded, Flaw> {
    let end = bench.within("the preflight ends", planned(points)?.run(guard, worker)).await?;
    end.err().ok_or_else(|| Flaw::Broken("a preflight was cleared whose checks do not all hold".to_owned()))
}

/// The reasons of all violations, by check, in their order.
fn reasons(grounded: &Grounded) -> Vec<(String, Reason)> {
    grounded.violations().map(|(check, violation)| (check.to_string(), violation.reason())).collect()
}

/// A plan of random shape, of which every check is told beforehand how it ends: what must become of it is reckoned here.
async fn any_shape(bench: &Bench, random: &mut fastrand::Rng) -> Result<(), Flaw> {
    let (ledger, guard, worker) = setup(bench)?;
    let count = random.usize(2..12);
    let made: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    let started = std::sync::Arc::new(Mutex::new(Vec::new()));
    let (mut points, mut fate, mut shape) = (Vec::new(), Vec::new(), Vec::new());
    for place in 0..count {
        let before: Vec<usize> = (0..place).filter(|_| random.u8(0..4) == 0).collect();
        let holds = random.u8(0..3) > 0;
        let end = if holds { Ok(()) } else { Err("planted") };
        let point = if random.bool() {
            let started = std::sync::Arc::clone(&started);
            let job = Job::fallible_with(move |_| {
                lock(&started).push(place);
                async move { end }
            });
            Point::job(format!("c{place}"), secs(60), job)
        } else {
            let made = &made;
            Point::here(format!("c{place}"), move || {
                lock(made).push(place);
                end
            })
        };
        points.push(before.iter().fold(point, |point, before| point.after(format!("c{before}"))));
        // Made only if all before it passed.
        let is_made = before.iter().all(|before| fate[*before] == Some(true));
        fate.push(is_made.then_some(holds));
        shape.push(before);
    }
    let of = |wanted: Option<bool>| -> Vec<String> {
        (0..count).filter(|place| fate[*place] == wanted).map(|place| format!("c{place}")).collect()
    };
    let end = bench.within("the preflight ends", planned(points)?.run(&guard, &worker)).await?;
    let (passed, failed, skipped) = match &end {
        Ok(cleared) => (cleared.checks().to_vec(), Vec::new(), Vec::new()),
        Err(grounded) => {
            let failed = grounded.violations().map(|(check, _)| check).collect();
            (grounded.passed().to_vec(), failed, grounded.skipped().to_vec())
        }
    };
    let names = |checks: Vec<countermand_core::CheckId>| checks.iter().map(ToString::to_string).collect::<Vec<_>>();
    ensure_eq!(names(failed), of(Some(false)), "checks that were reported, in the shape {shape:?}");
    ensure_eq!(names(passed), of(Some(true)), "checks that passed, in the shape {shape:?}");
    ensure_eq!(
        names(skipped.iter().map(|skipped| skipped.check).collect()),
        of(None),
        "checks that were skipped, in the shape {shape:?}"
    );
    for skipped in &skipped {
        let because = skipped.because_of.to_string();
        ensure!(of(Some(false)).contains(&because), "{skipped}, which is not one that failed");
    }
    let mut done: Vec<usize> = lock(&made).iter().chain(lock(&started).iter()).copied().collect();
    done.sort_unstable();
    let expected: Vec<usize> = (0..count).filter(|place| fate[*place].is_some()).collect();
    ensure_eq!(done, expected, "checks that were made, in the shape {shape:?}");
    one_event_each(&guard, &ledger, end.as_ref().err())
}

/// As many events as violations, in the same order, each naming its check.
fn one_event_each(guard: &Guard<Ledger>, ledger: &Ledger, grounded: Option<&Grounded>) -> Result<(), Flaw> {
    let subsystem: SubsystemId = guard.subsystem();
    let events = ledger.take_all();
    let violations: Vec<_> = grounded.into_iter().flat_map(Grounded::violations).collect();
    ensure_eq!(events.len(), violations.len(), "events of the violations of a preflight");
    for ((check, violation), event) in violations.iter().zip(events) {
        let named = Named { subsystem, dependency: "check", identifier: check.as_str(), reason: violation.reason() };
        named.by(violation, &[event])?;
    }
    ensure_eq!(guard.counts().violations, violations.len() as u64, "violations that the guard counted");
    Ok(())
}

/// A check is out of time exactly at its limit, which counts from when the one before has passed, and is cancelled then.
async fn limits(bench: &Bench) -> Result<(), Flaw> {
    let (ledger, guard, worker) = setup(bench)?;
    let gate = Gate::new();
    let points = vec![
        Point::job("opens", secs(10), Job::task(gate.wait())),
        Point::job("slow", secs(5), Job::task(std::future::pending::<()>())),
        Point::job("later", secs(5), Job::task(std::future::pending::<()>())).after("opens"),
        Point::here("never", || Ok::<(), &str>(())).after("later"),
    ];
    let mut flight = Box::pin(planned(points)?.run(&guard, &worker));
    let recorder = Recorder::new();
    ensure!(poll(flight.as_mut(), &recorder.waker()).is_pending(), "a preflight did not wait for its jobs");
    bench.advance(&worker, secs(2)).await?;
    gate.open();
    bench.quiet(&worker).await?;
    ensure!(poll(flight.as_mut(), &recorder.waker()).is_pending(), "a preflight did not wait for its jobs");
    // At 5 s the slow one is out of time; the later one, which began at 2 s, is at 7 s.
    bench.advance(&worker, secs(5) - TICK).await?;
    ensure!(poll(flight.as_mut(), &recorder.waker()).is_pending(), "a check was out of time before its limit");
    ensure_eq!(worker.running(), 1, "jobs that run when one of two is out of time");
    bench.advance(&worker, TICK).await?;
    let end = bench.within("the preflight ends", flight).await?;
    let Err(grounded) = end else { return Err(Flaw::Broken("checks that ran out of time passed".to_owned())) };
    let late = |check: &str| (check.to_owned(), Reason::CheckTimedOut);
    ensure_eq!(reasons(&grounded), [late("slow"), late("later")], "violations of checks that ran out of time");
    ensure_eq!(grounded.skipped().len(), 1, "checks that were skipped");
    ensure_eq!(worker.running(), 0, "jobs of a preflight that has ended");
    one_event_each(&guard, &ledger, Some(&grounded))
}

/// A worker that takes no jobs is a violation of each check that needed it, and of no other.
async fn closed(bench: &Bench) -> Result<(), Flaw> {
    let (ledger, guard, worker) = setup(bench)?;
    bench.within("the worker ends", worker.shutdown(Shutdown::Drain)).await?;
    let job = |name: &'static str| Point::job(name, secs(5), Job::task(async {}));
    let points = vec![job("a"), Point::here("here", || Ok::<(), &str>(())), job("b")];
    let grounded = grounded(bench, points, &guard, &worker).await?;
    let rejected = |check: &str| (check.to_owned(), Reason::CheckRejected);
    ensure_eq!(
        reasons(&grounded),
        [rejected("a"), rejected("b")],
        "violations of checks that a closed worker did not take"
    );
    ensure_eq!(grounded.passed().len(), 1, "checks that passed");
    one_event_each(&guard, &ledger, Some(&grounded))
}

/// A check that panics, here or in a lane, is a violation, and the others are made all the same.
async fn panics(bench: &Bench) -> Result<(), Flaw> {
    let (ledger, guard, worker) = setup(bench)?;
    let made = AtomicU64::new(0);
    let points = vec![
        Point::here("here", || -> Result<(), &str> { panic!("planted in a check") }),
        Point::job("lane", secs(5), Job::task(async { panic!("planted in a check's job") })),
        Point::here("fine", || {
            made.fetch_add(1, Ordering::SeqCst);
            Ok::<(), &str>(())
        }),
    ];
    let grounded = grounded(bench, points, &guard, &worker).await?;
    let panicked = |check: &str| (check.to_owned(), Reason::CheckPanicked);
    ensure_eq!(reasons(&grounded), [panicked("here"), panicked("lane")], "violations of checks that panicked");
    for (check, violation) in grounded.violations() {
        ensure!(violation.more().contains("planted in a check"), "of the panic of {check} is said {violation}");
    }
    ensure_eq!(made.load(Ordering::SeqCst), 1, "how often the check was made that did not panic");
    one_event_each(&guard, &ledger, Some(&grounded))
}

/// A blocking closure that outstays its limit is a violation at its limit, while it goes on.
async fn blocking(bench: &Bench) -> Result<(), Flaw> {
    let (ledger, guard, worker) = setup(bench)?;
    let (begun, gate) = (Gate::new(), Gate::new());
    let (enter, held) = (begun.clone(), gate.clone());
    let points = vec![
        Point::job("refused", secs(5), Job::fallible_call(|_| Err("nobody listens"))),
        Point::job(
            "stuck",
            secs(5),
            Job::call(move |_| {
                enter.open();
                held.wait_blocking();
            }),
        ),
    ];
    let mut flight = Box::pin(planned(points)?.run(&guard, &worker));
    ensure!(poll(flight.as_mut(), &Recorder::new().waker()).is_pending(), "a preflight did not wait for its calls");
    bench.within("the call begins", begun.wait()).await?;
    bench.until("the other call has ended", || worker.running() == 1 && worker.queued() == 0).await?;
    bench.advance(&worker, secs(5)).await?;
    let end = bench.within("the preflight ends while a closure goes on", flight).await?;
    gate.open();
    let Err(grounded) = end else { return Err(Flaw::Broken("a closure that goes on passed its check".to_owned())) };
    let expected = [("refused".to_owned(), Reason::CheckFailed), ("stuck".to_owned(), Reason::CheckTimedOut)];
    ensure_eq!(reasons(&grounded), expected, "violations of blocking checks");
    one_event_each(&guard, &ledger, Some(&grounded))
}

//! A job that panics.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countermand_core::{Job, Outcome, Panic, WorkerConfig};

use crate::rules::crew::{all_settled, runs_calls};
use crate::{Bench, Check, Flaw, Gate, ensure, ensure_eq};

/// A payload that is no text.
#[derive(Debug, PartialEq)]
struct Payload(u64);

/// Panics in one of the ways there are.
fn go_off(way: u64) {
    match way % 3 {
        0 => panic!("planted"),
        1 => panic!("planted {way}"),
        _ => std::panic::panic_any(Payload(way)),
    }
}

fn payload_is_right(panic: Panic, way: u64) -> Result<(), Flaw> {
    let message = panic.message().map(str::to_owned);
    let expected = match way % 3 {
        0 => Some("planted".to_owned()),
        1 => Some(format!("planted {way}")),
        _ => None,
    };
    ensure_eq!(message, expected, "message of panic {way}");
    let payload: Box<dyn Any + Send> = panic.into_payload();
    let right = match way % 3 {
        0 => payload.downcast_ref::<&'static str>() == Some(&"planted"),
        1 => payload.downcast_ref::<String>().is_some(),
        _ => payload.downcast_ref::<Payload>() == Some(&Payload(way)),
    };
    ensure!(right, "the payload of panic {way} is not what the job panicked with");
    Ok(())
}

pub(super) async fn p1_a_panic_harms_neither_lane_nor_sibling(bench: &Bench) -> Check {
    const LANES: usize = 3;
    let rounds = bench.rounds(24).max(12);
    let worker = bench.worker(WorkerConfig::new().lanes(LANES).drivers(1))?;
    // Siblings in the same driver, polled between the panics.
    let (gate, polls) = (Gate::new(), Arc::new(AtomicU64::new(0)));
    let mut siblings = Vec::new();
    for _ in 1..LANES {
        let (pass, polls) = (gate.wait(), Arc::clone(&polls));
        let job = Job::task_with(move |context| async move {
            for _ in 0..rounds {
                polls.fetch_add(1, Ordering::SeqCst);
                context.yield_now().await;
            }
            pass.await;
            7
        });
        siblings.push(bench.submit(&worker, job).await?);
    }
    let (mut accepted, mut panicked) = (LANES as u64 - 1, 0);
    for way in 0..rounds {
        let waits = Gate::new();
        let pass = waits.wait();
        let handle = match (way / 3) % 4 {
            // At its first poll, after a wait, before there is a future, and in a call.
            0 => bench.submit(&worker, Job::task(async move { go_off(way) })).await?,
            1 => {
                let job = Job::fallible(async move {
                    pass.await;
                    go_off(way);
                    Ok::<(), ()>(())
                });
                let handle = bench.submit(&worker, job).await?;
                bench.quiet(&worker).await?;
                waits.open();
                let Outcome::Panicked(panic) = bench.settled(handle).await? else {
                    return Err(Flaw::Broken("a fallible job panicked, and did not settle so".to_owned()));
                };
                payload_is_right(panic, way)?;
                (accepted, panicked) = (accepted + 1, panicked + 1);
                continue;
            }
            2 => {
                let make = move |_| {
                    go_off(way);
                    std::future::ready(())
                };
                bench.submit(&worker, Job::task_with(make)).await?
            }
            _ if runs_calls(bench) => bench.submit(&worker, Job::call(move |_| go_off(way))).await?,
            _ => continue,
        };
        let Outcome::Panicked(panic) = bench.settled(handle).await? else {
            return Err(Flaw::Broken(format!("job {way} panicked, and did not settle so")));
        };
        payload_is_right(panic, way)?;
        (accepted, panicked) = (accepted + 1, panicked + 1);
        ensure_eq!(worker.counts().panicked, panicked, "panicked jobs in the books");
        ensure_eq!(worker.running(), LANES - 1, "lanes taken after {panicked} panics, beside the siblings");
    }
    // The lane is as good as new.
    let next = bench.submit(&worker, Job::task(std::future::ready(9))).await?;
    ensure_eq!(
        bench.settled(next).await?.completed(),
        Some(9),
        "what a job returned in a lane in which jobs had panicked"
    );
    bench.quiet(&worker).await?;
    ensure_eq!(polls.load(Ordering::SeqCst), rounds * (LANES as u64 - 1), "polls of the siblings meanwhile");
    gate.open();
    for sibling in siblings {
        ensure_eq!(bench.settled(sibling).await?.completed(), Some(7), "what a sibling of panicking jobs returned");
    }
    all_settled(bench, &worker, accepted + 1).await?;
    let counts = worker.counts();
    ensure_eq!((counts.panicked, counts.contained_panics), (panicked, 0), "panicked jobs and contained panics");
    Ok(panicked)
}

//! Places of the queue that are kept for the highest priorities.

use std::pin::Pin;
use std::prelude::v1::*;
use std::task::Poll;

use countermand_core::{FullPolicy, Priority, RejectReason, WorkerConfig};

use super::super::scene::{Held, Roll};
use crate::{Bench, Check, Flaw, Recorder, ensure, ensure_eq, poll};

pub(super) async fn q8_reserved_places_stay_open(bench: &Bench) -> Check {
    super::items::q8_reserve()?;
    // 10 places: 2 for Critical, 3 more for High and above, 1 more for Normal and above; 4 are left for all.
    const OPEN_TO: [(Priority, usize); 4] =
        [(Priority::Low, 4), (Priority::Normal, 5), (Priority::High, 8), (Priority::Critical, 10)];
    for policy in [FullPolicy::Wait, FullPolicy::Reject] {
        let config = WorkerConfig::new()
            .capacity(10)
            .full(policy)
            .reserve(Priority::Critical, 2)
            .reserve(Priority::High, 3)
            .reserve(Priority::Normal, 1);
        let held = Held::new(bench, config).await?;
        let roll = Roll::new();
        let (mut handles, mut line) = (Vec::new(), Vec::new());
        let mut number = 0;
        for (priority, places) in OPEN_TO {
            // A flood: far more than fits.
            for _ in 0..20 {
                number += 1;
                match held.worker.try_submit(roll.job(number).priority(priority)) {
                    Ok(handle) => handles.push(handle),
                    Err(rejected) => ensure_eq!(rejected.reason, RejectReason::Full, "why {priority:?} came back"),
                }
            }
            ensure_eq!(
                held.worker.queued(),
                places,
                "queued after a flood of {priority:?}, on top of floods of the lower ones; {policy:?}"
            );
            if policy == FullPolicy::Wait {
                // Those that wait for a place take none either.
                for _ in 0..3 {
                    number += 1;
                    let mut submit = held.worker.submit(roll.job(number).priority(priority));
                    let recorder = Recorder::new();
                    let polled = poll(Pin::new(&mut submit), &recorder.waker());
                    ensure!(polled.is_pending(), "a {priority:?} job was let into the reserve, or sent away");
                    line.push((priority, submit, recorder));
                }
            }
        }
        // A place that becomes free goes to whom it is open to, not to a lower one that has waited longer.
        let victim = handles.remove(0);
        ensure_eq!(victim.priority(), Priority::Low, "the first job accepted");
        victim.cancel();
        bench.settled(victim).await?;
        bench.quiet(&held.worker).await?;
        for (priority, submit, recorder) in &mut line {
            let place = *priority == Priority::Critical && recorder.wakes() > 0;
            ensure_eq!(recorder.wakes() > 0, place, "whether a waiting {priority:?} submit was woken");
            if place {
                let polled = poll(Pin::new(submit), &recorder.waker());
                match polled {
                    Poll::Ready(Ok(handle)) => handles.push(handle),
                    Poll::Ready(Err(rejected)) => {
                        return Err(Flaw::Broken(format!("a woken submitter was told {:?}", rejected.reason)));
                    }
                    Poll::Pending => return Err(Flaw::Broken("a woken submitter has no place".to_owned())),
                }
            }
        }
        let back = usize::from(policy == FullPolicy::Wait);
        ensure_eq!(held.worker.queued(), 9 + back, "queued after a Low job left its place; {policy:?}");
        held.still_held()?;
        drop(line);
        held.release(bench).await?;
        for handle in handles {
            bench.settled(handle).await?;
        }
    }
    eviction_keeps_the_reserve(bench).await?;
    Ok(3)
}

/// Under eviction too, a flood of lower ones never makes the queue full for a higher one.
async fn eviction_keeps_the_reserve(bench: &Bench) -> Result<(), Flaw> {
    let config = WorkerConfig::new().capacity(6).full(FullPolicy::EvictLowest).reserve(Priority::Critical, 2);
    let held = Held::new(bench, config).await?;
    let roll = Roll::new();
    let mut handles = Vec::new();
    for (number, priority) in (0..60).zip([Priority::Low, Priority::Normal, Priority::High].into_iter().cycle()) {
        handles.extend(held.worker.try_submit(roll.job(number).priority(priority)));
    }
    ensure_eq!(held.worker.queued(), 4, "queued after a flood of Low, Normal and High; 2 of 6 places are Critical's");
    bench.quiet(&held.worker).await?;
    for number in 100..102 {
        let counts = held.worker.counts();
        let critical = held.worker.try_submit(roll.job(number).priority(Priority::Critical));
        match critical {
            Ok(handle) => handles.push(handle),
            Err(rejected) => return Err(Flaw::Broken(format!("a Critical job was told {:?}", rejected.reason))),
        }
        bench.quiet(&held.worker).await?;
        ensure_eq!(held.worker.counts().evicted, counts.evicted, "evicted, though a reserved place was open");
    }
    ensure_eq!(held.worker.queued(), 6, "queued");
    held.release(bench).await?;
    for handle in handles {
        bench.settled(handle).await?;
    }
    Ok(())
}

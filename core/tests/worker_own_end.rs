//! Jobs that wait for the end of their own worker (S5): also those that gave it up, or forgot it.

mod common;

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use common::bench::{Bench, take};
use common::gate::Gate;
use countermand_core::{Job, Outcome, Shutdown, WorkerConfig};

const SECOND: Duration = Duration::from_secs(1);

fn config() -> WorkerConfig {
    WorkerConfig::new().lanes(2).drivers(1).capacity(8)
}

#[test]
fn s5_who_waits_for_its_own_worker_is_told_when_nobody_else_is_left_and_not_before() {
    // One that waited and gave it up, one that waits twice and gives one up, one whose wait was forgotten with it: none of them is mistaken.
    for (waits, dropped, forgotten) in [(0, 0, 0), (1, 1, 0), (2, 2, 0), (1, 0, 1)] {
        let mut bench = Bench::new(config().lanes(3));
        let (door, gate) = (bench.worker.clone(), Gate::default());
        let (own, pass) = (door.clone(), gate.clone());
        let mut other = bench
            .worker
            .try_submit(Job::task(async move {
                let mut all: Vec<_> = (0..waits).map(|_| own.shutdown(Shutdown::Drain)).collect();
                std::future::poll_fn(|cx| {
                    assert!(all.iter_mut().all(|wait| Pin::new(wait).poll(cx).is_pending()));
                    Poll::Ready(())
                })
                .await;
                all.drain(..dropped).for_each(drop);
                all.drain(..forgotten).for_each(std::mem::forget);
                if forgotten == 0 {
                    pass.clone().pass().await;
                }
            }))
            .expect("a place");
        // Where the first one ends at once, a third is what is left to be waited for.
        let pass = gate.clone();
        let third = bench.worker.try_submit(Job::task(async move {
            if forgotten > 0 {
                pass.pass().await;
            }
        }));
        let own = door.clone();
        let mut insider = bench
            .worker
            .try_submit(Job::task(async move { own.shutdown(Shutdown::Drain).await.counts }))
            .expect("a place");
        bench.run();
        bench.advance(SECOND);
        assert!(!insider.is_finished(), "{waits} {dropped} {forgotten}: another job goes on");
        gate.open();
        bench.run();
        let Outcome::Completed(counts) = take(&mut insider) else { panic!("{waits} {dropped} {forgotten}") };
        assert_eq!((counts.unsettled, counts.completed), (1, 2), "{waits} {dropped} {forgotten}");
        assert!(matches!(take(&mut other), Outcome::Completed(())));
        drop(third);
    }
}

#[test]
fn s5_two_that_wait_for_their_own_worker_are_both_told() {
    let mut bench = Bench::new(config());
    let mut handles: Vec<_> = (0..2)
        .map(|_| {
            let own = bench.worker.clone();
            bench
                .worker
                .try_submit(Job::task(async move {
                    let (kept, given_up) = (own.shutdown(Shutdown::Drain), own.shutdown(Shutdown::Drain));
                    drop(given_up);
                    kept.await.counts.unsettled
                }))
                .expect("a place")
        })
        .collect();
    bench.run();
    assert!(handles.iter_mut().all(|handle| matches!(take(handle), Outcome::Completed(1 | 2))));
}

//! J9: what it costs to start a worker of 64 that gets nothing to do, and to stop it.
//!
//! The peer is what people write for that: 64 tasks that share the receiving end of a channel, and a token that ends them; all are awaited. Everybody has two
//! threads that are there before.

use countermand::{Shutdown, Tokio, WorkerConfig};
use tokio_util::sync::CancellationToken;

use crate::idioms::tokio_threads::Threads;
use crate::question::{At, Cases, Goal, Quantity, Question};

const OURS: &str = "start and Shutdown::Drain";
const TASKS: &str = "64 tasks on a channel";
const SIZE: usize = 64;

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "J9",
    title: "start and stop of an idle worker of 64",
    ops: 200,
    by: Quantity::Cpu,
    goals: &[
        Goal::times_less("", OURS, TASKS, 3.0),
        // No fixed wait: a fifth of a millisecond by the clock.
        Goal::at_most(At("", OURS), Quantity::Wall, 200_000.0),
    ],
    cases,
};

fn cases(_: u64, cases: &mut Cases) {
    let threads = Threads::new(2);
    cases.ours(OURS, move |meter| {
        let times = meter.ops();
        let run = async move {
            let host = Tokio::current().expect("it is in a runtime");
            for _ in 0..times {
                let worker = host.start(WorkerConfig::new().lanes(SIZE).drivers(2)).expect("it is well set up");
                let report = worker.shutdown(Shutdown::Drain).await;
                assert_eq!(report.counts.accepted, 0);
            }
        };
        meter.time(|| threads.run(run));
    });
    let threads = Threads::new(2);
    cases.peer(TASKS, move |meter| {
        let times = meter.ops();
        let run = async move {
            for _ in 0..times {
                let stop = CancellationToken::new();
                let (sender, receiver) = async_channel::bounded::<u64>(1_024);
                let serve = |_| {
                    let (stop, receiver) = (stop.clone(), receiver.clone());
                    tokio::spawn(async move {
                        loop {
                            tokio::select! {
                                biased;
                                () = stop.cancelled() => break,
                                job = receiver.recv() => if job.is_err() { break },
                            }
                        }
                    })
                };
                let tasks: Vec<_> = (0..SIZE).map(serve).collect();
                stop.cancel();
                for task in tasks {
                    task.await.expect("it does not panic");
                }
                drop(sender);
            }
        };
        meter.time(|| threads.run(run));
    });
}

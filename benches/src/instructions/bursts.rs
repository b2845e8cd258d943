//! The paths of jobs that come in thousands: they sleep until a time, or run until somebody asks them to stop.

use std::future::pending;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use countermand::{Handle, Job, Outcome, Token, WorkerConfig};

use super::paths::measured;
use super::stage::Stage;
use crate::idioms::work::{TIMEOUT, ready};

/// How many are in flight at the most.
pub(super) const MOST: u64 = 6_400;
const NAP: Duration = Duration::from_millis(1);
/// What a step takes, about.
const STEP: Duration = Duration::from_nanos(100);
/// By how much an alarm is late: the tick of tokio's timers.
const LATE: Duration = Duration::from_millis(1);

/// As many lanes as there are jobs at a time, and how many bursts.
fn stage(times: u64) -> (Stage, u64, u64) {
    let each = times.clamp(1, MOST);
    let all = usize::try_from(each).unwrap_or(usize::MAX);
    let mut stage = Stage::new(WorkerConfig::new().lanes(all).capacity(all));
    stage.settle();
    (stage, each, times / each)
}

/// Jobs that sleep for a millisecond, all at once, each from the time of its own first poll (J5).
pub(super) fn asleep(times: u64) {
    let (mut stage, each, bursts) = stage(times);
    let mut handles: Vec<Handle<u64>> = Vec::with_capacity(each as usize);
    for _ in 0..bursts {
        measured(|| {
            for number in 0..each {
                let job = Job::task_with(move |context| async move {
                    context.sleep(NAP).await;
                    number
                });
                handles.push(stage.worker.try_submit(job.run_timeout(TIMEOUT)).expect("there is room"));
            }
            while stage.worker.counts().unsettled > 0 {
                while stage.step() {
                    stage.pass(STEP);
                }
                stage.pass_until_due(LATE);
            }
            handles.drain(..).for_each(|handle| assert!(outcome(handle).completed().is_some(), "nobody cancels it"));
        });
    }
}

/// Running jobs that are cancelled by the token that is the parent of all; counted is from the request to the last outcome (J7).
pub(super) fn cancelled(times: u64) {
    let (mut stage, each, bursts) = stage(times);
    for _ in 0..bursts {
        let parent = Token::new();
        let job = |_| Job::task(pending::<u64>()).parent(&parent).run_timeout(TIMEOUT);
        let handles: Vec<_> =
            (0..each).map(|number| stage.worker.try_submit(job(number)).expect("there is room")).collect();
        stage.settle();
        measured(|| {
            assert!(parent.cancel(), "nobody did before");
            stage.settle();
            handles.into_iter().for_each(|handle| assert!(outcome(handle).is_cancelled(), "all were"));
        });
    }
}

/// Jobs that are ready at once, all queued at the same time (J3).
pub(super) fn queued(times: u64) {
    let (mut stage, each, bursts) = stage(times);
    let mut handles: Vec<Handle<u64>> = Vec::with_capacity(each as usize);
    for _ in 0..bursts {
        measured(|| {
            let job = |number| Job::task(ready(number)).run_timeout(TIMEOUT);
            handles.extend((0..each).map(|number| stage.worker.try_submit(job(number)).expect("there is room")));
            stage.settle();
            handles.drain(..).for_each(|handle| assert!(outcome(handle).completed().is_some(), "nobody cancels it"));
        });
    }
}

fn outcome<T>(mut handle: Handle<T>) -> Outcome<T> {
    match Pin::new(&mut handle).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => unreachable!("the driver has run out of work"),
    }
}

//! Requests as jobs, in virtual time: who is served, who is refused, who is cancelled.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use countermand_core::{CauseKind, FullPolicy, Phase, Priority, RejectReason, Shutdown, Token, Worker, WorkerConfig};
use countermand_sim::{Gate, Sim};
use countermand_tower::{Conditions, ServiceError, WorkerLayer, WorkerService};
use tower_layer::Layer as _;
use tower_service::Service;

/// Answers a request with itself, once its gate is open.
#[derive(Clone)]
struct Desk {
    gate: Gate,
    begun: Arc<Mutex<Vec<&'static str>>>,
    ready: bool,
}

impl Desk {
    fn begun(&self) -> Vec<&'static str> {
        self.begun.lock().expect("not poisoned").clone()
    }
}

#[derive(Debug, PartialEq)]
struct Closed;

impl Service<&'static str> for Desk {
    type Response = &'static str;
    type Error = Closed;
    type Future = Pin<Box<dyn Future<Output = Result<&'static str, Closed>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        Poll::Ready(if self.ready { Ok(()) } else { Err(Closed) })
    }

    fn call(&mut self, request: &'static str) -> Self::Future {
        self.begun.lock().expect("not poisoned").push(request);
        let gate = self.gate.clone();
        Box::pin(async move {
            gate.wait().await;
            match request {
                "fail" => Err(Closed),
                "panic" => panic!("on purpose"),
                other => Ok(other),
            }
        })
    }
}

fn conditions(request: &&'static str) -> Conditions {
    let priority = if request.starts_with("urgent") { Priority::High } else { Priority::Normal };
    Conditions::new().name(*request).priority(priority).within(Duration::from_secs(5))
}

type Classified = WorkerService<Desk, fn(&&'static str) -> Conditions>;

fn service(sim: &Sim, full: FullPolicy) -> (Worker, Desk, Classified) {
    let config = WorkerConfig::new().lanes(1).drivers(1).capacity(2).full(full);
    let worker = sim.start(config).expect("valid settings");
    let desk = Desk { gate: Gate::new(), begun: Arc::default(), ready: true };
    let classify: fn(&&'static str) -> Conditions = conditions;
    (worker.clone(), desk.clone(), WorkerLayer::with(worker, classify).layer(desk))
}

/// Lets others have their turns until it is so.
fn until(sim: &Sim, so: impl Fn() -> bool) {
    sim.block_on(async {
        while !so() {
            sim.yield_now().await;
        }
    });
}

#[test]
fn responses_errors_and_panics_come_through() {
    Sim::explore(0..50, |sim| {
        let (_worker, desk, mut service) = service(sim, FullPolicy::Wait);
        desk.gate.open();
        sim.block_on(async {
            assert_eq!(service.call("hello").await, Ok("hello"));
            assert_eq!(service.call("fail").await, Err(ServiceError::Service(Closed)));
            assert_eq!(service.call("panic").await, Err(ServiceError::Panicked(String::from("on purpose"))));
            assert_eq!(service.call("again").await, Ok("again"));
        });
    });
}

#[test]
fn one_that_is_not_ready_says_so() {
    let sim = Sim::new(0);
    let (worker, desk, _) = service(&sim, FullPolicy::Wait);
    let mut service = WorkerLayer::new(worker).layer(Desk { ready: false, ..desk });
    let ready = sim.block_on(std::future::poll_fn(|cx| service.poll_ready(cx)));
    assert_eq!(ready, Err(ServiceError::Service(Closed)));
}

#[test]
fn the_urgent_are_served_first_and_what_has_no_room_is_shed() {
    Sim::explore(0..50, |sim| {
        let (worker, desk, mut service) = service(sim, FullPolicy::Reject);
        let first = sim.spawn(service.call("first"));
        until(sim, || desk.begun() == ["first"]);
        let second = sim.spawn(service.call("second"));
        until(sim, || worker.queued() == 1);
        let urgent = sim.spawn(service.call("urgent"));
        until(sim, || worker.queued() == 2);
        let third = sim.block_on(service.call("third")).expect_err("no room");
        assert_eq!(third, ServiceError::Refused(RejectReason::Full));
        assert!(third.is_untouched());
        desk.gate.open();
        let answers = sim.block_on(async { [first.await, second.await, urgent.await].map(Result::unwrap) });
        assert_eq!(answers, [Ok("first"), Ok("second"), Ok("urgent")]);
        assert_eq!(desk.begun(), ["first", "urgent", "second"]);
    });
}

#[test]
fn a_deadline_holds_where_the_request_is() {
    Sim::explore(0..50, |sim| {
        let (worker, desk, mut service) = service(sim, FullPolicy::Wait);
        // One runs, two are queued, one waits for a place.
        let spawned: Vec<_> = ["a", "b", "c", "d"].map(|request| sim.spawn(service.call(request))).into();
        let answers: Vec<_> = sim.block_on(async {
            let mut answers = Vec::new();
            for spawned in spawned {
                answers.push(spawned.await.expect("it is not aborted"));
            }
            answers
        });
        assert_eq!(sim.now().as_nanos(), 5_000_000_000);
        let begun = desk.begun().len();
        let running = answers.iter().filter(|answer| **answer == Err(ServiceError::TimedOut(Phase::Running))).count();
        let queued = answers.iter().filter(|answer| **answer == Err(ServiceError::TimedOut(Phase::Queued))).count();
        assert_eq!((begun, running, queued), (1, 1, 3));
        assert_eq!((worker.queued(), worker.promised()), (0, 0));
    });
}

#[test]
fn a_caller_who_goes_takes_the_request_along() {
    Sim::explore(0..50, |sim| {
        let (worker, desk, mut service) = service(sim, FullPolicy::Wait);
        let running = sim.spawn(service.call("running"));
        sim.block_on(async {
            while desk.begun.lock().expect("not poisoned").is_empty() {
                sim.yield_now().await
            }
        });
        let queued = sim.spawn(service.call("queued"));
        sim.block_on(async {
            while worker.queued() == 0 {
                sim.yield_now().await
            }
        });
        running.abort();
        queued.abort();
        let report = sim.block_on(worker.shutdown(Shutdown::Drain));
        assert_eq!((report.counts.accepted, report.counts.cancelled), (2, 2));
        assert_eq!(desk.begun().len(), 1, "the queued one never began");
    });
}

#[test]
fn a_closed_worker_refuses_and_an_abort_cancels() {
    Sim::explore(0..50, |sim| {
        let (worker, desk, mut service) = service(sim, FullPolicy::Wait);
        let running = sim.spawn(service.call("running"));
        sim.block_on(async {
            while desk.begun.lock().expect("not poisoned").is_empty() {
                sim.yield_now().await
            }
        });
        sim.block_on(worker.shutdown(Shutdown::Abort));
        let (running, late) =
            sim.block_on(async { (running.await.expect("it is not aborted"), service.call("late").await) });
        assert!(
            matches!(running, Err(ServiceError::Cancelled { cause, started: true }) if cause.kind() == CauseKind::Shutdown)
        );
        assert_eq!(late, Err(ServiceError::Refused(RejectReason::Closed)));
    });
}

#[test]
fn the_least_urgent_makes_room_and_is_told() {
    Sim::explore(0..50, |sim| {
        let (worker, desk, mut service) = service(sim, FullPolicy::EvictLowest);
        let running = sim.spawn(service.call("running"));
        until(sim, || !desk.begun().is_empty());
        let (elder, younger) = (sim.spawn(service.call("elder")), sim.spawn(service.call("younger")));
        until(sim, || worker.queued() == 2);
        let urgent = sim.spawn(service.call("urgent"));
        until(sim, || younger.is_finished() || elder.is_finished());
        desk.gate.open();
        let answers =
            sim.block_on(async { [running.await, urgent.await, elder.await, younger.await].map(Result::unwrap) });
        assert_eq!(answers[..2], [Ok("running"), Ok("urgent")]);
        // Which of the two came first, the seed has decided; one of them made room.
        let evicted: Vec<_> = answers[2..].iter().filter_map(|answer| answer.as_ref().err()).collect();
        let [evicted] = evicted[..] else { panic!("{answers:?}") };
        assert!(
            matches!(evicted, ServiceError::Cancelled { cause, started: false } if cause.kind() == CauseKind::Evicted)
        );
        assert!(evicted.is_untouched());
    });
}

#[test]
fn a_parent_ends_the_requests_below_it() {
    let sim = Sim::new(5);
    let (worker, desk, _) = service(&sim, FullPolicy::Wait);
    let parent = Token::new();
    let mut service = WorkerLayer::with(worker, Conditions::new().parent(&parent)).layer(desk.clone());
    let request = sim.spawn(service.call("for ever"));
    until(&sim, || !desk.begun().is_empty());
    parent.cancel();
    let answer = sim.block_on(request).expect("it is not aborted");
    assert!(matches!(answer, Err(ServiceError::Cancelled { started: true, .. })));
}

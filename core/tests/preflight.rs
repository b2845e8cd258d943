//! Preflights: all that does not hold is said at once, in the order of the checks, and what cannot be one is refused (G4).

mod common;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use common::bench::Bench;
use common::log::Log;
use common::{Count, poll};
use countermand_core::{
    Cause, Check, CheckId, Cleared, FullPolicy, Grounded, Guard, Job, KernelId, PlanFault, Preflight, Reason, Shutdown,
    Skipped, SubsystemId, Violation, WorkerConfig,
};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

fn guard() -> (Arc<Log>, Guard<Arc<Log>>) {
    let log = Arc::new(Log::default());
    (log.clone(), Guard::new(SubsystemId::new("tamiyo").expect("an identifier"), log))
}

fn bench() -> Bench {
    Bench::new(WorkerConfig::new().lanes(4).drivers(1).capacity(4))
}

fn id(name: &str) -> CheckId {
    CheckId::new(name).expect("an identifier")
}

fn fine(name: &'static str) -> Check<'static> {
    Check::here(name, || Ok::<(), &str>(()))
}

fn bad(name: &'static str) -> Check<'static> {
    Check::here(name, || Err("planted"))
}

fn preflight<'a>(checks: impl IntoIterator<Item = Check<'a>>) -> Preflight<'a> {
    Preflight::new(checks).expect("a sound plan")
}

/// Runs it, taking `step` between two looks, until it has ended.
fn run(
    preflight: Preflight<'_>,
    guard: &Guard<Arc<Log>>,
    bench: &mut Bench,
    mut step: impl FnMut(&mut Bench),
) -> Result<Cleared, Grounded> {
    let worker = bench.worker.clone();
    let mut flight = pin!(preflight.run(guard, &worker));
    let (woken, waker) = Count::new();
    for _ in 0..100 {
        let before = woken.get();
        if let Poll::Ready(end) = poll(flight.as_mut(), &waker) {
            return end;
        }
        bench.run();
        if woken.get() == before {
            step(bench);
        }
    }
    panic!("the preflight does not end");
}

fn at_once(preflight: Preflight<'_>, guard: &Guard<Arc<Log>>, bench: &mut Bench) -> Result<Cleared, Grounded> {
    run(preflight, guard, bench, |_| panic!("nobody will wake the preflight"))
}

/// Of each violation its check and its reason.
fn reasons(grounded: &Grounded) -> Vec<(String, Reason)> {
    grounded.violations().map(|(check, violation)| (check.to_string(), violation.reason())).collect()
}

#[test]
fn all_that_hold_clear_it() {
    let ((log, guard), mut bench) = (guard(), bench());
    let plan = preflight([
        fine("last").after("task").after("call"),
        Check::job("task", SECOND, Job::task(async {})),
        Check::job("call", SECOND, Job::fallible(async { Ok::<(), std::io::Error>(()) })),
        fine("first"),
    ]);
    let cleared = at_once(plan, &guard, &mut bench).expect("all hold");
    assert_eq!(cleared.checks(), ["last", "task", "call", "first"].map(id));
    assert_eq!((log.told(), guard.counts().violations), (vec![], 0));
    assert_eq!(at_once(preflight([]), &guard, &mut bench).expect("nothing to hold").checks(), []);
}

#[test]
fn all_that_do_not_hold_are_said_at_once_in_their_order() {
    let ((log, guard), mut bench) = (guard(), bench());
    let kernel = KernelId::new("k9").expect("an identifier");
    let plan = preflight([
        Check::job("answers", SECOND, Job::fallible(async { Err("refused") })),
        bad("disk"),
        fine("clock"),
        Check::here("kernel", || guard.known(kernel, &|_: &KernelId| false).map(drop)),
        Check::here("panics", || -> Result<(), &str> { panic!("planted here") }),
        Check::job("panics.too", SECOND, Job::task(async { panic!("planted there") })),
        fine("warm").after("clock").after("kernel"),
        fine("hot").after("warm"),
    ]);
    let grounded = at_once(plan, &guard, &mut bench).expect_err("five do not hold");
    let expected = [
        ("answers", Reason::CheckFailed),
        ("disk", Reason::CheckFailed),
        ("kernel", Reason::UnknownIdentifier),
        ("panics", Reason::CheckPanicked),
        ("panics.too", Reason::CheckPanicked),
    ];
    assert_eq!(reasons(&grounded), expected.map(|(check, reason)| (check.to_owned(), reason)));
    assert_eq!(grounded.passed(), [id("clock")]);
    let skipped: Vec<_> =
        grounded.skipped().iter().map(|Skipped { check, because_of, .. }| (*check, *because_of)).collect();
    assert_eq!(skipped, [(id("warm"), id("kernel")), (id("hot"), id("kernel"))]);
    assert_eq!(
        grounded.to_string(),
        "tamiyo: check answers did not pass (refused); tamiyo: check disk did not pass (planted); tamiyo: kernel k9 is not known; \
         tamiyo: check panics panicked (planted here); tamiyo: check panics.too panicked (planted there); \
         check warm was skipped because of kernel; check hot was skipped because of kernel"
    );
    // One event each. What the guard found inside of a check it told there, before the others.
    assert!(grounded.violations().all(|(_, violation)| violation.is_reported()));
    let told = log.told();
    let told: Vec<_> = told.iter().map(|(about, why)| (about.as_str(), why.as_str())).collect();
    let expected = [
        ("k9", "unknown_identifier"),
        ("answers", "check_failed"),
        ("disk", "check_failed"),
        ("panics", "check_panicked"),
        ("panics.too", "check_panicked"),
    ];
    assert_eq!(told, expected);
    assert_eq!(guard.counts().violations, 5);
}

#[test]
fn a_check_that_takes_too_long_is_a_violation_at_its_limit() {
    let ((_, guard), mut bench, never) = (guard(), bench(), || Job::task(std::future::pending::<()>()));
    let plan = preflight([
        Check::job("slow", SECOND * 3, never()),
        // Its limit counts from when the one before has passed.
        Check::job("later", SECOND * 2, never()).after("naps"),
        Check::job("naps", SECOND * 9, Job::task_with(|cx| async move { cx.sleep(SECOND * 2).await })),
        Check::job("own", SECOND * 9, never().run_timeout(SECOND)),
        Check::job("due", SECOND * 9, never().deadline(bench.worker.now().checked_add(SECOND).expect("soon"))),
    ]);
    let mut ticks = 0;
    let end = run(plan, &guard, &mut bench, |bench| {
        ticks += 1;
        bench.advance(SECOND);
    });
    let grounded = end.expect_err("two take too long, and two by their own rules");
    let late = |check: &str| (check.to_owned(), Reason::CheckTimedOut);
    assert_eq!(reasons(&grounded), [late("slow"), late("later"), late("own"), late("due")]);
    assert_eq!((grounded.passed(), ticks), ([id("naps")].as_slice(), 4));
    assert!(
        grounded.to_string().starts_with("tamiyo: check slow was not done in time (still running after 3s); "),
        "{grounded}"
    );
}

#[test]
fn a_worker_that_is_full_takes_the_checks_one_after_the_other() {
    let ((_, guard), mut bench) = (guard(), Bench::new(WorkerConfig::new().lanes(1).drivers(1).capacity(1)));
    let names: Vec<String> = (0..20).map(|number| format!("check.{number}")).collect();
    let checks = names.iter().map(|name| Check::job(name.clone(), SECOND, Job::task(async {})));
    let cleared = at_once(preflight(checks), &guard, &mut bench).expect("there is room for all in time");
    assert_eq!(cleared.checks().len(), 20);
}

#[test]
fn a_worker_that_does_not_take_a_check_is_a_violation() {
    let ((_, guard), mut bench) =
        (guard(), Bench::new(WorkerConfig::new().lanes(1).drivers(1).capacity(1).full(FullPolicy::Wait)));
    let mut others = Vec::new();
    for _ in 0..2 {
        others.push(bench.worker.try_submit(Job::task(std::future::pending::<()>())).expect("a place"));
        bench.run();
    }
    let jobs = || {
        [
            fine("c").after("b"),
            Check::job("a", SECOND, Job::task(async {})).after("here"),
            Check::job("b", SECOND, Job::task(async {})),
            fine("here"),
        ]
    };
    let grounded = at_once(preflight(jobs()), &guard, &mut bench).expect_err("others have all places");
    let rejected = |check: &str| (check.to_owned(), Reason::CheckRejected);
    assert_eq!(reasons(&grounded), [rejected("a"), rejected("b")]);
    assert_eq!(grounded.skipped().len(), 1);
    assert!(
        grounded.to_string().contains("check a was not accepted by the worker (the queue is full for this priority)"),
        "{grounded}"
    );

    drop(bench.worker.shutdown(Shutdown::Abort));
    bench.run();
    let grounded = at_once(preflight(jobs()), &guard, &mut bench).expect_err("the worker is closed");
    assert_eq!(reasons(&grounded), [rejected("a"), rejected("b")]);
    assert!(grounded.to_string().contains("(the worker is closed)"), "{grounded}");
}

#[test]
fn a_check_that_is_cancelled_is_a_violation() {
    let ((_, guard), mut bench) = (guard(), bench());
    let token = countermand_core::Token::new();
    let plan = preflight([Check::job("stuck", SECOND, Job::task(std::future::pending::<()>()).parent(&token))]);
    let end = run(plan, &guard, &mut bench, |_| assert!(token.cancel_with(Cause::REQUESTED.with_text("by hand"))));
    let grounded = end.expect_err("it was cancelled");
    assert_eq!(grounded.to_string(), "tamiyo: check stuck was cancelled (requested: by hand)");
}

#[test]
fn dropping_it_cancels_what_runs_and_reports_nothing() {
    let ((log, guard), mut bench) = (guard(), bench());
    let worker = bench.worker.clone();
    let plan = preflight([bad("disk"), Check::job("stuck", SECOND, Job::task(std::future::pending::<()>()))]);
    let mut flight = Box::pin(plan.run(&guard, &worker));
    let (_, waker) = Count::new();
    assert!(poll(flight.as_mut(), &waker).is_pending());
    bench.run();
    assert_eq!(worker.running(), 1);
    drop(flight);
    bench.run();
    assert_eq!((worker.running(), worker.counts().cancelled, log.told()), (0, 1, vec![]));
}

#[test]
fn what_a_check_captured_that_panics_when_it_is_dropped_is_contained() {
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("planted in a destructor");
        }
    }
    let ((_, guard), mut bench) = (guard(), bench());
    let own = Bad;
    let unmade = Check::here("unmade", move || {
        let _own = &own;
        Ok::<(), &str>(())
    });
    let grounded =
        at_once(preflight([bad("disk"), unmade.after("disk")]), &guard, &mut bench).expect_err("disk does not hold");
    assert_eq!((grounded.skipped().len(), guard.counts().contained_panics), (1, 1));

    // One of each kind, and all of them are counted: skipped, and twice refused by a worker that is closed.
    let ((_, guard), mut bench) = (self::guard(), self::bench());
    bench.worker.close();
    let (first, second, third) = (Bad, Bad, Bad);
    let job = |name: &'static str, own: Bad| {
        let body = async move {
            let _own = &own;
        };
        Check::job(name, SECOND, Job::task(body))
    };
    let unmade = Check::here("unmade", move || {
        let _own = &first;
        Ok::<(), &str>(())
    });
    let plan = preflight([job("one", second), job("two", third), unmade.after("two")]);
    let grounded = at_once(plan, &guard, &mut bench).expect_err("the worker is closed");
    assert_eq!((grounded.skipped().len(), grounded.violations().len()), (1, 2));
    assert_eq!(guard.counts().contained_panics, 3);
}

#[test]
fn a_violation_of_somebody_elses_keeps_its_subsystem() {
    let ((log, guard), mut bench) = (guard(), bench());
    let other = SubsystemId::new("urza").expect("an identifier");
    let own = Violation::new(other, "store", Reason::MissingValue).about("weights").details("never written");
    let job = Job::fallible({
        let own = own.clone();
        async { Err(own) }
    });
    let grounded =
        at_once(preflight([Check::job("store", SECOND, job)]), &guard, &mut bench).expect_err("it is missing");
    assert_eq!(grounded.to_string(), own.to_string());
    assert_eq!(log.told(), [("weights".to_owned(), "missing_value".to_owned())]);
}

fn faults<'a>(checks: impl IntoIterator<Item = Check<'a>>) -> (Vec<PlanFault>, String) {
    let error = Preflight::new(checks).expect_err("no plan");
    (error.faults().to_vec(), error.to_string())
}

#[test]
fn names_and_what_they_come_after_are_looked_at_all_at_once() {
    let (found, said) =
        faults([fine("a"), fine(""), fine("a"), fine("b").after("c").after("d d"), fine("e").after("a")]);
    assert_eq!(found.len(), 4, "{found:?}");
    assert_eq!(
        said,
        "these checks are no preflight: check identifier is empty; there are two checks a; \
         b comes after \"c\", and there is no such check; b comes after \"d d\", and there is no such check"
    );
}

#[test]
fn a_cycle_is_named_whole() {
    let names = |path: &[&str]| path.iter().map(|name| id(name)).collect::<Vec<_>>();
    let (found, said) = faults([
        fine("in").after("a"),
        fine("a").after("b").after("x"),
        fine("b").after("c"),
        fine("c").after("a"),
        fine("x"),
        fine("self").after("self"),
    ]);
    assert_eq!(found, [PlanFault::Cycle(names(&["a", "b", "c"])), PlanFault::Cycle(names(&["self"]))]);
    assert_eq!(
        said,
        "these checks are no preflight: a cycle, in which each comes after the next: a -> b -> c -> a; \
         a cycle, in which each comes after the next: self -> self"
    );
    // Long ones as well, and without a deep stack.
    let long: Vec<String> = (0..2_000).map(|number| format!("n{number}")).collect();
    let checks = (0..long.len()).map(|place| {
        Check::here(long[place].clone(), || Ok::<(), &str>(())).after(long[(place + 1) % long.len()].clone())
    });
    let (found, said) = faults(checks);
    assert!(matches!(&found[..], [PlanFault::Cycle(path)] if path.len() == 2_000));
    assert!(said.ends_with("n1999 -> n0"), "{}", &said[said.len() - 40..]);
}

#[test]
fn a_thread_without_a_runtime_can_wait_for_it() {
    let ((_, guard), bench) = (guard(), bench());
    let checks = [bad("disk"), fine("clock")];
    let end = preflight(checks).run_blocking(&guard, &bench.worker).expect("it may wait here");
    assert_eq!(end.expect_err("disk does not hold").passed(), [id("clock")]);
}

proptest! {
    /// Of a random plan without cycles: each check is made exactly if all before it pass, and is told of by what it is.
    #[test]
    fn every_check_ends_as_those_before_it_allow(
        plan in prop::collection::vec((any::<bool>(), any::<bool>(), prop::collection::vec(any::<prop::sample::Index>(), 0..3)), 1..12),
        seed in any::<u64>(),
    ) {
        let ((_, guard), mut bench) = (guard(), bench());
        let made = Mutex::new(Vec::new());
        let name = |place: usize| format!("c{place}");
        // Each comes only after ones of lower number; declared in another order than that.
        let before: Vec<Vec<usize>> =
            plan.iter().enumerate().map(|(place, (_, _, before))| if place == 0 { vec![] } else { before.iter().map(|index| index.index(place)).collect() }).collect();
        let mut order: Vec<usize> = (0..plan.len()).collect();
        order.sort_by_key(|place| (*place as u64 + 1).wrapping_mul(seed | 1));
        let checks = order.iter().map(|&place| {
            let (passes, as_job, _) = plan[place];
            let end = if passes { Ok(()) } else { Err("planted") };
            let check = if as_job {
                Check::job(name(place), SECOND, Job::fallible(async move { end }))
            } else {
                let made = &made;
                Check::here(name(place), move || { made.lock().expect("whole").push(place); end })
            };
            before[place].iter().fold(check, |check, before| check.after(name(*before)))
        });
        let end = at_once(preflight(checks), &guard, &mut bench);

        let mut passed = vec![false; plan.len()];
        let mut skipped = vec![false; plan.len()];
        for place in 0..plan.len() {
            skipped[place] = before[place].iter().any(|before| !passed[*before]);
            passed[place] = plan[place].0 && !skipped[place];
        }
        let in_order = |which: &dyn Fn(usize) -> bool| order.iter().filter(|place| which(**place)).map(|place| id(&name(*place))).collect::<Vec<_>>();
        let expected_passed = in_order(&|place| passed[place]);
        match end {
            Ok(cleared) => prop_assert!(cleared.checks() == expected_passed && expected_passed.len() == plan.len()),
            Err(grounded) => {
                prop_assert_eq!(grounded.passed(), expected_passed);
                let failed: Vec<_> = grounded.violations().map(|(check, _)| check).collect();
                prop_assert_eq!(&failed, &in_order(&|place| !passed[place] && !skipped[place]));
                prop_assert!(!failed.is_empty());
                let left: Vec<_> = grounded.skipped().iter().map(|skipped| skipped.check).collect();
                prop_assert_eq!(left, in_order(&|place| skipped[place]));
                prop_assert!(grounded.skipped().iter().all(|skipped| failed.contains(&skipped.because_of)));
            }
        }
        let made = made.into_inner().expect("whole");
        prop_assert!(made.iter().all(|place| !skipped[*place]));
        prop_assert_eq!(made.len(), (0..plan.len()).filter(|place| !plan[*place].1 && !skipped[*place]).count());
    }
}

/// The future can go to another thread.
#[test]
fn it_may_cross_threads() {
    fn sendable<F: Future + Send>(_: Pin<&mut F>) {}
    let ((_, guard), bench) = (guard(), bench());
    sendable(pin!(preflight([fine("a")]).run(&guard, &bench.worker)));
}

//! What a request to stop does to a job, and what it does not.

use std::prelude::v1::*;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countermand_core::{Cause, Class, Handle, Job, Shutdown, Token, Worker};

use crate::rules::kit::{
    Book, Filler, OUT_RUNNING, Puppet, TICK, from_now, has, lanes, lock, secs, stopped, unstarted,
};
use crate::{Bench, Census, Check, Flaw, Gate, Profile, ensure, ensure_eq};

pub(super) async fn j2_cancelled_before_its_first_poll_is_never_polled(bench: &Bench) -> Check {
    cancelled_in_the_queue(bench).await?;
    cancelled_before_its_submit(bench).await?;
    let rounds = bench.rounds(30);
    for _ in 0..rounds {
        cancelled_when_its_lane_becomes_free(bench).await?;
    }
    Ok(rounds + 2)
}

async fn cancelled_in_the_queue(bench: &Bench) -> Result<(), Flaw> {
    let book = Book::default();
    let worker = bench.worker(lanes(1).observer(book.observer()))?;
    let filler = Filler::of(bench, &worker).await?;
    let parent = Token::new();
    let made = Arc::new(AtomicBool::new(false));
    let cast: [Puppet<()>; 4] = std::array::from_fn(|_| Puppet::ready(()));
    let (make, inner) = (Arc::clone(&made), cast[3].clone());
    let with_context = Job::task_with(move |_| {
        make.store(true, Ordering::SeqCst);
        inner.task()
    });
    let job = |place: usize| Job::task(cast[place].task()).grace(secs(60));
    let by_handle = bench.submit(&worker, job(0)).await?;
    let by_parent = bench.submit(&worker, job(1).parent(&parent.child_token())).await?;
    let by_drop = bench.submit(&worker, job(2).cancel_on_drop()).await?;
    let unmade = bench.submit(&worker, with_context).await?;
    let dropped = by_drop.id();
    let why = Cause::SHUTDOWN.with_text("of the parent");
    by_handle.cancel();
    unmade.cancel();
    drop(by_drop);
    parent.cancel_with(why);
    // The lane is still taken: they settle without it.
    for (handle, expected) in [(by_handle, Cause::REQUESTED), (by_parent, why), (unmade, Cause::REQUESTED)] {
        let id = handle.id();
        ensure_eq!(
            bench.settled(handle).await?.class(),
            unstarted(expected),
            "how a job ended, cancelled in the queue"
        );
        ensure!(!book.has_started(id), "the observer was told that it starts");
    }
    bench.until("a job whose handle was dropped settles", || !book.ends_of(dropped).is_empty()).await?;
    let ends: Vec<_> = book.ends_of(dropped).iter().map(|end| end.class).collect();
    ensure_eq!(ends, [unstarted(Cause::HANDLE_DROPPED)], "how it ended");
    filler.leave(bench).await?;
    bench.quiet(&worker).await?;
    for puppet in &cast {
        ensure_eq!(puppet.polls(), 0, "polls of a job that was cancelled in the queue");
        puppet.dropped_once("the task of a job that was cancelled in the queue")?;
    }
    ensure!(!made.load(Ordering::SeqCst), "the closure that makes the task was called");
    Ok(())
}

async fn cancelled_before_its_submit(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let parent = Token::new();
    parent.cancel_with(Cause::REQUESTED.with_code(2));
    let puppet = Puppet::ready(());
    let job = Job::task(puppet.task()).parent(&parent).grace(secs(60));
    let handle = bench.submit(&worker, job).await?;
    let class = bench.settled(handle).await?.class();
    let expected = unstarted(Cause::REQUESTED.with_code(2));
    ensure_eq!(class, expected, "how a job ended whose parent was cancelled before the submit");
    ensure_eq!(puppet.polls(), 0, "its polls");
    Ok(())
}

/// They are cancelled by the job that has the only lane, in its last poll: whether lane or keeper gets to them first is open.
async fn cancelled_when_its_lane_becomes_free(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let victims: Arc<Mutex<Vec<Handle<()>>>> = Arc::default();
    let (gate, list) = (Gate::new(), Arc::clone(&victims));
    let pass = gate.wait();
    let killer = Job::task(async move {
        pass.await;
        lock(&list).iter().for_each(|victim| {
            victim.cancel();
        });
    });
    let killer = bench.submit(&worker, killer).await?;
    bench.quiet(&worker).await?;
    let cast: Vec<Puppet<()>> = (0..6).map(|_| Puppet::ready(())).collect();
    for (place, puppet) in cast.iter().enumerate() {
        let grace = if place % 2 == 0 { secs(60) } else { Duration::ZERO };
        let victim = bench.submit(&worker, Job::task(puppet.task()).grace(grace)).await?;
        lock(&victims).push(victim);
    }
    gate.open();
    bench.settled(killer).await?;
    let victims = std::mem::take(&mut *lock(&victims));
    for (victim, puppet) in victims.into_iter().zip(&cast) {
        let class = bench.settled(victim).await?.class();
        let expected = unstarted(Cause::REQUESTED);
        ensure_eq!(class, expected, "how a queued job ended that the job before it cancelled");
        ensure_eq!(puppet.polls(), 0, "its polls");
    }
    Ok(())
}

/// How a request reaches a job in the middle of its poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    OwnToken,
    Handle,
    HandleDropped,
    Parent,
    ParentsDeadline,
    Abort,
    AnotherThread,
}

const WAYS: [Way; 7] =
    [Way::OwnToken, Way::Handle, Way::HandleDropped, Way::Parent, Way::ParentsDeadline, Way::Abort, Way::AnotherThread];

impl Way {
    /// How a job ends that is stopped in this way.
    fn class(self) -> Class {
        match self {
            Self::OwnToken | Self::Handle | Self::Parent | Self::AnotherThread => stopped(Cause::REQUESTED),
            Self::HandleDropped => stopped(Cause::HANDLE_DROPPED),
            Self::ParentsDeadline => OUT_RUNNING,
            Self::Abort => stopped(Cause::SHUTDOWN),
        }
    }
}

fn ways(bench: &Bench) -> impl Iterator<Item = Way> {
    let threads = has(bench, Profile::NONE.threads());
    WAYS.into_iter().filter(move |&way| threads || way != Way::AnotherThread)
}

/// What came of a job that was asked in the middle of its poll.
struct Asked {
    class: Class,
    /// What its handle brought, unless that was dropped.
    value: Option<Option<u32>>,
    cause: Option<Cause>,
    polls: u64,
}

/// A job is polled for the second time, and asked to stop in that poll. In the same poll it returns 3, or else it is pending,
/// wakes itself, and would return 99 in its third.
async fn asked_in_its_poll(bench: &Bench, way: Way, returns: bool) -> Result<Asked, Flaw> {
    let book = Book::default();
    let worker = bench.worker(lanes(1).observer(book.observer()))?;
    let at = from_now(bench, secs(50));
    let parent = Token::with_deadline(at);
    let held: Arc<Mutex<Option<Handle<u32>>>> = Arc::default();
    let (entered, asked) = (Gate::new(), Gate::new());
    let ask = {
        let (worker, parent, held) = (worker.clone(), parent.clone(), Arc::clone(&held));
        let (entered, asked) = (entered.clone(), asked.clone());
        move |token: &Token| match way {
            Way::OwnToken => drop(token.cancel()),
            Way::Handle => drop(lock(&held).as_ref().map(Handle::cancel)),
            Way::HandleDropped => {
                let handle = lock(&held).take();
                drop(handle);
            }
            Way::Parent => drop(parent.cancel()),
            Way::ParentsDeadline => drop(parent.expire_due(at)),
            Way::Abort => drop(worker.shutdown(Shutdown::Abort)),
            Way::AnotherThread => {
                entered.open();
                asked.wait_blocking();
            }
        }
    };
    let puppet = Puppet::new();
    let (actor, strings) = (puppet.clone(), puppet.clone());
    let job = Job::task_with(move |cx| {
        actor.acting(move |poll| match (poll, returns) {
            (1, _) => {}
            (2, true) => {
                ask(cx.token());
                strings.prepare(3);
            }
            (2, false) => {
                ask(cx.token());
                strings.wake();
            }
            _ => strings.prepare(99),
        })
    });
    let job = job.parent(&parent.child_token());
    let job = if way == Way::HandleDropped { job.cancel_on_drop() } else { job };
    let handle = bench.submit(&worker, job).await?;
    bench.quiet(&worker).await?;
    ensure_eq!(puppet.polls(), 1, "{way:?}: polls of a job that was started");
    let (id, token) = (handle.id(), handle.token());
    *lock(&held) = Some(handle);
    puppet.wake();
    if way == Way::AnotherThread {
        let held = Arc::clone(&held);
        let cancel = move || {
            entered.wait_blocking();
            let first = lock(&held).as_ref().is_some_and(Handle::cancel);
            asked.open();
            first
        };
        let first = bench.on_thread("a job is cancelled in the middle of its poll", cancel).await?;
        ensure!(first, "the only cancel of a job was told that it was not first");
    }
    bench.until("a job that was asked in its poll settles", || !book.ends_of(id).is_empty()).await?;
    let handle = lock(&held).take();
    let value = match handle {
        Some(handle) => Some(bench.settled(handle).await?.completed()),
        None => None,
    };
    let ends = book.ends_of(id);
    ensure_eq!(ends.len(), 1, "{way:?}: how often the job settled");
    bench.within("the worker ends", worker.shutdown(Shutdown::Drain)).await?;
    puppet.dropped_once("the task of a job that was asked in its poll")?;
    Ok(Asked { class: ends[0].class, value, cause: token.cause(), polls: puppet.polls() })
}

pub(super) async fn j3_ready_beats_a_request_of_the_same_poll(bench: &Bench) -> Check {
    let mut runs = 0;
    for way in ways(bench) {
        let Asked { class, value, cause, polls } = asked_in_its_poll(bench, way, true).await?;
        ensure!(cause.is_some(), "{way:?}: no request was there: nothing was examined");
        ensure_eq!(class, Class::Completed, "{way:?}: how a job ended that returned in the poll in which it was asked");
        ensure!(value.is_none_or(|value| value == Some(3)), "{way:?}: it returned 3, and its handle brought {value:?}");
        ensure_eq!(polls, 2, "{way:?}: its polls");
        runs += 1;
    }
    let worker = bench.worker(lanes(1))?;
    let at_once = Job::task_with(|cx| async move {
        cx.token().cancel();
        5
    });
    let at_once = bench.submit(&worker, at_once).await?;
    ensure_eq!(bench.settled(at_once).await?.completed(), Some(5), "what a job returned that cancelled itself at once");
    let failing = Job::fallible_with(|cx| async move {
        cx.token().cancel();
        Err::<(), _>("of its own")
    });
    let failing = bench.submit(&worker, failing).await?;
    ensure_eq!(
        bench.settled(failing).await?.class(),
        Class::Failed,
        "how a job ended that cancelled itself and failed"
    );
    let counts = worker.counts();
    ensure_eq!((counts.completed, counts.failed, counts.cancelled), (1, 1, 0), "the worker's counts");
    Ok(runs + 2)
}

pub(super) async fn j4_not_polled_after_a_request(bench: &Bench) -> Check {
    let mut runs = 0;
    for way in ways(bench) {
        let Asked { class, cause, polls, .. } = asked_in_its_poll(bench, way, false).await?;
        ensure!(cause.is_some(), "{way:?}: no request was there: nothing was examined");
        ensure_eq!(polls, 2, "{way:?}: polls of a job that was asked in its second");
        ensure_eq!(class, way.class(), "{way:?}: how it ended");
        runs += 1;
    }
    asked_between_two_polls(bench).await?;
    Ok(runs + 1)
}

/// Asked while they wait, then woken.
async fn asked_between_two_polls(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(4))?;
    let cast: [Puppet<()>; 4] = std::array::from_fn(|_| Puppet::new());
    let parent = Token::new();
    let job = |place: usize| Job::task(cast[place].task());
    let handles = [
        bench.submit(&worker, job(0)).await?,
        bench.submit(&worker, job(1).parent(&parent)).await?,
        bench.submit(&worker, job(2).run_timeout(secs(5))).await?,
        bench.submit(&worker, job(3)).await?,
    ];
    bench.quiet(&worker).await?;
    handles[0].cancel();
    parent.cancel();
    cast[0].answer(());
    cast[1].answer(());
    bench.advance(&worker, secs(5)).await?;
    cast[2].answer(());
    let abort = worker.shutdown(Shutdown::Abort);
    bench.within("an abort is over", abort).await?;
    cast[3].answer(());
    let expected = [stopped(Cause::REQUESTED), stopped(Cause::REQUESTED), OUT_RUNNING, stopped(Cause::SHUTDOWN)];
    for ((handle, puppet), expected) in handles.into_iter().zip(&cast).zip(expected) {
        ensure_eq!(bench.settled(handle).await?.class(), expected, "how a job ended that was asked between two polls");
        ensure_eq!(puppet.polls(), 1, "polls of a job that was asked after its first");
        puppet.dropped_once("the task of a job that was asked between two polls")?;
    }
    Ok(())
}

pub(super) async fn j5_grace_is_kept(bench: &Bench) -> Check {
    value_within_the_grace(bench).await?;
    dropped_at_the_end_of_the_grace(bench).await?;
    grace_after_a_deadline(bench).await?;
    whose_grace(bench).await?;
    grace_in_an_abort(bench).await?;
    Ok(5)
}

async fn value_within_the_grace(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(3))?;
    let parent = Token::new();
    let cast: [Puppet<u32>; 2] = [Puppet::new(), Puppet::new()];
    let by_handle = bench.submit(&worker, Job::task(cast[0].task()).grace(secs(10))).await?;
    let by_parent = bench.submit(&worker, Job::task(cast[1].task()).grace(secs(10)).parent(&parent)).await?;
    let cleaning = Job::task_with(|cx| async move {
        let cause = cx.token().cancelled().await;
        cx.sleep(secs(9)).await;
        cause
    });
    let cleaning = bench.submit(&worker, cleaning.grace(secs(10))).await?;
    bench.quiet(&worker).await?;
    by_handle.cancel();
    cleaning.cancel();
    parent.cancel();
    bench.advance(&worker, secs(9)).await?;
    let brought = bench.settled(cleaning).await?.completed();
    ensure_eq!(brought, Some(Cause::REQUESTED), "what a job returned that learned of the request and tidied up");
    bench.advance(&worker, secs(1) - TICK).await?;
    for (puppet, handle) in cast.iter().zip([by_handle, by_parent]) {
        ensure!(!handle.is_finished(), "a job was over within its grace");
        let before = puppet.polls();
        puppet.wake();
        bench.until("a job is polled within its grace", || puppet.polls() > before).await?;
        bench.quiet(&worker).await?;
        puppet.answer(5);
        ensure_eq!(bench.settled(handle).await?.completed(), Some(5), "what a job returned within its grace");
    }
    Ok(())
}

async fn dropped_at_the_end_of_the_grace(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let puppet = Puppet::<()>::new();
    let handle = bench.submit(&worker, Job::task(puppet.task()).grace(secs(10))).await?;
    bench.quiet(&worker).await?;
    handle.cancel();
    bench.advance(&worker, secs(6)).await?;
    // Asking again gives no more time.
    handle.cancel();
    puppet.wake();
    bench.advance(&worker, secs(4) - TICK).await?;
    ensure!(!handle.is_finished(), "a job was dropped a nanosecond before the end of its grace");
    let polls = puppet.polls();
    bench.advance(&worker, TICK).await?;
    ensure!(handle.is_finished(), "a job was not dropped at the end of its grace");
    ensure_eq!(bench.settled(handle).await?.class(), stopped(Cause::REQUESTED), "how it ended");
    ensure_eq!(puppet.polls(), polls, "its polls after its grace");
    puppet.dropped_once("the task of a job whose grace was over")
}

async fn grace_after_a_deadline(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(3))?;
    let cast: [Puppet<u32>; 3] = std::array::from_fn(|_| Puppet::new());
    let job = |place: usize| Job::task(cast[place].task()).grace(secs(10));
    let in_time = bench.submit(&worker, job(0).run_timeout(secs(5))).await?;
    let timed_out = bench.submit(&worker, job(1).run_timeout(secs(5))).await?;
    let due = bench.submit(&worker, job(2).deadline(from_now(bench, secs(5)))).await?;
    bench.advance(&worker, secs(15) - TICK).await?;
    for handle in [&in_time, &timed_out, &due] {
        ensure!(!handle.is_finished(), "a job was over within its grace after its deadline");
        ensure_eq!(handle.token().cause(), Some(Cause::DEADLINE), "the cause of its token");
    }
    cast[0].answer(5);
    ensure_eq!(bench.settled(in_time).await?.completed(), Some(5), "what a job returned within its grace");
    bench.advance(&worker, TICK).await?;
    for handle in [timed_out, due] {
        ensure!(handle.is_finished(), "a job went on after deadline and grace");
        ensure_eq!(bench.settled(handle).await?.class(), OUT_RUNNING, "how it ended");
    }
    Ok(())
}

/// The worker's for jobs that state none, else the job's own.
async fn whose_grace(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(3).grace(secs(10)))?;
    let job = || Job::task(Puppet::<()>::new().task());
    let none = bench.submit(&worker, job().grace(Duration::ZERO)).await?;
    let workers = bench.submit(&worker, job()).await?;
    let longer = bench.submit(&worker, job().grace(secs(20))).await?;
    bench.quiet(&worker).await?;
    for handle in [&none, &workers, &longer] {
        handle.cancel();
    }
    bench.quiet(&worker).await?;
    ensure!(none.is_finished(), "a job without grace was not dropped at once");
    bench.advance(&worker, secs(10) - TICK).await?;
    ensure!(!workers.is_finished(), "the worker's grace was over too early");
    bench.advance(&worker, TICK).await?;
    ensure!(workers.is_finished(), "the worker's grace did not end");
    ensure!(!longer.is_finished(), "the worker's grace held for a job that stated its own");
    bench.advance(&worker, secs(10)).await?;
    ensure!(longer.is_finished(), "a job's own grace did not end");
    Ok(())
}

async fn grace_in_an_abort(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2).shutdown_limit(secs(60)))?;
    let cast: [Puppet<u32>; 2] = [Puppet::new(), Puppet::new()];
    let returns = bench.submit(&worker, Job::task(cast[0].task()).grace(secs(10))).await?;
    let stays = bench.submit(&worker, Job::task(cast[1].task()).grace(secs(10))).await?;
    bench.quiet(&worker).await?;
    let abort = worker.shutdown(Shutdown::Abort);
    bench.advance(&worker, secs(10) - TICK).await?;
    ensure!(!returns.is_finished() && !stays.is_finished(), "a job was over within its grace in an abort");
    cast[0].answer(5);
    ensure_eq!(bench.settled(returns).await?.completed(), Some(5), "what a job returned within its grace in an abort");
    bench.advance(&worker, TICK).await?;
    ensure_eq!(bench.settled(stays).await?.class(), stopped(Cause::SHUTDOWN), "how a job ended whose grace was over");
    bench.within("the abort is over", abort).await.map(drop)
}

pub(super) async fn j6_cancel_is_synchronous_and_tells_who_was_first(bench: &Bench) -> Check {
    by_reference_and_at_once(bench).await?;
    if has(bench, Profile::NONE.threads()) {
        while_the_driver_is_held_up(bench).await?;
    }
    from_destructors_and_callbacks(bench).await?;
    let rounds = one_of_many_is_first(bench).await?;
    Ok(rounds + 3)
}

async fn by_reference_and_at_once(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let running = bench.submit(&worker, Job::task(Puppet::<u32>::new().task()).grace(secs(60))).await?;
    let done = bench.submit(&worker, Job::task(async { 6 })).await?;
    let filler = Filler::of(bench, &worker).await?;
    let queued = bench.submit(&worker, Job::task(async { 6 })).await?;
    bench.quiet(&worker).await?;
    for handle in [&running, &queued] {
        let (first, why) = (Cause::REQUESTED.with_code(1), handle.token());
        ensure!(handle.cancel_with(first), "the first cancel of a job was told that it was not first");
        ensure_eq!(why.cause(), Some(first), "the cause of a job's token when its cancel returned");
        ensure!(!handle.cancel_with(Cause::SHUTDOWN), "a second cancel of a job was told that it was first");
        ensure!(!handle.cancel(), "a third cancel of a job was told that it was first");
        ensure_eq!(why.cause(), Some(first), "the cause of a job's token after more cancels");
    }
    ensure!(done.is_finished(), "a job that returns at once is not over when all is quiet");
    ensure!(!done.cancel(), "a cancel of a job that was over was told that it was first");
    ensure_eq!(bench.settled(done).await?.completed(), Some(6), "what it returned");
    filler.leave(bench).await
}

/// One job does not return from its poll; it, its neighbour and a queued job are cancelled meanwhile.
async fn while_the_driver_is_held_up(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let (entered, leave) = (Gate::new(), Gate::new());
    let (enter, left) = (entered.clone(), leave.clone());
    let holding = Puppet::new();
    let held = holding.acting(move |poll| {
        if poll == 2 {
            enter.open();
            left.wait_blocking();
        }
    });
    let handles = [
        bench.submit(&worker, Job::task(held)).await?,
        bench.submit(&worker, Job::task(Puppet::<()>::new().acting(|_| ()))).await?,
        bench.submit(&worker, Job::task(Puppet::<()>::new().acting(|_| ()))).await?,
    ]
    .map(Arc::new);
    bench.quiet(&worker).await?;
    let targets = handles.clone();
    let cancel_all = move || {
        entered.wait_blocking();
        let first = targets.iter().map(|handle| handle.cancel()).collect::<Vec<_>>();
        drop(targets);
        leave.open();
        first
    };
    holding.answer(());
    let first = bench.on_thread("jobs are cancelled while their driver is held up", cancel_all).await?;
    ensure_eq!(first, [true; 3], "what three cancels were told while the driver was held up");
    let expected = [Class::Completed, stopped(Cause::REQUESTED), unstarted(Cause::REQUESTED)];
    for (handle, expected) in handles.into_iter().zip(expected) {
        let handle =
            Arc::into_inner(handle).ok_or_else(|| Flaw::Inconclusive("a handle is still shared".to_owned()))?;
        ensure_eq!(bench.settled(handle).await?.class(), expected, "how a job ended that was cancelled meanwhile");
    }
    Ok(())
}

/// Handles that others cancel, from wherever they are.
fn shared(handle: Handle<()>) -> Arc<Mutex<Option<Handle<()>>>> {
    Arc::new(Mutex::new(Some(handle)))
}

async fn from_destructors_and_callbacks(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(4))?;
    let job = || Job::task(Puppet::<()>::new().task());
    let victims = [
        shared(bench.submit(&worker, job()).await?),
        shared(bench.submit(&worker, job()).await?),
        shared(bench.submit(&worker, job()).await?),
    ];
    bench.quiet(&worker).await?;
    let told: Arc<AtomicU64> = Arc::default();
    let cancel = |victim: &Arc<Mutex<Option<Handle<()>>>>| {
        let (victim, told) = (Arc::clone(victim), Arc::clone(&told));
        move || {
            let first = lock(&victim).as_ref().is_some_and(Handle::cancel);
            told.fetch_add(u64::from(first), Ordering::SeqCst);
        }
    };
    let in_destructor = Census::new().probe_with(cancel(&victims[0]));
    let (in_callback, on_cancel) = (cancel(&victims[1]), cancel(&victims[2]));
    let inner = Puppet::<()>::new().task();
    let source = Job::task_with(move |cx| {
        let _ = cx.token().on_cancel(move |_| on_cancel());
        async move {
            inner.await;
            drop(in_destructor);
        }
    });
    let source = bench.submit(&worker, source).await?;
    source.on_done(move |_| in_callback());
    bench.quiet(&worker).await?;
    ensure!(source.cancel(), "the first cancel of a job was told that it was not first");
    ensure_eq!(bench.settled(source).await?.class(), stopped(Cause::REQUESTED), "how the first job ended");
    bench.until("three more are cancelled in consequence", || told.load(Ordering::SeqCst) == 3).await?;
    for victim in victims {
        let victim = lock(&victim).take();
        let victim = victim.ok_or_else(|| Flaw::Inconclusive("a handle is gone".to_owned()))?;
        ensure_eq!(bench.settled(victim).await?.class(), stopped(Cause::REQUESTED), "how such a job ended");
    }
    Ok(())
}

async fn one_of_many_is_first(bench: &Bench) -> Check {
    struct Field {
        handle: Handle<()>,
        first: AtomicU64,
    }
    const BATCH: u64 = 32;
    let cancel = |field: &Field| {
        field.first.fetch_add(u64::from(field.handle.cancel()), Ordering::SeqCst);
    };
    let mut rounds = 0;
    while rounds < bench.rounds(300) && bench.races_on(rounds) {
        let worker = bench.worker(lanes(BATCH as usize))?;
        let mut fresh = running_jobs(bench, &worker, BATCH).await?;
        let mut raced = Vec::new();
        bench.race(
            BATCH,
            |_| Field { handle: fresh.pop().unwrap_or_else(|| unreachable!("one a round")), first: AtomicU64::new(0) },
            &[&cancel, &cancel, &cancel],
            |round, Field { handle, first }| {
                let first = first.into_inner();
                ensure_eq!(first, 1, "round {round}: how many of three racing cancels were told that they were first");
                raced.push(handle);
                Ok(())
            },
        )?;
        for handle in raced {
            ensure_eq!(bench.settled(handle).await?.class(), stopped(Cause::REQUESTED), "how a job ended");
        }
        rounds += BATCH;
    }
    Ok(rounds)
}

async fn running_jobs(bench: &Bench, worker: &Worker, how_many: u64) -> Result<Vec<Handle<()>>, Flaw> {
    let mut handles = Vec::new();
    for _ in 0..how_many {
        handles.push(bench.submit(worker, Job::task(Puppet::new().task())).await?);
    }
    bench.quiet(worker).await?;
    Ok(handles)
}

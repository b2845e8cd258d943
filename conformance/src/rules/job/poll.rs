//! A job that is asked to stop in the middle of its poll, or between two.

use std::sync::{Arc, Mutex};

use countermand_core::{Cause, Class, Handle, Job, Shutdown, Token};

use crate::rules::kit::{Book, OUT_RUNNING, Puppet, from_now, has, lanes, lock, secs, stopped};
use crate::{Bench, Check, Flaw, Gate, Profile, ensure, ensure_eq};

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

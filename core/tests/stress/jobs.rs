//! Jobs that are made, queued, listed, run, cancelled, read and let go, each by another thread.

use std::borrow::Cow;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use countermand_core::{FullPolicy, Handle, Job, JobInfo, Outcome, Priority, WorkerConfig};

use crate::common::Count;
use crate::common::gate::Gate;
use crate::crew::{Crew, Dice, Unpark, Until, block_on, yields};

/// What a job gives: on the heap, so that a copy too many or too few is seen.
type Value = Box<(usize, Arc<()>)>;

const EACH: usize = 600;

/// How many jobs come and go while they are listed: one is freed in the midst of it only now and then.
const LISTED: usize = 8 * EACH;

/// X2, X4, J7: submitters make jobs, and hand the handles to readers, who await, leave, cancel, or come back with another waker.
#[test]
fn x2_an_outcome_goes_to_its_reader_or_to_nobody() {
    let crew = Crew::new(WorkerConfig::new().lanes(6).drivers(2).capacity(16));
    let kept = Arc::new(());
    let (count, waker) = Count::new();
    let read = AtomicUsize::new(0);
    thread::scope(|scope| {
        for own in 0..2 {
            let (sender, receiver) = mpsc::channel::<(usize, Handle<Value>)>();
            let (worker, kept) = (&crew.worker, &kept);
            scope.spawn(move || {
                for number in 0..EACH {
                    let kept = kept.clone();
                    let job = Job::task(async move {
                        yields((number + own) % 3).await;
                        Box::new((number, kept))
                    });
                    sender.send((number, block_on(worker.submit(job)).expect("it is open"))).expect("somebody reads");
                }
            });
            let (waker, read) = (&waker, &read);
            scope.spawn(move || {
                for (number, mut handle) in receiver {
                    let outcome = match number % 6 {
                        0 => drop_after(handle, 0, waker),
                        1 => drop_after(handle, 1, waker),
                        2 => drop_after(handle, 2, waker),
                        3 => Some(block_on(handle)),
                        4 => {
                            handle.cancel();
                            Some(block_on(handle))
                        }
                        _ => Some(with_new_wakers(&mut handle)),
                    };
                    match outcome {
                        Some(Outcome::Completed(value)) => assert_eq!(value.0, number, "another's outcome"),
                        Some(Outcome::Cancelled { .. }) => assert_eq!(number % 6, 4, "nobody has cancelled it"),
                        None => continue,
                        Some(other) => panic!("{other:?}"),
                    }
                    read.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let counts = crew.end();
    assert_eq!((counts.accepted, counts.completed + counts.cancelled), (2 * EACH as u64, 2 * EACH as u64));
    assert_eq!(read.into_inner(), EACH, "three of six are read");
    assert_eq!((Arc::strong_count(&kept), Arc::strong_count(&count)), (1, 2), "an outcome or a waker is kept");
}

/// Polls so many times, and leaves.
fn drop_after<T>(mut handle: Handle<T>, polls: usize, waker: &std::task::Waker) -> Option<Outcome<T>> {
    (0..polls).find_map(|_| match Pin::new(&mut handle).poll(&mut Context::from_waker(waker)) {
        Poll::Ready(outcome) => {
            drop(outcome);
            None::<Outcome<T>>
        }
        Poll::Pending => None,
    })
}

/// Waits with another waker at each poll, and polls more often than it is woken.
fn with_new_wakers<T>(handle: &mut Handle<T>) -> Outcome<T> {
    loop {
        for _ in 0..3 {
            if let Poll::Ready(outcome) = Pin::new(&mut *handle).poll(&mut Context::from_waker(&Unpark::waker())) {
                return outcome;
            }
        }
        thread::park();
    }
}

/// L3: whoever asks for the jobs of a worker, while they come and go, finds each whole.
#[test]
fn l3_a_job_that_is_listed_is_there() {
    let crew = Crew::new(WorkerConfig::new().lanes(4).drivers(2).capacity(8));
    let (gate, begun) = (Gate::default(), Gate::default());
    let (pass, begins) = (gate.clone(), begun.clone());
    let stays = Job::task(async move {
        begins.open();
        pass.pass().await;
    });
    let stays = crew.worker.try_submit(stays.name(name(usize::MAX))).expect("a place");
    block_on(begun.pass());
    let done = AtomicBool::new(false);
    let listed = thread::scope(|scope| {
        let (worker, is_done) = (&crew.worker, &done);
        let lister = scope.spawn(move || {
            let mut listed = 0_usize;
            while !is_done.load(Ordering::SeqCst) {
                let jobs = worker.jobs();
                jobs.iter().for_each(whole);
                assert_eq!(jobs.iter().filter(|job| job.name == name(usize::MAX)).count(), 1, "it is in its lane");
                listed += jobs.len();
            }
            listed
        });
        let until = Until(&done);
        thread::scope(|scope| {
            for own in 0..2 {
                scope.spawn(move || {
                    for number in 0..LISTED {
                        let job = Job::task(yields(number % 2)).name(name(2 * number + own));
                        let handle = block_on(worker.submit(job)).expect("it is open");
                        if number % 3 == 0 {
                            handle.cancel();
                        }
                    }
                });
            }
        });
        drop(until);
        lister.join().expect("what is listed is whole")
    });
    assert!(listed > 0, "nothing was listed");
    gate.open();
    assert_eq!(block_on(stays).completed(), Some(()));
    let counts = crew.end();
    assert_eq!(counts.accepted, 2 * LISTED as u64 + 1);
}

/// A name on the heap, of which each half says what the other is.
fn name(number: usize) -> Cow<'static, str> {
    format!("{number} is {}", number.wrapping_mul(31)).into()
}

fn whole(job: &JobInfo) {
    let number = job.name.split(' ').next().and_then(|number| number.parse().ok()).expect("a number");
    assert_eq!(job.name, name(number), "half of one job, and half of another");
}

/// Q1, Q4, Q5, Q7: jobs leave the middle of the queue, by a cancel, an eviction and their time, while others join it and drivers take from it.
#[test]
fn q4_jobs_leave_the_middle_of_the_queue() {
    let crew = Crew::new(WorkerConfig::new().lanes(2).drivers(2).capacity(6).full(FullPolicy::EvictLowest));
    let kept = Arc::new(());
    let done = AtomicBool::new(false);
    let accepted = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (host, is_done) = (&crew.host, &done);
        scope.spawn(move || {
            while !is_done.load(Ordering::SeqCst) {
                host.pass(Duration::from_millis(1));
                host.ring();
                thread::yield_now();
            }
        });
        let until = Until(&done);
        thread::scope(|scope| {
            for own in 0..3 {
                let (worker, kept, accepted) = (&crew.worker, &kept, &accepted);
                scope.spawn(move || {
                    let (mut dice, mut handles) = (Dice::new(own), Vec::new());
                    for number in 0..EACH {
                        let kept = kept.clone();
                        let job = Job::task(async move {
                            yields(number % 2).await;
                            drop(kept);
                        });
                        let job = job.priority(Priority::ALL[dice.roll(4)]).queue_timeout(Duration::from_millis(3));
                        if let Ok(handle) = worker.try_submit(job) {
                            accepted.fetch_add(1, Ordering::Relaxed);
                            handles.push(handle);
                        }
                        if !handles.is_empty() && dice.roll(2) == 0 {
                            let handle = handles.swap_remove(dice.roll(handles.len()));
                            handle.cancel();
                        }
                    }
                    handles.into_iter().for_each(|handle| drop(block_on(handle)));
                });
            }
        });
        drop(until);
    });
    let counts = crew.end();
    assert_eq!((counts.accepted, counts.accepted + counts.rejected), (accepted.into_inner() as u64, 3 * EACH as u64));
    assert_eq!(Arc::strong_count(&kept), 1, "what a job captured is kept");
}

/// X4, J7: the memory of a job that one thread has made is given back by another, and used by a third for a job of another size.
#[test]
fn x4_memory_of_jobs_goes_from_thread_to_thread() {
    let crew = Crew::new(WorkerConfig::new().lanes(4).drivers(2).capacity(64));
    let kept = Arc::new(());
    thread::scope(|scope| {
        let (give, take) = mpsc::channel();
        for own in 0..2 {
            let (worker, kept, give) = (&crew.worker, &kept, give.clone());
            scope.spawn(move || {
                for number in 0..EACH {
                    let kept = kept.clone();
                    let handle = match (number + own) % 3 {
                        0 => block_on(worker.submit(Job::task(sized([number as u8; 16], kept)))).ok(),
                        1 => block_on(worker.submit(Job::task(sized([number as u8; 200], kept)))).ok(),
                        _ => block_on(worker.submit(Job::task(sized([number as u8; 2_000], kept)))).ok(),
                    };
                    give.send((number as u8, handle.expect("it is open"))).expect("somebody takes it");
                }
            });
        }
        drop(give);
        scope.spawn(move || {
            for (number, handle) in take {
                assert_eq!(block_on(handle).completed(), Some(number), "what it brought was overwritten");
            }
        });
    });
    let never = crew.worker.try_submit(Job::task(pending::<()>())).expect("a place");
    never.cancel();
    assert!(block_on(never).is_cancelled());
    assert_eq!(crew.end().completed, 2 * EACH as u64);
    assert_eq!(Arc::strong_count(&kept), 1, "what a job captured is kept");
}

/// A job of this size: all of what it brings is what it says in the end.
async fn sized<const SIZE: usize>(brings: [u8; SIZE], kept: Arc<()>) -> u8 {
    yields(usize::from(brings[0]) % 2).await;
    assert!(brings.iter().all(|byte| *byte == brings[0]));
    drop(kept);
    brings[SIZE - 1]
}

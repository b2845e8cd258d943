//! What needs no heap lies in statics, all of it under one lock: several threads at it at once.

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, LazyLock};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use countermand_core::{
    Cause, HeldCallback, HeldHandle, HeldJob, HeldRouter, HeldToken, HeldWorker, Instant, Label, Level, Outcome,
    PacketId, Shutdown, Source, Step, Stream,
};

use crate::common::Count;
use crate::crew::{Dice, Unpark, Until};

const ROUNDS: usize = 300;

/// One for each round, of which none is used twice: what is registered is there for good.
static TOKENS: [HeldToken<'static>; ROUNDS] = [const { HeldToken::new() }; ROUNDS];
static CALLED: AtomicUsize = AtomicUsize::new(0);

/// T12: one registers while another cancels. It is called once, whoever was first.
#[test]
fn t12_a_held_callback_registers_while_its_token_is_cancelled() {
    static CALLBACKS: LazyLock<Vec<HeldCallback>> =
        LazyLock::new(|| TOKENS.iter().map(|token| HeldCallback::new(token, called)).collect());
    for (round, (token, callback)) in TOKENS.iter().zip(&*CALLBACKS).enumerate() {
        let start = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                callback.register();
            });
            start.wait();
            (0..round % 3).for_each(|_| thread::yield_now());
            assert!(token.cancel());
        });
        assert_eq!(CALLED.load(Ordering::SeqCst), round + 1, "in round {round} it was called twice, or not at all");
        assert!(!callback.unregister(), "it was called");
    }
}

fn called(_: Cause) {
    CALLED.fetch_add(1, Ordering::SeqCst);
}

/// T6, T7, R6: waits come and go on several threads below one root, which is cancelled meanwhile.
#[test]
fn t6_waits_come_and_go_while_a_held_root_is_cancelled() {
    let (count, waker) = Count::new();
    for round in 0..ROUNDS {
        let root = HeldToken::new();
        let root = pin!(root);
        let root = root.as_ref();
        thread::scope(|scope| {
            for own in 0..3 {
                let waker = &waker;
                scope.spawn(move || {
                    let mut dice = Dice::new(round * 3 + own);
                    for _ in 0..20 {
                        let child = pin!(HeldToken::child_of(root));
                        let child = child.as_ref();
                        let (mut one, mut two) = (pin!(root.cancelled_pinned()), pin!(child.cancelled_pinned()));
                        for _ in 0..dice.roll(3) {
                            let polls = [
                                one.as_mut().poll(&mut Context::from_waker(waker)).is_ready(),
                                two.as_mut().poll(&mut Context::from_waker(waker)).is_ready(),
                            ];
                            assert!(polls[1] || !polls[0], "the root is cancelled, and a child is not (R3)");
                        }
                    }
                });
            }
            (0..round % 4).for_each(|_| thread::yield_now());
            root.cancel();
        });
    }
    assert_eq!(Arc::strong_count(&count), 2, "a waker is kept");
}

/// J7, X2, X4: submitters make, cancel, await and let go of jobs, which sleep, on one worker without a heap.
#[test]
fn x2_jobs_in_slots_among_threads() {
    static WORKER: HeldWorker<3, 6, 160> = HeldWorker::new();
    let (kept, done) = (Arc::new(()), AtomicBool::new(false));
    let accepted = thread::scope(|scope| {
        let is_done = &done;
        scope.spawn(move || {
            let mut driver = WORKER.attend().expect("nobody else drives it");
            let (waker, mut now) = (Unpark::waker(), 0);
            let mut cx = Context::from_waker(&waker);
            loop {
                // A clock of steps.
                now += 1;
                match driver.step(&mut cx, Instant::from_nanos(now)) {
                    Step::Closed => return,
                    _ => thread::yield_now(),
                }
            }
        });
        let until = Until(is_done);
        let accepted: u32 = thread::scope(|scope| {
            let submitters: Vec<_> = (0..2)
                .map(|own| {
                    scope.spawn({
                        let kept = &kept;
                        move || submits(&WORKER, own, kept)
                    })
                })
                .collect();
            submitters.into_iter().map(|submitter| submitter.join().expect("no submitter panics")).sum()
        });
        WORKER.shutdown(Shutdown::Drain, Instant::ORIGIN);
        drop(until);
        accepted
    });
    let counts = WORKER.counts();
    assert_eq!((counts.accepted, counts.completed + counts.cancelled), (accepted, accepted), "{counts:?}");
    assert!(accepted > 0);
    assert_eq!((WORKER.occupied(), Arc::strong_count(&kept)), (0, 1), "a slot, or what a job captured, is kept");
}

fn submits<const LANES: usize, const SLOTS: usize, const BYTES: usize>(
    worker: &'static HeldWorker<LANES, SLOTS, BYTES>,
    own: usize,
    kept: &Arc<()>,
) -> u32 {
    let (mut dice, mut accepted) = (Dice::new(own), 0);
    for number in 0..ROUNDS {
        let (value, nap, kept) = (Box::new(number), dice.roll(4) as u64, kept.clone());
        let sleep = worker.sleep(Duration::from_nanos(nap));
        let job = HeldJob::task(async move {
            if nap > 0 {
                sleep.await;
            }
            drop(kept);
            value
        });
        let Ok(handle) = worker.submit(job, Instant::ORIGIN) else { continue };
        accepted += 1;
        match dice.roll(4) {
            0 => drop(handle),
            1 => {
                handle.cancel();
                drop(handle);
            }
            _ => {
                if dice.roll(2) == 0 {
                    handle.cancel();
                }
                match settled(handle) {
                    Outcome::Completed(value) => assert_eq!(*value, number, "another's outcome"),
                    outcome => assert!(outcome.is_cancelled(), "{outcome:?}"),
                }
            }
        }
    }
    accepted
}

fn settled<T: 'static>(mut handle: HeldHandle<T, Infallible>) -> Outcome<T> {
    let waker = Unpark::waker();
    loop {
        match Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(outcome) => return outcome,
            Poll::Pending => thread::park(),
        }
    }
}

/// E4, E5, E8: packets go in by three threads and out by two, one of which refuses every third.
#[test]
fn e8_packets_in_places_among_threads() {
    static ROUTER: HeldRouter<Box<u32>, 4> = HeldRouter::new();
    let done = AtomicBool::new(false);
    let (taken, refused) = thread::scope(|scope| {
        let takers = [Stream::Normal, Stream::Emergency].map(|stream| {
            let is_done = &done;
            scope.spawn(move || {
                let (mut taken, mut round) = (0_u64, 0);
                loop {
                    // What came before the end is there after it.
                    let last = is_done.load(Ordering::SeqCst);
                    while let Some(packet) = ROUTER.take(stream) {
                        round += 1;
                        let number = packet.label().map(|label| label.id.number());
                        assert_eq!(packet.body().map(|body| u128::from(**body)), number, "another's body");
                        if round % 3 > 0 {
                            packet.acknowledge();
                            taken += 1;
                        }
                    }
                    if last {
                        return taken;
                    }
                    thread::yield_now();
                }
            })
        });
        let until = Until(&done);
        let refused: u64 = thread::scope(|scope| {
            let givers: Vec<_> = (0..3_u32)
                .map(|own| {
                    scope.spawn(move || {
                        let mut refused = 0;
                        for number in 0..ROUNDS as u32 {
                            let id = number * 3 + own;
                            let label = Label::new(
                                PacketId::new(id.into()),
                                Source::of("pump"),
                                Level::ALL[(number % 4) as usize],
                            );
                            refused += u64::from(ROUTER.offer(label, Box::new(id)).is_err());
                        }
                        refused
                    })
                })
                .collect();
            givers.into_iter().map(|giver| giver.join().expect("no giver panics")).sum()
        });
        drop(until);
        (takers.map(|taker| taker.join().expect("no taker panics")).iter().sum::<u64>(), refused)
    });
    let ledger = ROUTER.ledger();
    assert!(ledger.balances(), "{ledger:?}");
    let all = 3 * ROUNDS as u64;
    assert_eq!(ledger.accepted.iter().sum::<u64>() + refused, all, "{ledger:?}");
    assert_eq!(
        (ledger.delivered.iter().sum::<u64>(), ledger.refused.iter().sum::<u64>()),
        (taken, refused),
        "{ledger:?}"
    );
    assert!(taken > 0);
}

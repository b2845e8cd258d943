//! The races of a bell-pull, one to a model.

use core::future::{Future, poll_fn};
use core::task::{Poll, Waker};
use std::sync::Arc;

use ::loom::future::block_on;
use ::loom::sync::atomic::{AtomicBool, Ordering};
use ::loom::thread;

use super::{Port, all_quiet};
use crate::loom::Count;
use crate::{Instant, loom_model, loom_model_bounded};

const NOW: Instant = Instant::ORIGIN;

/// Work that is published with no ordering of its own: what makes it visible is the port.
struct Bench<const N: usize> {
    port: Port,
    work: [AtomicBool; N],
}

impl<const N: usize> Bench<N> {
    fn new() -> Arc<Self> {
        Arc::new(Self { port: Port::new(), work: core::array::from_fn(|_| AtomicBool::new(false)) })
    }

    fn bring(&self, piece: usize) -> bool {
        self.work[piece].store(true, Ordering::Relaxed);
        self.port.ring()
    }

    fn has_all(&self) -> bool {
        self.work.iter().all(|piece| piece.load(Ordering::Relaxed))
    }

    /// An attendant that steps until all work is there.
    fn attend(&self) -> impl Future<Output = ()> {
        poll_fn(move |cx| {
            loop {
                self.port.begin();
                if self.has_all() {
                    return Poll::Ready(());
                }
                self.port.park(cx.waker());
                if !self.has_all() && self.port.settle_down(None) {
                    return Poll::Pending;
                }
            }
        })
    }
}

#[test]
fn loom_l5_a_ring_between_look_and_park_is_not_lost() {
    loom_model("l5_a_ring_between_look_and_park_is_not_lost", || {
        let bench = Bench::<1>::new();
        let ringer = bench.clone();
        let thread = thread::spawn(move || assert!(ringer.bring(0)));
        block_on(bench.attend());
        thread.join().unwrap();
    });
}

#[test]
fn loom_l5_the_second_of_two_rings_is_not_lost() {
    loom_model_bounded("l5_the_second_of_two_rings_is_not_lost", || {
        let bench = Bench::<2>::new();
        let threads = [0, 1].map(|piece| {
            let ringer = bench.clone();
            thread::spawn(move || assert!(ringer.bring(piece)))
        });
        block_on(bench.attend());
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn loom_l5_a_ring_reaches_the_waker_of_the_last_parking() {
    loom_model("l5_a_ring_reaches_the_waker_of_the_last_parking", || {
        let bench = Bench::<1>::new();
        let ringer = bench.clone();
        let thread = thread::spawn(move || ringer.bring(0));
        let ((_, first_waker), (last, last_waker)) = (Count::new(), Count::new());
        let mut settled = true;
        // The host polls the attendant from one place, then, without a reason, from another.
        for waker in [&first_waker, &last_waker] {
            bench.port.begin();
            bench.port.park(waker);
            settled = !bench.has_all() && bench.port.settle_down(None);
        }
        thread.join().unwrap();
        assert!(!settled || last.get() == 1, "parked for ever");
    });
}

#[test]
fn loom_l5_who_rings_one_that_leaves_is_told_or_seen() {
    loom_model("l5_who_rings_one_that_leaves_is_told_or_seen", || {
        let bench = Bench::<1>::new();
        let ringer = bench.clone();
        let thread = thread::spawn(move || ringer.bring(0));
        bench.port.begin();
        bench.port.leave();
        let seen = bench.has_all();
        let rung = thread.join().unwrap();
        assert!(seen || !rung, "the ring went to nobody");
    });
}

#[test]
fn loom_quiet_means_that_nothing_is_left_undone() {
    loom_model("quiet_means_that_nothing_is_left_undone", || {
        let [first, second] = [Bench::<1>::new(), Bench::<1>::new()];
        // The first attendant hands its work on to the second.
        let (one, two) = (first.clone(), second.clone());
        let thread = thread::spawn(move || {
            let (_, waker) = (one.port.begin(), Waker::noop());
            let seen = one.has_all();
            if seen {
                two.bring(0);
            }
            one.port.park(waker);
            let _ = (seen || !one.has_all()) && one.port.settle_down(None);
        });
        // The second is parked from the beginning, and stays so.
        second.port.begin();
        second.port.park(Waker::noop());
        assert!(second.port.settle_down(None));
        first.bring(0);
        let quiet = all_quiet([&second.port, &first.port].into_iter(), NOW);
        assert!(!quiet, "the work lies with one of them");
        thread.join().unwrap();
    });
}

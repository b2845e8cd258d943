//! The races of a queue between tasks, one to a model.

use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use ::loom::future::block_on;
use ::loom::thread;

use super::{PriorityQueue, RecvError, SendError};
use crate::size::Heap;
use crate::{Priority, loom_model};

type Queue = PriorityQueue<u8, Heap>;

/// Counts wakes, outside of what is modelled.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn counting() -> (Arc<Count>, Waker) {
    let count = Arc::<Count>::default();
    (count.clone(), count.into())
}

fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(waker))
}

fn send(queue: &Queue, item: u8) -> Result<(), SendError<u8>> {
    queue.try_send(item, Priority::Normal)
}

fn a_receiver_parks_while_somebody_sends() {
    let queue = Arc::new(Queue::bounded(1));
    let other = queue.clone();
    let sender = thread::spawn(move || send(&other, 7).expect("a place"));
    let (count, waker) = counting();
    let mut recv = queue.recv();
    let first = poll(&mut recv, &waker);
    sender.join().expect("no panic");
    if first.is_pending() {
        assert_eq!(count.0.load(Ordering::SeqCst), 1, "it parked, there is an item, and nobody has woken it (L5)");
        assert_eq!(poll(&mut recv, &waker), Poll::Ready(Ok(7)));
    }
}

#[test]
fn loom_items_a_receiver_parks_while_somebody_sends() {
    loom_model("items_a_receiver_parks_while_somebody_sends", a_receiver_parks_while_somebody_sends);
}

fn a_send_waits_while_somebody_closes() {
    let queue = Arc::new(Queue::bounded(1));
    send(&queue, 1).expect("a place");
    let other = queue.clone();
    let closer = thread::spawn(move || assert!(other.close(), "nobody else closes it"));
    let (count, waker) = counting();
    let mut sending = queue.send(2, Priority::Normal);
    let first = poll(&mut sending, &waker);
    closer.join().expect("no panic");
    match first {
        Poll::Ready(result) => assert_eq!(result, Err(SendError::Closed(2))),
        Poll::Pending => {
            assert_eq!(count.0.load(Ordering::SeqCst), 1, "it waits at a closed queue, and was not told (S1)");
            assert_eq!(poll(&mut sending, &waker), Poll::Ready(Err(SendError::Closed(2))));
        }
    }
    assert_eq!((queue.try_recv(), queue.try_recv()), (Ok(1), Err(RecvError::Closed)));
}

#[test]
fn loom_items_a_send_waits_while_somebody_closes() {
    loom_model("items_a_send_waits_while_somebody_closes", a_send_waits_while_somebody_closes);
}

fn a_receive_is_dropped_while_somebody_sends() {
    let queue = Arc::new(Queue::bounded(1));
    let ((_, first_waker), (second, second_waker)) = (counting(), counting());
    let mut first = queue.recv();
    assert!(poll(&mut first, &first_waker).is_pending());
    let mut recv = queue.recv();
    assert!(poll(&mut recv, &second_waker).is_pending());
    let other = queue.clone();
    let sender = thread::spawn(move || send(&other, 7).expect("a place"));
    drop(first);
    sender.join().expect("no panic");
    assert_eq!(second.0.load(Ordering::SeqCst), 1, "an item is there, and the one who waits has not been told (L6)");
    assert_eq!(poll(&mut recv, &second_waker), Poll::Ready(Ok(7)));
}

#[test]
fn loom_items_a_receive_is_dropped_while_somebody_sends() {
    loom_model("items_a_receive_is_dropped_while_somebody_sends", a_receive_is_dropped_while_somebody_sends);
}

fn a_send_waits_while_a_place_becomes_free() {
    let queue = Arc::new(Queue::bounded(1));
    send(&queue, 1).expect("a place");
    let other = queue.clone();
    let receiver = thread::spawn(move || assert_eq!(other.try_recv(), Ok(1)));
    let (count, waker) = counting();
    let mut sending = queue.send(2, Priority::Normal);
    let first = poll(&mut sending, &waker);
    receiver.join().expect("no panic");
    if first.is_pending() {
        assert_eq!(count.0.load(Ordering::SeqCst), 1, "a place is free, and the one in line was not told (Q5)");
        assert_eq!(send(&queue, 3), Err(SendError::Full(3)), "a newcomer overtook the one in line (Q9)");
        assert_eq!(poll(&mut sending, &waker), Poll::Ready(Ok(())));
    }
    assert_eq!(queue.try_recv(), Ok(2));
}

#[test]
fn loom_items_a_send_waits_while_a_place_becomes_free() {
    loom_model("items_a_send_waits_while_a_place_becomes_free", a_send_waits_while_a_place_becomes_free);
}

#[test]
fn loom_items_two_senders_and_a_receiver_hand_everything_on() {
    loom_model("items_two_senders_and_a_receiver_hand_everything_on", || {
        let (sender, receiver) = super::bounded(1);
        let other = sender.clone();
        let thread = thread::spawn(move || block_on(other.send(1, Priority::Normal)).expect("a receiver is there"));
        block_on(async {
            let sent = async {
                sender.send(2_u8, Priority::High).await.expect("a receiver is there");
                drop(sender);
            };
            // In one thread: the send first, then what there is; it fits, or it waits until the other's item was taken.
            let mut sent = std::boxed::Box::pin(sent);
            // One receive for all: one that is dropped leaves the line, and nobody would wake this thread.
            let mut recv = receiver.recv();
            let (mut sum, mut done) = (0, false);
            while sum < 3 {
                sum += core::future::poll_fn(|cx| {
                    done = done || sent.as_mut().poll(cx).is_ready();
                    pin!(&mut recv).poll(cx)
                })
                .await
                .expect("something is still to come");
            }
            assert_eq!(sum, 3);
        });
        thread.join().expect("no panic");
    });
}

#[cfg(feature = "mutants")]
mod defects {
    use crate::loom_defect;
    use crate::mutant::Mutant;

    #[test]
    fn loom_defects_of_the_queue_between_tasks_are_seen() {
        loom_defect(
            "items_parks_without_looking",
            Mutant::ReceiverParksWithoutLooking,
            super::a_receiver_parks_while_somebody_sends,
        );
        loom_defect(
            "items_joins_a_closed_line",
            Mutant::SenderJoinsAClosedLine,
            super::a_send_waits_while_somebody_closes,
        );
        loom_defect(
            "items_keeps_its_wake",
            Mutant::DroppedReceiveKeepsItsWake,
            super::a_receive_is_dropped_while_somebody_sends,
        );
        loom_defect(
            "items_goes_to_nobody",
            Mutant::FreedPlaceGoesToNobody,
            super::a_send_waits_while_a_place_becomes_free,
        );
    }
}

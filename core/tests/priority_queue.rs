//! The queue between tasks at its edges. That it follows a model is in `priority_queue_model`.
#![cfg(feature = "std")]

mod common;

use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use countermand_core::priority_queue::{PriorityQueue, RecvError, SendError, bounded};
use countermand_core::{Discipline, Fixed, Heap, Priority};

use common::Count;

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_with(future, Waker::noop())
}

fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    common::poll(Pin::new(future), waker)
}

#[test]
fn it_is_closed_when_the_last_sender_leaves() {
    let (sender, receiver) = bounded(4);
    let other = sender.clone();
    sender.try_send(1, Priority::Low).expect("a place");
    let (count, waker) = Count::new();
    drop(sender);
    assert!(!receiver.is_closed(), "there is another sender");
    assert_eq!(receiver.try_recv(), Ok(1));
    let mut waiting = receiver.recv();
    assert!(poll_with(&mut waiting, &waker).is_pending());
    drop(other);
    assert_eq!(count.get(), 1);
    assert_eq!(poll(&mut waiting), Poll::Ready(Err(RecvError::Closed)));
    assert!(!receiver.close(), "it was closed");
}

#[test]
fn it_is_closed_and_empty_when_the_last_receiver_leaves() {
    let (sender, receiver) = bounded(1);
    let item = Rc::new(());
    sender.try_send(item.clone(), Priority::Low).expect("a place");
    let (count, waker) = Count::new();
    let mut waiting = sender.send(item.clone(), Priority::High);
    assert!(poll_with(&mut waiting, &waker).is_pending());
    drop(receiver.clone());
    assert_eq!(count.get(), 0, "there is another receiver");
    drop(receiver);
    assert_eq!(count.get(), 1);
    assert!(matches!(poll(&mut waiting), Poll::Ready(Err(SendError::Closed(_)))));
    assert_eq!((sender.len(), Rc::strong_count(&item)), (0, 1), "what was in it is dropped");
}

#[test]
fn closing_tells_all_who_wait_however_many() {
    let queue = PriorityQueue::<u32, Heap>::bounded(1);
    let (count, waker) = Count::new();
    let mut receives: Vec<_> = (0..40).map(|_| queue.recv()).collect();
    assert!(receives.iter_mut().all(|recv| poll_with(recv, &waker).is_pending()));
    assert!(queue.close());
    assert_eq!(count.get(), 40);
    assert!(receives.iter_mut().all(|recv| poll(recv) == Poll::Ready(Err(RecvError::Closed))));
    assert!(!queue.close());
}

#[test]
fn without_a_heap_as_many_wait_as_there_are_places() {
    let queue = PriorityQueue::<u32, Fixed<2>>::new();
    let (mut first, mut second, mut third) = (queue.recv(), queue.recv(), queue.recv());
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    assert_eq!(poll(&mut third), Poll::Ready(Err(RecvError::Empty)));
    drop(first);
    assert!(poll(&mut third).is_pending(), "the place in line of one that left is free");
    drop((second, third));
    queue.try_send(1, Priority::Low).expect("a place");
    queue.try_send(2, Priority::Low).expect("a place");
    let mut waiting = [3, 4].map(|item| queue.send(item, Priority::Low));
    assert!(waiting.iter_mut().all(|send| poll(send).is_pending()));
    assert_eq!(poll(&mut queue.send(5, Priority::Low)), Poll::Ready(Err(SendError::Full(5))));
}

#[test]
fn a_capacity_of_nothing_is_one() {
    let (sender, receiver) = bounded(0);
    assert_eq!((sender.capacity(), sender.try_send(1, Priority::Low)), (1, Ok(())));
    assert!(sender.is_full() && receiver.is_full());
    assert_eq!(sender.try_send(2, Priority::Critical), Err(SendError::Full(2)));
}

#[test]
fn reserving_more_than_there_is_keeps_all_for_the_highest() {
    let queue = PriorityQueue::<u32, Heap>::bounded(2).reserve(Priority::Critical, 10);
    assert_eq!(queue.try_send(1, Priority::High), Err(SendError::Full(1)));
    assert_eq!((queue.try_send(1, Priority::Critical), queue.try_send(2, Priority::Critical)), (Ok(()), Ok(())));
}

#[test]
fn the_weighted_discipline_lets_lower_ones_through() {
    let queue = PriorityQueue::<Priority, Heap>::bounded(100).discipline(Discipline::Weighted([1; 4]));
    for _ in 0..20 {
        queue.try_send(Priority::Critical, Priority::Critical).expect("a place");
    }
    queue.try_send(Priority::Low, Priority::Low).expect("a place");
    let bound = Discipline::Weighted([1; 4]).bound(Priority::Low).expect("it is weighted") as usize;
    let position = (0..=bound).find(|_| queue.try_recv() == Ok(Priority::Low));
    assert!(position.is_some_and(|position| position > 0), "Low came at {position:?}, the bound is {bound}");
}

#[test]
fn many_are_sent_and_received_at_a_time() {
    let (sender, receiver) = bounded(20);
    let mut items: VecDeque<u32> = (0..50).collect();
    let mut received = Vec::new();
    let mut sending = sender.send_many(&mut items, Priority::Normal);
    while received.len() < 50 {
        let sent = poll(&mut sending);
        let before = received.len();
        let count = poll(&mut receiver.recv_many(&mut received, 17));
        assert_eq!(count, Poll::Ready(Ok(received.len() - before)));
        assert_eq!(sent.is_ready(), before > 30, "sent, when {before} had been received");
    }
    assert!(matches!(poll(&mut sending), Poll::Ready(Ok(()))));
    drop(sending);
    assert_eq!((received, items.len()), ((0..50).collect(), 0));
}

#[test]
fn what_was_not_sent_stays_with_its_owner() {
    let (sender, receiver) = bounded(3);
    let mut items: VecDeque<u32> = (0..5).collect();
    let mut sending = sender.send_many(&mut items, Priority::Normal);
    assert!(poll(&mut sending).is_pending());
    drop(sending);
    assert_eq!((items.clone(), sender.promised()), (VecDeque::from([3, 4]), 0));
    let mut sending = sender.send_many(&mut items, Priority::Normal);
    assert!(poll(&mut sending).is_pending());
    receiver.close();
    assert_eq!(poll(&mut sending), Poll::Ready(Err(SendError::Closed(()))));
    drop(sending);
    assert_eq!(items, [3, 4]);
    let mut buffer = vec![9];
    assert_eq!(poll(&mut receiver.recv_many(&mut buffer, 0)), Poll::Ready(Ok(0)));
    assert_eq!(poll(&mut receiver.recv_many(&mut buffer, 100)), Poll::Ready(Ok(3)));
    assert_eq!(poll(&mut receiver.recv_many(&mut buffer, 100)), Poll::Ready(Err(RecvError::Closed)));
    assert_eq!(buffer, [9, 0, 1, 2]);
}

#[test]
fn ends_that_are_polled_stand_in_line_until_they_give_up() {
    let (mut sender, mut receiver) = bounded(1);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(receiver.poll_recv(&mut cx).is_pending());
    assert_eq!(sender.poll_send(&mut Some(1), Priority::Low, &mut cx), Poll::Ready(Ok(())));
    let mut item = Some(2);
    assert!(sender.poll_send(&mut item, Priority::Low, &mut cx).is_pending());
    assert_eq!(item, Some(2));
    assert_eq!((receiver.poll_recv(&mut cx), sender.promised()), (Poll::Ready(Ok(1)), 1));
    // More urgent after all: the place that was promised to the other priority is given up for a new one.
    assert_eq!(sender.poll_send(&mut item, Priority::High, &mut cx), Poll::Ready(Ok(())));
    assert_eq!((item, sender.promised()), (None, 0));
    assert!(sender.poll_send(&mut Some(3), Priority::Low, &mut cx).is_pending());
    assert_eq!((receiver.try_recv(), sender.promised()), (Ok(2), 1));
    sender.abandon_send();
    assert_eq!(sender.promised(), 0);
}

#[test]
fn a_waker_that_panics_stops_nobody() {
    struct Bomb;
    impl Wake for Bomb {
        fn wake(self: Arc<Self>) {
            panic!("a waker that panics");
        }
    }
    let queue = PriorityQueue::<u32, Heap>::bounded(4);
    let (count, waker) = Count::new();
    let (mut first, mut second) = (queue.recv(), queue.recv());
    assert!(poll_with(&mut first, &Arc::new(Bomb).into()).is_pending());
    assert!(poll_with(&mut second, &waker).is_pending());
    assert_eq!(queue.try_send(1, Priority::Low), Ok(()));
    assert!(poll_with(&mut first, &Arc::new(Bomb).into()).is_ready());
    assert!(poll_with(&mut first, &Arc::new(Bomb).into()).is_pending());
    queue.close();
    assert_eq!(count.get(), 1);
}

#[test]
fn a_forgotten_send_costs_its_place_and_no_more() {
    let queue = PriorityQueue::<u32, Heap>::bounded(2);
    queue.try_send(1, Priority::Low).expect("a place");
    queue.try_send(2, Priority::Low).expect("a place");
    let (mut forgotten, mut next) = (queue.send(3, Priority::Low), queue.send(4, Priority::Low));
    assert!(poll(&mut forgotten).is_pending() && poll(&mut next).is_pending());
    mem::forget(forgotten);
    assert_eq!((queue.try_recv(), queue.try_recv()), (Ok(1), Ok(2)));
    assert!(poll(&mut next).is_ready());
    assert_eq!((queue.len(), queue.promised()), (1, 1));
}

#[test]
fn errors_say_what_is_wrong() {
    let full = PriorityQueue::<u32, Heap>::bounded(1);
    full.try_send(1, Priority::Low).expect("a place");
    let error = full.try_send(2, Priority::Low).expect_err("it is full");
    assert_eq!((error.to_string(), error.is_full()), ("the queue is full for this priority".to_owned(), true));
    full.close();
    let error = full.try_send(2, Priority::Low).expect_err("it is closed");
    assert_eq!((error.to_string(), error.into_item()), ("the queue is closed".to_owned(), 2));
    assert_eq!(full.try_recv(), Ok(1));
    assert_eq!(full.try_recv().expect_err("empty").to_string(), "the queue is closed and empty");
}

#[test]
fn it_says_how_full_it_is() {
    let (mut sender, receiver) = bounded(3);
    assert_eq!((sender.capacity(), receiver.capacity(), sender.is_full(), receiver.is_full()), (3, 3, false, false));
    for item in 0..3 {
        assert!(!sender.is_full());
        sender.try_send(item, Priority::Low).expect("a place");
    }
    assert!(sender.is_full() && receiver.is_full());
    let error = sender.try_send(3, Priority::Low).expect_err("full");
    assert!(error.is_full() && !error.is_closed());
    // The youngest of the lowest makes room, and comes back.
    assert_eq!(sender.force_send(4, Priority::High), Ok(Some(2)));
    assert_eq!(sender.force_send(5, Priority::Low), Err(SendError::Full(5)));
    let mut cx = Context::from_waker(Waker::noop());
    let mut item = Some(6);
    assert!(sender.poll_send(&mut item, Priority::Low, &mut cx).is_pending());
    assert_eq!(receiver.try_recv(), Ok(4));
    // Its place is its own, also when it asks again; one that is forced in finds none.
    assert_eq!((sender.promised(), receiver.is_full()), (1, true));
    assert!(sender.poll_send(&mut item, Priority::Low, &mut cx).is_ready());
    assert_eq!((sender.promised(), sender.len(), sender.is_full()), (0, 3, true));
    let error = sender.try_send(7, Priority::Low).expect_err("full");
    receiver.close();
    assert!(!error.is_closed() && sender.try_send(7, Priority::Low).expect_err("closed").is_closed());
}

#[test]
fn no_more_are_received_than_were_asked_for() {
    for (there, limit) in [(5, 3), (100, 70), (100, 64), (100, 33), (3, 100), (40, 40)] {
        let (sender, receiver) = bounded(there);
        (0..there).for_each(|item| sender.try_send(item, Priority::Normal).expect("a place"));
        let mut buffer = Vec::new();
        assert_eq!(poll(&mut receiver.recv_many(&mut buffer, limit)), Poll::Ready(Ok(limit.min(there))));
        assert_eq!(buffer, (0..there.min(limit)).collect::<Vec<_>>());
        assert_eq!(sender.len(), there - there.min(limit));
    }
}

#[test]
fn many_that_are_given_up_pass_their_turn_on() {
    let queue = PriorityQueue::<u32, Heap>::bounded(1);
    queue.try_send(0, Priority::Low).expect("a place");
    // Q6: the place that was granted to those of one is the next one's.
    let mut items = VecDeque::from([1, 2]);
    let (count, waker) = Count::new();
    let mut many = queue.send_many(&mut items, Priority::Low);
    let mut next = queue.send(3, Priority::Low);
    assert!(poll(&mut many).is_pending() && poll_with(&mut next, &waker).is_pending());
    assert_eq!((queue.try_recv(), queue.promised(), count.get()), (Ok(0), 1, 0));
    drop(many);
    assert_eq!((queue.promised(), count.get()), (1, 1));
    assert!(poll(&mut next).is_ready());
    drop(next);
    assert_eq!((queue.try_recv(), queue.promised()), (Ok(3), 0));

    // L6: so is the wake of one that waits for many.
    let mut buffer = Vec::new();
    let (count, waker) = Count::new();
    let mut many = queue.recv_many(&mut buffer, 9);
    let mut next = queue.recv();
    assert!(poll(&mut many).is_pending() && poll_with(&mut next, &waker).is_pending());
    queue.try_send(4, Priority::Low).expect("a place");
    assert_eq!(count.get(), 0);
    drop(many);
    assert_eq!(count.get(), 1);
    assert_eq!(poll(&mut next), Poll::Ready(Ok(4)));
    // Nobody is woken for what somebody else has taken.
    let (count, waker) = Count::new();
    let (mut first, mut second) = (queue.recv(), queue.recv());
    assert!(poll(&mut first).is_pending() && poll_with(&mut second, &waker).is_pending());
    queue.try_send(5, Priority::Low).expect("a place");
    assert_eq!(queue.try_recv(), Ok(5));
    drop(first);
    assert_eq!(count.get(), 0);
}

#[test]
fn a_sender_in_line_is_told_that_it_is_closed_whatever_it_was_granted() {
    let queue = PriorityQueue::<u32, Heap>::bounded(1);
    queue.try_send(0, Priority::Low).expect("a place");
    let mut granted = queue.send(1, Priority::Low);
    assert!(poll(&mut granted).is_pending());
    assert_eq!((queue.try_recv(), queue.promised()), (Ok(0), 1));
    queue.close();
    assert_eq!(poll(&mut granted), Poll::Ready(Err(SendError::Closed(1))));
    drop(granted);
    assert_eq!(queue.try_recv(), Err(RecvError::Closed));
}

#[test]
fn a_waker_that_panics_when_it_is_dropped_harms_nobody() {
    struct Mine;
    impl Wake for Mine {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Mine {
        fn drop(&mut self) {
            panic!("a waker that panics");
        }
    }
    let queue = PriorityQueue::<u32, Heap>::bounded(1);
    let mut recv = queue.recv();
    let mine = Waker::from(Arc::new(Mine));
    assert!(poll_with(&mut recv, &mine).is_pending());
    drop(mine);
    // The copy that waits is the last one, and goes when another takes its place.
    assert!(poll(&mut recv).is_pending());
    queue.try_send(1, Priority::Low).expect("a place");
    assert_eq!(poll(&mut recv), Poll::Ready(Ok(1)));
}

#[test]
fn one_that_is_polled_again_keeps_its_place_in_line() {
    let (mut first, receiver) = bounded(1);
    let mut second = first.clone();
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(first.try_send(0, Priority::Low), Ok(()));
    let (mut one, mut two) = (Some(1), Some(2));
    assert!(first.poll_send(&mut one, Priority::Low, &mut cx).is_pending());
    assert!(second.poll_send(&mut two, Priority::Low, &mut cx).is_pending());
    assert!(first.poll_send(&mut one, Priority::Low, &mut cx).is_pending());
    assert_eq!(receiver.try_recv(), Ok(0));
    assert!(second.poll_send(&mut two, Priority::Low, &mut cx).is_pending(), "it is the other one's turn");
    assert_eq!(first.poll_send(&mut one, Priority::Low, &mut cx), Poll::Ready(Ok(())));
    assert_eq!(receiver.try_recv(), Ok(1));
}

#[test]
fn a_sender_that_goes_after_the_close_takes_no_place_with_it() {
    let (sender, receiver) = bounded(2);
    (0..2).for_each(|item| assert_eq!(sender.try_send(item, Priority::Low), Ok(())));
    {
        let mut waits = Box::pin(sender.send(2, Priority::Low));
        assert!(poll(&mut waits).is_pending());
        sender.close();
    }
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(0), Ok(1)));
    assert_eq!((receiver.try_recv(), sender.promised()), (Err(RecvError::Closed), 0));
}

#[test]
fn one_that_has_become_more_urgent_stands_where_it_is_then() {
    let [lowest, .., highest] = Priority::ALL;
    for between in Priority::ALL.into_iter().filter(|priority| *priority != lowest && *priority != highest) {
        for (before, after) in [(lowest, highest), (highest, lowest)] {
            let (mut changes, receiver) = bounded(1);
            let mut other = changes.clone();
            let mut cx = Context::from_waker(Waker::noop());
            assert_eq!(changes.try_send(0, before), Ok(()));
            let (mut one, mut two) = (Some(1), Some(2));
            assert!(changes.poll_send(&mut one, before, &mut cx).is_pending());
            assert!(other.poll_send(&mut two, between, &mut cx).is_pending());
            assert!(changes.poll_send(&mut one, after, &mut cx).is_pending());
            assert_eq!(receiver.try_recv(), Ok(0));
            let polled = [changes.poll_send(&mut one, after, &mut cx), other.poll_send(&mut two, between, &mut cx)];
            let first = after == highest;
            assert_eq!(polled.map(|polled| polled.is_ready()), [first, !first], "{before} to {after}, past {between}");
        }
    }
}

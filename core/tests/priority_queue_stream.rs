//! A receiver of the queue between tasks as a stream: its order, its end, and what a receiver that is not polled again owes the others.
#![cfg(feature = "std")]

mod common;

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use countermand_core::Priority;
use countermand_core::priority_queue::{Receiver, bounded};
use futures_core::{FusedStream as _, Stream as _};

use common::Count;

fn next<T>(receiver: &mut Receiver<T>, waker: &Waker) -> Poll<Option<T>> {
    Pin::new(receiver).poll_next(&mut Context::from_waker(waker))
}

#[test]
fn it_gives_the_urgent_first_and_ends_when_closed_and_empty() {
    let (sender, mut receiver) = bounded(4);
    for (item, priority) in [("low", Priority::Low), ("high", Priority::High), ("lower", Priority::Low)] {
        sender.try_send(item, priority).expect("a place");
    }
    assert_eq!(receiver.size_hint(), (0, None));
    let (count, waker) = Count::new();
    assert_eq!(next(&mut receiver, &waker), Poll::Ready(Some("high")));
    drop(sender);
    assert!(!receiver.is_terminated(), "two are left");
    assert_eq!(receiver.size_hint(), (0, Some(2)));
    assert_eq!(next(&mut receiver, &waker), Poll::Ready(Some("low")));
    assert_eq!(next(&mut receiver, &waker), Poll::Ready(Some("lower")));
    assert!(receiver.is_terminated());
    assert_eq!((next(&mut receiver, &waker), next(&mut receiver, &waker)), (Poll::Ready(None), Poll::Ready(None)));
    assert_eq!(count.get(), 0, "nobody waited");
}

#[test]
fn one_that_waits_is_woken_by_an_item_and_by_the_end() {
    let (sender, mut receiver) = bounded(1);
    let (count, waker) = Count::new();
    assert!(next(&mut receiver, &waker).is_pending());
    sender.try_send(1, Priority::Normal).expect("a place");
    assert_eq!((count.get(), next(&mut receiver, &waker)), (1, Poll::Ready(Some(1))));
    assert!(next(&mut receiver, &waker).is_pending());
    drop(sender);
    assert_eq!((count.get(), next(&mut receiver, &waker)), (2, Poll::Ready(None)));
}

#[test]
fn what_one_was_woken_for_goes_to_another_when_it_gives_up_or_is_dropped() {
    for drops in [false, true] {
        let (sender, mut first) = bounded(1);
        let mut second = first.clone();
        let ((woken, waker), (others, other)) = (Count::new(), Count::new());
        assert!(next(&mut first, &waker).is_pending() && next(&mut second, &other).is_pending());
        sender.try_send(1, Priority::Normal).expect("a place");
        assert_eq!((woken.get(), others.get()), (1, 0));
        if drops {
            drop(first);
        } else {
            first.abandon_recv();
            assert!(!first.is_terminated());
        }
        assert_eq!((woken.get(), others.get()), (1, 1));
        assert_eq!(next(&mut second, &other), Poll::Ready(Some(1)));
    }
}

#[test]
fn one_that_has_given_up_stands_in_line_no_more_and_can_come_again() {
    let (sender, mut receiver) = bounded(1);
    let (count, waker) = Count::new();
    assert!(next(&mut receiver, &waker).is_pending());
    receiver.abandon_recv();
    receiver.abandon_recv();
    sender.try_send(1, Priority::Normal).expect("a place");
    assert_eq!(count.get(), 0, "it does not wait");
    assert_eq!(next(&mut receiver, &waker), Poll::Ready(Some(1)));
    assert!(next(&mut receiver, &waker).is_pending());
    sender.try_send(2, Priority::Normal).expect("a place");
    assert_eq!(count.get(), 1);
}

//! The rules of waiting and of order, asked of a queue in place. The same functions are tests here, and run on a board.

use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

use countermand_core::priority_queue::{PriorityQueue, SendError};
use countermand_core::{Discipline, Fixed, Priority};

use super::rules::{Bell, Rule};

/// In the order of the contract.
pub(crate) const ALL: &[Rule] = &[
    ("Q3", q3_nobody_starves),
    ("Q6", q6_a_dropped_send_loses_no_place),
    ("Q8", q8_reserved_places_are_kept),
    ("Q9", q9_served_in_order_of_arrival),
];

type Queue = PriorityQueue<u32, Fixed<4>>;

fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

fn full(priority: Priority) -> Queue {
    let queue = Queue::new();
    for item in 0..4 {
        assert_eq!(queue.try_send(item, priority), Ok(()));
    }
    queue
}

fn q3_nobody_starves() {
    let discipline = Discipline::default();
    for priority in Priority::ALL {
        let queue = Queue::new().discipline(discipline);
        assert_eq!(queue.try_send(1, priority), Ok(()));
        // A flood of what is more urgent and comes later; what has gone before is counted.
        let bound = discipline.bound(priority).expect("it makes a promise");
        let mut before = 0;
        loop {
            while let Ok(()) = queue.try_send(0, Priority::Critical) {}
            match queue.try_recv() {
                Ok(1) => break,
                Ok(_) if priority == Priority::Critical => panic!("the first of its priority goes first"),
                Ok(_) => before += 1,
                Err(error) => panic!("it is full: {error}"),
            }
            assert!(before <= bound, "{before} went before one of {priority}");
        }
    }
}

fn q6_a_dropped_send_loses_no_place() {
    static BELL: Bell = Bell::new();
    let waker = BELL.waker();
    let queue = full(Priority::Normal);
    let mut next = pin!(queue.send(8, Priority::Normal));
    {
        let mut granted = pin!(queue.send(7, Priority::Normal));
        assert!(poll(granted.as_mut(), &waker).is_pending() && poll(next.as_mut(), &waker).is_pending());
        // One that waits in the middle of the line goes without a trace.
        let mut between = queue.send(9, Priority::Normal);
        assert!(poll(Pin::new(&mut between), &waker).is_pending());
        assert_eq!(between.into_item(), Some(9));
        assert_eq!(queue.try_recv(), Ok(0));
        assert_eq!(BELL.woken(), 1, "the first is granted the place");
        assert_eq!(queue.try_send(6, Priority::Normal), Err(SendError::Full(6)), "which is promised");
    }
    assert_eq!(BELL.woken(), 2, "it was dropped with its grant, and the next is woken");
    assert_eq!(poll(next.as_mut(), &waker), Poll::Ready(Ok(())));
    let left = [(); 5].map(|()| queue.try_recv().ok());
    assert_eq!(left, [Some(1), Some(2), Some(3), Some(8), None], "nothing of the dropped ones is sent");
}

fn q8_reserved_places_are_kept() {
    let queue = Queue::new().reserve(Priority::Critical, 1).reserve(Priority::High, 1);
    let mut taken = 0;
    while let Ok(()) = queue.try_send(0, Priority::Low) {
        taken += 1;
    }
    assert_eq!(taken, 2);
    assert!(queue.try_send(0, Priority::Normal).is_err());
    assert!(queue.try_send(1, Priority::High).is_ok() && queue.try_send(1, Priority::High).is_err());
    assert!(queue.try_send(2, Priority::Critical).is_ok());
    assert_eq!((queue.try_recv(), queue.try_recv()), (Ok(2), Ok(1)));
}

fn q9_served_in_order_of_arrival() {
    static BELLS: [Bell; 3] = [const { Bell::new() }; 3];
    let wakers = BELLS.each_ref().map(|bell| bell.waker());
    let queue = full(Priority::Critical);
    let mut sends = [10, 11, 12].map(|item| queue.send(item, Priority::Normal));
    for (send, waker) in sends.iter_mut().zip(&wakers) {
        assert!(poll(Pin::new(send), waker).is_pending());
    }
    for (count, (send, waker)) in sends.iter_mut().zip(&wakers).enumerate() {
        assert!(queue.try_recv().is_ok());
        let woken = BELLS.each_ref().map(Bell::woken);
        assert!(woken.iter().enumerate().all(|(at, woken)| *woken == u32::from(at <= count)), "{woken:?}");
        assert_eq!(poll(Pin::new(send), waker), Poll::Ready(Ok(())));
    }
    assert_eq!([(); 4].map(|()| queue.try_recv().ok()), [Some(3), Some(10), Some(11), Some(12)]);
}

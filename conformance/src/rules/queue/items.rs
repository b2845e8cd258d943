//! The same rules on the queue between tasks, which no host has a part in: items for jobs, sends for submits, receives for lanes.

use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::Arc;
use std::task::{Poll, Waker};

use countermand_core::priority_queue::{PriorityQueue, RecvError, SendError};
use countermand_core::{Discipline, Heap, Priority};

use crate::{Bench, Flaw, Recorder, Touch, ensure, ensure_eq, poll};

type Queue = PriorityQueue<u64, Heap>;

fn filled(capacity: u64) -> Result<Queue, Flaw> {
    let queue = Queue::bounded(capacity as usize);
    for number in 0..capacity {
        ensure_eq!(queue.try_send(number, Priority::Normal), Ok(()), "an item sent to a queue with room");
    }
    Ok(queue)
}

/// Polls once with a new waker.
fn look<F: Future + Unpin>(future: &mut F) -> (Poll<F::Output>, Recorder) {
    let recorder = Recorder::new();
    (poll(Pin::new(future), &recorder.waker()), recorder)
}

/// Q1: also while places are promised to those who wait.
pub(super) fn q1_capacity() -> Result<(), Flaw> {
    let queue = filled(3)?;
    ensure_eq!(queue.try_send(9, Priority::Critical), Err(SendError::Full(9)), "an item past a capacity of 3");
    let mut waiting = queue.send(10, Priority::Low);
    ensure!(look(&mut waiting).0.is_pending(), "a full queue took an item");
    ensure_eq!(queue.try_recv(), Ok(0), "received");
    ensure_eq!(queue.try_send(11, Priority::Critical), Err(SendError::Full(11)), "an item sent to a place promised");
    ensure_eq!(look(&mut waiting).0, Poll::Ready(Ok(())), "the send that was promised the place");
    ensure_eq!(queue.len(), 3, "items in a queue of 3");
    Ok(())
}

/// Q2: in any order of sends and receives.
pub(super) fn q2_order(bench: &Bench) -> Result<(), Flaw> {
    let mut random = bench.random();
    let queue = Queue::bounded(64);
    let mut expected: Vec<(Priority, u64)> = Vec::new();
    for number in 0..1_000 {
        if random.bool() {
            let priority = Priority::ALL[random.usize(..Priority::COUNT)];
            let sent = queue.try_send(number, priority).is_ok();
            ensure_eq!(sent, expected.len() < 64, "whether an item was taken with {} in the queue", expected.len());
            if sent {
                expected.push((priority, number));
            }
        } else {
            let highest = expected.iter().map(|(priority, _)| *priority).max();
            let next = expected.iter().position(|(priority, _)| Some(*priority) == highest);
            let next = next.map(|place| expected.remove(place).1).ok_or(RecvError::Empty);
            ensure_eq!(queue.try_recv(), next, "received from {} items and that one", expected.len());
        }
    }
    Ok(())
}

/// Q3: against the steadiest flow of what is more urgent.
pub(super) fn q3_bound() -> Result<(), Flaw> {
    let discipline = Discipline::default();
    for priority in [Priority::Low, Priority::Normal, Priority::High] {
        let queue = Queue::bounded(16).discipline(discipline);
        ensure_eq!(queue.try_send(0, priority), Ok(()), "an item sent to an empty queue");
        let mut passed = 0;
        loop {
            for level in Priority::ALL.into_iter().filter(|level| *level > priority && queue.len_of(*level) == 0) {
                ensure_eq!(queue.try_send(1, level), Ok(()), "a more urgent item");
            }
            if queue.try_recv() == Ok(0) {
                break;
            }
            passed += 1;
            let bound = discipline.bound(priority);
            ensure!(bound.is_some_and(|bound| passed <= bound), "{priority} passed over {passed} times, of {bound:?}");
        }
    }
    Ok(())
}

/// Q5: waits, comes back, or evicts, as each send asks for.
pub(super) fn q5_full() -> Result<(), Flaw> {
    let queue = Queue::bounded(2);
    let sent = [queue.try_send(0, Priority::Low), queue.try_send(1, Priority::Low)];
    ensure_eq!(sent, [Ok(()), Ok(())], "sends to a queue with room");
    ensure_eq!(queue.try_send(2, Priority::High), Err(SendError::Full(2)), "a send that does not wait");
    ensure_eq!(queue.force_send(3, Priority::Low), Err(SendError::Full(3)), "a forced send among equals");
    ensure_eq!(queue.force_send(4, Priority::High), Ok(Some(1)), "what made room for a forced send");
    let mut waiting = queue.send(5, Priority::Low);
    let (polled, recorder) = look(&mut waiting);
    ensure!(polled.is_pending(), "a full queue took an item");
    ensure_eq!(queue.try_recv(), Ok(4), "received");
    ensure_eq!(recorder.wakes(), 1, "wakes of the send that waited, when a place was free");
    ensure_eq!(look(&mut waiting).0, Poll::Ready(Ok(())), "the send that waited");
    ensure_eq!([queue.try_recv(), queue.try_recv()], [Ok(0), Ok(5)], "what was left");
    Ok(())
}

/// Q6: dropped in line, and dropped with a place granted.
pub(super) fn q6_cancel_safe() -> Result<(), Flaw> {
    let queue = filled(1)?;
    drop(queue.send(1, Priority::Normal));
    let mut line: Vec<_> = (2..5).map(|number| queue.send(number, Priority::Normal)).collect();
    let recorders: Vec<_> = line.iter_mut().map(|send| look(send).1).collect();
    drop(line.remove(0));
    ensure_eq!(recorders[0].held(), 0, "wakers kept of a send that was dropped in line");
    ensure_eq!(queue.try_recv(), Ok(0), "received");
    let wakes = || recorders.iter().map(Recorder::wakes).collect::<Vec<_>>();
    ensure_eq!(wakes(), [0, 1, 0], "wakes of three in line, the first of which was dropped");
    drop(line.remove(0));
    ensure_eq!(wakes(), [0, 1, 1], "wakes when the one that was granted the place was dropped");
    ensure_eq!((queue.len(), queue.promised()), (0, 1), "items, and places promised");
    drop(line);
    ensure_eq!((queue.len(), queue.promised()), (0, 0), "items, and places promised, when all had given up");
    ensure_eq!(queue.try_send(6, Priority::Low), Ok(()), "a send to a queue whose line has left");
    Ok(())
}

/// Q8: against a flood of each priority.
pub(super) fn q8_reserve() -> Result<(), Flaw> {
    let queue =
        Queue::bounded(10).reserve(Priority::Critical, 2).reserve(Priority::High, 3).reserve(Priority::Normal, 1);
    for (priority, places) in Priority::ALL.into_iter().zip([4, 5, 8, 10]) {
        let taken = (0..20).filter(|number| queue.try_send(*number, priority).is_ok()).count();
        ensure_eq!(queue.len(), places, "items after a flood of {priority}, of which {taken} were taken");
    }
    Ok(())
}

/// Q9: some give up, others look in between.
pub(super) fn q9_arrival() -> Result<(), Flaw> {
    let queue = filled(1)?;
    let mut line: Vec<_> = (1..20).map(|number| (number, queue.send(number, Priority::Normal))).collect();
    for (number, send) in &mut line {
        ensure!(look(send).0.is_pending(), "item {number} entered a full queue");
    }
    for place in [15, 7, 2] {
        ensure!(look(&mut line[place].1).0.is_pending(), "an item entered a full queue");
        drop(line.remove(place + 1));
    }
    let mut expected = 0;
    for (number, mut send) in line {
        ensure_eq!(queue.try_recv(), Ok(expected), "received before item {number}");
        ensure_eq!(look(&mut send).0, Poll::Ready(Ok(())), "item {number}, the first in line");
        expected = number;
    }
    Ok(())
}

/// S1: also when it is closed while a send gets in line.
pub(in crate::rules) fn s1_closed() -> Result<(), Flaw> {
    let queue = Arc::new(filled(1)?);
    let mut early = queue.send(1, Priority::High);
    let (polled, recorder) = look(&mut early);
    ensure!(polled.is_pending(), "a full queue took an item");
    let other = queue.clone();
    let closing = Recorder::acting(move |touch| {
        if touch == Touch::Clone {
            other.close();
        }
    });
    let mut late = queue.send(2, Priority::High);
    let polled = poll(Pin::new(&mut late), &closing.waker());
    closing.calm();
    ensure_eq!(polled, Poll::Ready(Err(SendError::Closed(2))), "a send at a queue that is closed meanwhile");
    ensure_eq!(recorder.wakes(), 1, "wakes of a send in line of a queue that is closed");
    ensure_eq!(look(&mut early).0, Poll::Ready(Err(SendError::Closed(1))), "that send");
    ensure_eq!(queue.try_send(3, Priority::High), Err(SendError::Closed(3)), "a send to a closed queue");
    ensure_eq!(queue.force_send(3, Priority::High), Err(SendError::Closed(3)), "a forced send to a closed queue");
    ensure_eq!([queue.try_recv(), queue.try_recv()], [Ok(0), Err(RecvError::Closed)], "received from a closed queue");
    Ok(())
}

/// L5: an item that is sent while a receiver parks.
pub(in crate::rules) fn l5_no_item_is_missed() -> Result<(), Flaw> {
    let queue = Arc::new(Queue::bounded(4));
    let other = queue.clone();
    let sending = Recorder::acting(move |touch| {
        if touch == Touch::Clone {
            let _ = other.try_send(1, Priority::Low);
        }
    });
    let mut recv = queue.recv();
    let polled = poll(Pin::new(&mut recv), &sending.waker());
    sending.calm();
    ensure!(
        polled.is_ready() || sending.wakes() > 0,
        "a receiver parked with {} items in the queue, and nobody wakes it",
        queue.len()
    );
    Ok(())
}

/// L6: what a receiver was woken for and leaves.
pub(in crate::rules) fn l6_wakes_are_passed_on() -> Result<(), Flaw> {
    let queue = Queue::bounded(4);
    let mut line: Vec<_> = (0..3).map(|_| queue.recv()).collect();
    let recorders: Vec<_> = line.iter_mut().map(|recv| look(recv).1).collect();
    let wakes = || recorders.iter().map(Recorder::wakes).collect::<Vec<_>>();
    ensure_eq!(queue.try_send(7, Priority::Low), Ok(()), "a send to an empty queue");
    ensure_eq!(wakes().iter().sum::<u64>(), 1, "wakes of three who wait for one item");
    ensure_eq!(recorders[0].wakes(), 1, "wakes of the first in line");
    drop(line.remove(0));
    ensure_eq!(wakes(), [1, 1, 0], "wakes when the one that was woken for the item left");
    ensure_eq!(look(&mut line[0]).0, Poll::Ready(Ok(7)), "what the next received");
    drop(line);
    ensure_eq!((queue.len(), wakes()), (0, vec![1, 1, 0]), "items, and wakes, in the end");
    Ok(())
}

/// T8: those who are told of the end use the queue.
pub(in crate::rules) fn t8_wakes_outside_of_the_lock() -> Result<(), Flaw> {
    let queue = Arc::new(Queue::bounded(1));
    let other = queue.clone();
    let using = Recorder::acting(move |_| {
        let _ = (other.len(), other.try_recv());
    });
    let mut recv = queue.recv();
    ensure!(poll(Pin::new(&mut recv), &using.waker()).is_pending(), "an empty queue gave an item");
    ensure!(queue.close(), "it was closed before");
    ensure_eq!(using.wakes(), 1, "wakes of a receiver at a queue that is closed");
    ensure!(poll(Pin::new(&mut recv), Waker::noop()).is_ready(), "a receive from a closed queue waits");
    using.calm();
    Ok(())
}

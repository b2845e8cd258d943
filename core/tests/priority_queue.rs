//! The queue between tasks: against a model, at its edges, and what it asks of the allocator.
#![cfg(feature = "std")]

use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use countermand_core::priority_queue::{PriorityQueue, Recv, RecvError, Send, SendError, bounded};
use countermand_core::{Discipline, Fixed, Heap, Priority, Size};
use proptest::prelude::*;

/// Counts its wakes.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_with(future, Waker::noop())
}

fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

#[derive(Clone, Debug)]
enum Step {
    TrySend(Priority),
    ForceSend(Priority),
    Send(Priority),
    TryRecv,
    Recv,
    /// The n-th of those that wait, by remainder, is polled again.
    PollSend(usize),
    PollRecv(usize),
    DropSend(usize),
    DropRecv(usize),
}

fn priority() -> impl Strategy<Value = Priority> {
    prop::sample::select(&Priority::ALL[..])
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => priority().prop_map(Step::TrySend),
        1 => priority().prop_map(Step::ForceSend),
        3 => priority().prop_map(Step::Send),
        4 => Just(Step::TryRecv),
        3 => Just(Step::Recv),
        2 => any::<usize>().prop_map(Step::PollSend),
        2 => any::<usize>().prop_map(Step::PollRecv),
        1 => any::<usize>().prop_map(Step::DropSend),
        1 => any::<usize>().prop_map(Step::DropRecv),
    ]
}

const CAPACITY: usize = 4;
/// Places for Critical alone.
const RESERVED: usize = 1;

/// What the queue holds, and who has been promised what, by its own account.
#[derive(Default)]
struct Model {
    rows: [VecDeque<u32>; 4],
    line: [VecDeque<u32>; 4],
    granted: Vec<u32>,
}

impl Model {
    fn len(&self) -> usize {
        self.rows.iter().map(VecDeque::len).sum()
    }

    fn has_room(&self, priority: Priority) -> bool {
        let limit = if priority == Priority::Critical { CAPACITY } else { CAPACITY - RESERVED };
        self.len() + self.granted.len() < limit
    }

    fn grant(&mut self) {
        let Some(row) = (0..4).rev().find(|row| !self.line[*row].is_empty()) else { return };
        if self.has_room(Priority::ALL[row]) {
            let first = self.line[row].pop_front().expect("it is not empty");
            self.granted.push(first);
        }
    }

    fn pop(&mut self) -> Option<u32> {
        let item = self.rows.iter_mut().rev().find_map(VecDeque::pop_front)?;
        self.grant();
        Some(item)
    }
}

struct WaitingSend<'a, S: Size> {
    number: u32,
    priority: Priority,
    future: Send<'a, u32, S>,
    count: Arc<Count>,
}

struct WaitingRecv<'a, S: Size> {
    future: Recv<'a, u32, S>,
    count: Arc<Count>,
}

fn counting() -> (Arc<Count>, Waker) {
    let count = Arc::<Count>::default();
    (count.clone(), count.into())
}

fn follows_the_model<S: Size>(queue: &PriorityQueue<u32, S>, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut model = Model::default();
    let mut sends: Vec<WaitingSend<'_, S>> = Vec::new();
    let mut recvs: Vec<WaitingRecv<'_, S>> = Vec::new();
    for (number, step) in (0..).zip(steps) {
        match step {
            Step::TrySend(priority) => {
                let expected = if model.has_room(priority) { Ok(()) } else { Err(SendError::Full(number)) };
                prop_assert_eq!(queue.try_send(number, priority), expected);
                if expected.is_ok() {
                    model.rows[priority.index()].push_back(number);
                }
            }
            Step::ForceSend(priority) => {
                let mut expected = Ok(None);
                if !model.has_room(priority) {
                    let lower = (0..priority.index()).find(|row| !model.rows[*row].is_empty());
                    expected = match lower {
                        Some(row) => Ok(model.rows[row].pop_back()),
                        None => Err(SendError::Full(number)),
                    };
                }
                prop_assert_eq!(queue.force_send(number, priority), expected);
                if expected.is_ok() {
                    model.rows[priority.index()].push_back(number);
                }
            }
            Step::Send(priority) => {
                if sends.len() == CAPACITY {
                    continue;
                }
                let (count, waker) = counting();
                let mut future = queue.send(number, priority);
                match poll_with(&mut future, &waker) {
                    Poll::Ready(result) => {
                        prop_assert!(model.has_room(priority) && result.is_ok());
                        model.rows[priority.index()].push_back(number);
                    }
                    Poll::Pending => {
                        prop_assert!(!model.has_room(priority), "{priority} waits, and there is room");
                        model.line[priority.index()].push_back(number);
                        sends.push(WaitingSend { number, priority, future, count });
                    }
                }
            }
            Step::TryRecv => {
                prop_assert_eq!(queue.try_recv(), model.pop().ok_or(RecvError::Empty));
            }
            Step::Recv => {
                if recvs.len() == CAPACITY {
                    continue;
                }
                let (count, waker) = counting();
                let mut future = queue.recv();
                match poll_with(&mut future, &waker) {
                    Poll::Ready(item) => prop_assert_eq!(item.ok(), model.pop()),
                    Poll::Pending => {
                        prop_assert_eq!(model.len(), 0);
                        recvs.push(WaitingRecv { future, count });
                    }
                }
            }
            Step::PollSend(which) if !sends.is_empty() => {
                let at = which % sends.len();
                let (count, waker) = counting();
                let waiting = &mut sends[at];
                let granted = model.granted.iter().position(|number| *number == waiting.number);
                prop_assert_eq!(waiting.count.get() > 0, granted.is_some(), "woken, or granted a place");
                match (poll_with(&mut waiting.future, &waker), granted) {
                    (Poll::Ready(Ok(())), Some(grant)) => {
                        model.granted.remove(grant);
                        model.rows[waiting.priority.index()].push_back(waiting.number);
                        sends.remove(at);
                    }
                    (Poll::Pending, None) => waiting.count = count,
                    (polled, granted) => prop_assert!(false, "{polled:?}, and granted: {granted:?}"),
                }
            }
            Step::PollRecv(which) if !recvs.is_empty() => {
                let at = which % recvs.len();
                let (count, waker) = counting();
                match poll_with(&mut recvs[at].future, &waker) {
                    Poll::Ready(item) => {
                        prop_assert_eq!(item.ok(), model.pop());
                        recvs.remove(at);
                    }
                    Poll::Pending => {
                        prop_assert_eq!(model.len(), 0);
                        recvs[at].count = count;
                    }
                }
            }
            Step::DropSend(which) if !sends.is_empty() => {
                let dropped = sends.remove(which % sends.len());
                match model.granted.iter().position(|number| *number == dropped.number) {
                    Some(grant) => {
                        model.granted.remove(grant);
                        model.grant();
                    }
                    None => model.line[dropped.priority.index()].retain(|number| *number != dropped.number),
                }
                prop_assert_eq!(dropped.future.into_item(), Some(dropped.number));
            }
            Step::DropRecv(which) if !recvs.is_empty() => drop(recvs.remove(which % recvs.len())),
            Step::PollSend(_) | Step::PollRecv(_) | Step::DropSend(_) | Step::DropRecv(_) => {}
        }
        prop_assert_eq!((queue.len(), queue.promised()), (model.len(), model.granted.len()));
        for priority in Priority::ALL {
            prop_assert_eq!(queue.len_of(priority), model.rows[priority.index()].len());
        }
        // Nobody waits for what is there without having been told.
        let told = recvs.iter().filter(|recv| recv.count.get() > 0).count();
        prop_assert!(told >= model.len().min(recvs.len()), "{told} of {} told of {} items", recvs.len(), model.len());
    }
    Ok(())
}

proptest! {
    #[test]
    fn it_follows_the_model(steps in prop::collection::vec(step(), 1..200)) {
        let queue = PriorityQueue::bounded(CAPACITY).reserve(Priority::Critical, RESERVED);
        follows_the_model::<Heap>(&queue, steps)?;
    }

    #[test]
    fn in_place_too(steps in prop::collection::vec(step(), 1..200)) {
        let queue = PriorityQueue::new().reserve(Priority::Critical, RESERVED);
        follows_the_model::<Fixed<CAPACITY>>(&queue, steps)?;
    }
}

#[test]
fn it_is_closed_when_the_last_sender_leaves() {
    let (sender, receiver) = bounded(4);
    let other = sender.clone();
    sender.try_send(1, Priority::Low).expect("a place");
    let (count, waker) = counting();
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
    let (count, waker) = counting();
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
    let (count, waker) = counting();
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
    let (count, waker) = counting();
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
fn threads_hand_everything_on() {
    let (sender, receiver) = bounded(3);
    let senders: Vec<_> = (0..4_u64)
        .map(|number| {
            let sender = sender.clone();
            thread::spawn(move || {
                for item in 0..500 {
                    let priority = Priority::ALL[(item & 3) as usize];
                    block_on(sender.send(number * 1_000 + item, priority)).expect("there are receivers");
                }
            })
        })
        .collect();
    drop(sender);
    let receivers: Vec<_> = (0..4)
        .map(|_| {
            let receiver = receiver.clone();
            thread::spawn(move || {
                let mut received = Vec::new();
                while let Ok(item) = block_on(receiver.recv()) {
                    received.push(item);
                }
                received
            })
        })
        .collect();
    senders.into_iter().for_each(|thread| thread.join().expect("no panic"));
    let mut all: Vec<u64> = receivers.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect();
    all.sort_unstable();
    let expected: Vec<u64> = (0..4).flat_map(|number| (0..500).map(move |item| number * 1_000 + item)).collect();
    assert_eq!(all, expected);
}

/// Parks the thread until the future is ready.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

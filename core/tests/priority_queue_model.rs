//! The queue between tasks does what a plain model of it says, step by step.
#![cfg(feature = "std")]

mod common;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use countermand_core::priority_queue::{PriorityQueue, Recv, RecvError, Send, SendError};
use countermand_core::{Fixed, Heap, Priority, Size};
use proptest::prelude::*;

use common::{Count, poll};

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
                let (count, waker) = Count::new();
                let mut future = queue.send(number, priority);
                match poll(Pin::new(&mut future), &waker) {
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
                let (count, waker) = Count::new();
                let mut future = queue.recv();
                match poll(Pin::new(&mut future), &waker) {
                    Poll::Ready(item) => prop_assert_eq!(item.ok(), model.pop()),
                    Poll::Pending => {
                        prop_assert_eq!(model.len(), 0);
                        recvs.push(WaitingRecv { future, count });
                    }
                }
            }
            Step::PollSend(which) if !sends.is_empty() => {
                let at = which % sends.len();
                let (count, waker) = Count::new();
                let waiting = &mut sends[at];
                let granted = model.granted.iter().position(|number| *number == waiting.number);
                prop_assert_eq!(waiting.count.get() > 0, granted.is_some(), "woken, or granted a place");
                match (poll(Pin::new(&mut waiting.future), &waker), granted) {
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
                let (count, waker) = Count::new();
                match poll(Pin::new(&mut recvs[at].future), &waker) {
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

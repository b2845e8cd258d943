//! Scripts of the queue between tasks: a step at a time something is done to it, and a plain model says what must have come of it.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, Waker};

use countermand_core::priority_queue::{PriorityQueue, Recv, RecvError, Send, SendError};
use countermand_core::{Priority, Size};

use crate::common::{Count, poll};

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

impl Step {
    fn read([what, which]: [u8; 2]) -> Self {
        let priority = Priority::ALL[usize::from(which) % Priority::COUNT];
        let which = usize::from(which);
        match what % 20 {
            0..3 => Self::TrySend(priority),
            3 => Self::ForceSend(priority),
            4..7 => Self::Send(priority),
            7..11 => Self::TryRecv,
            11..14 => Self::Recv,
            14..16 => Self::PollSend(which),
            16..18 => Self::PollRecv(which),
            18 => Self::DropSend(which),
            _ => Self::DropRecv(which),
        }
    }
}

pub(crate) const CAPACITY: usize = 4;
/// Places for Critical alone.
pub(crate) const RESERVED: usize = 1;

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

/// Does the steps of a script to a queue of [`CAPACITY`] places, [`RESERVED`] of them for Critical alone.
///
/// # Panics
///
/// Where the queue and the model disagree.
pub(crate) fn play<S: Size>(queue: &PriorityQueue<u32, S>, steps: &[[u8; 2]]) {
    let mut model = Model::default();
    let mut sends: Vec<WaitingSend<'_, S>> = Vec::new();
    let mut recvs: Vec<WaitingRecv<'_, S>> = Vec::new();
    for (number, step) in (0..).zip(steps) {
        match Step::read(*step) {
            Step::TrySend(priority) => {
                let expected = if model.has_room(priority) { Ok(()) } else { Err(SendError::Full(number)) };
                assert_eq!(queue.try_send(number, priority), expected);
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
                assert_eq!(queue.force_send(number, priority), expected);
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
                        assert!(model.has_room(priority) && result.is_ok());
                        model.rows[priority.index()].push_back(number);
                    }
                    Poll::Pending => {
                        assert!(!model.has_room(priority), "{priority} waits, and there is room");
                        model.line[priority.index()].push_back(number);
                        sends.push(WaitingSend { number, priority, future, count });
                    }
                }
            }
            Step::TryRecv => {
                assert_eq!(queue.try_recv(), model.pop().ok_or(RecvError::Empty));
            }
            Step::Recv => {
                if recvs.len() == CAPACITY {
                    continue;
                }
                let (count, waker) = Count::new();
                let mut future = queue.recv();
                match poll(Pin::new(&mut future), &waker) {
                    Poll::Ready(item) => assert_eq!(item.ok(), model.pop()),
                    Poll::Pending => {
                        assert_eq!(model.len(), 0);
                        recvs.push(WaitingRecv { future, count });
                    }
                }
            }
            Step::PollSend(which) if !sends.is_empty() => {
                let at = which % sends.len();
                let (count, waker) = Count::new();
                let waiting = &mut sends[at];
                let granted = model.granted.iter().position(|number| *number == waiting.number);
                assert_eq!(waiting.count.get() > 0, granted.is_some(), "woken, or granted a place");
                match (poll(Pin::new(&mut waiting.future), &waker), granted) {
                    (Poll::Ready(Ok(())), Some(grant)) => {
                        model.granted.remove(grant);
                        model.rows[waiting.priority.index()].push_back(waiting.number);
                        sends.remove(at);
                    }
                    (Poll::Pending, None) => waiting.count = count,
                    (polled, granted) => panic!("{polled:?}, and granted: {granted:?}"),
                }
            }
            Step::PollRecv(which) if !recvs.is_empty() => {
                let at = which % recvs.len();
                let (count, waker) = Count::new();
                match poll(Pin::new(&mut recvs[at].future), &waker) {
                    Poll::Ready(item) => {
                        assert_eq!(item.ok(), model.pop());
                        recvs.remove(at);
                    }
                    Poll::Pending => {
                        assert_eq!(model.len(), 0);
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
                assert_eq!(dropped.future.into_item(), Some(dropped.number));
            }
            Step::DropRecv(which) if !recvs.is_empty() => drop(recvs.remove(which % recvs.len())),
            Step::PollSend(_) | Step::PollRecv(_) | Step::DropSend(_) | Step::DropRecv(_) => {}
        }
        assert_eq!((queue.len(), queue.promised()), (model.len(), model.granted.len()));
        for priority in Priority::ALL {
            assert_eq!(queue.len_of(priority), model.rows[priority.index()].len());
        }
        // Nobody waits for what is there without having been told.
        let told = recvs.iter().filter(|recv| recv.count.get() > 0).count();
        assert!(told >= model.len().min(recvs.len()), "{told} of {} told of {} items", recvs.len(), model.len());
    }
    close(queue, model, sends, recvs);
}

/// All who wait are told; what is there can still be received, and nothing enters.
fn close<S: Size>(
    queue: &PriorityQueue<u32, S>,
    mut model: Model,
    sends: Vec<WaitingSend<'_, S>>,
    recvs: Vec<WaitingRecv<'_, S>>,
) {
    assert!(queue.close() && !queue.close());
    model.line = Default::default();
    model.granted.clear();
    for WaitingSend { number, mut future, count, .. } in sends {
        assert!(count.get() > 0, "a sender was not told of the end");
        assert_eq!(poll(Pin::new(&mut future), Waker::noop()), Poll::Ready(Err(SendError::Closed(number))));
    }
    for WaitingRecv { mut future, count } in recvs {
        assert!(count.get() > 0, "a receiver was not told of the end");
        assert_eq!(poll(Pin::new(&mut future), Waker::noop()), Poll::Ready(model.pop().ok_or(RecvError::Closed)));
    }
    assert_eq!(queue.try_send(0, Priority::Critical), Err(SendError::Closed(0)));
    assert_eq!(queue.force_send(0, Priority::Critical), Err(SendError::Closed(0)));
    while let Some(item) = model.pop() {
        assert_eq!(queue.try_recv(), Ok(item));
    }
    assert_eq!((queue.try_recv(), queue.len()), (Err(RecvError::Closed), 0));
}

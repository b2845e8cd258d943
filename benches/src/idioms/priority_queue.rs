//! Bounded asynchronous queues of four priorities: ours and what people use, behind one face.

use std::cmp::Ordering;
use std::future::Future;
use std::sync::Arc;

use countermand::{Priority, priority_queue};
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::priority_channel::{Max, PriorityChannel};
use event_listener::Event;

use super::tokio_threads::Threads;
use super::work::sum_below;
use crate::meter::Meter;

/// How many items there is room for.
pub(crate) const CAPACITY: usize = 1_024;

/// What is sent: its priority, from 0 to 3, and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) priority: usize,
    pub(crate) number: u64,
}

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        self.priority.cmp(&other.priority)
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Such a queue. A clone is the same queue.
pub(crate) trait Queue: Clone + Send + Sync + 'static {
    fn new() -> Self;
    fn send(&self, item: Item) -> impl Future<Output = ()> + Send;
    fn receive(&self) -> impl Future<Output = Item> + Send;
}

/// So many senders and as many receivers, each a task on a runtime of two threads.
pub(crate) fn exchange<Q: Queue>(pairs: u64) -> impl FnMut(&mut Meter) {
    let threads = Threads::new(2);
    let queue = Q::new();
    move |meter| {
        let each = meter.ops().div_ceil(pairs);
        let queue = queue.clone();
        let sum = meter.time(|| threads.run(all(queue, pairs, each)));
        assert_eq!(sum, pairs * sum_below(each), "something was lost");
    }
}

async fn all<Q: Queue>(queue: Q, pairs: u64, each: u64) -> u64 {
    let senders = (0..pairs).map(|_| {
        let queue = queue.clone();
        tokio::spawn(async move {
            for number in 0..each {
                queue.send(Item { priority: (number & 3) as usize, number }).await;
            }
            0
        })
    });
    let receivers = (0..pairs).map(|_| {
        let queue = queue.clone();
        tokio::spawn(async move {
            let mut sum = 0;
            for _ in 0..each {
                sum += queue.receive().await.number;
            }
            sum
        })
    });
    let tasks: Vec<_> = senders.chain(receivers).collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.expect("nothing panics");
    }
    sum
}

/// countermand's own.
#[derive(Clone, Debug)]
pub(crate) struct Ours {
    sender: priority_queue::Sender<Item>,
    receiver: priority_queue::Receiver<Item>,
}

impl Queue for Ours {
    fn new() -> Self {
        let (sender, receiver) = priority_queue::bounded(CAPACITY);
        Self { sender, receiver }
    }

    async fn send(&self, item: Item) {
        self.sender.send(item, Priority::ALL[item.priority]).await.expect("it is open");
    }

    async fn receive(&self) -> Item {
        self.receiver.recv().await.expect("it is open")
    }
}

/// `async-priority-channel`: a heap under a lock.
#[derive(Clone, Debug)]
pub(crate) struct AsyncPriorityChannel {
    sender: async_priority_channel::Sender<u64, usize>,
    receiver: async_priority_channel::Receiver<u64, usize>,
}

impl Queue for AsyncPriorityChannel {
    fn new() -> Self {
        let (sender, receiver) = async_priority_channel::bounded(CAPACITY as u64);
        Self { sender, receiver }
    }

    async fn send(&self, item: Item) {
        self.sender.send(item.number, item.priority).await.expect("it is open");
    }

    async fn receive(&self) -> Item {
        let (number, priority) = self.receiver.recv().await.expect("it is open");
        Item { priority, number }
    }
}

/// `embassy-sync`: a heap in place, under a critical section.
#[derive(Clone)]
pub(crate) struct Embassy(Arc<PriorityChannel<CriticalSectionRawMutex, Item, Max, CAPACITY>>);

impl Queue for Embassy {
    fn new() -> Self {
        Self(Arc::new(PriorityChannel::new()))
    }

    async fn send(&self, item: Item) {
        self.0.send(item).await;
    }

    async fn receive(&self) -> Item {
        self.0.receive().await
    }
}

/// Makes a queue out of four channels, which share the room. Whoever finds nothing in any of them listens for the next item, looks once more, and waits. It does not
/// select between four waits: those of some channels lose an item when they are dropped, and four registrations cost more than one.
macro_rules! four_channels {
    ($name:ident, $doc:literal, $sender:ty, $receiver:ty, $make:expr, $try:expr, $send:ident) => {
        #[doc = $doc]
        #[derive(Clone, Debug)]
        pub(crate) struct $name {
            senders: [$sender; 4],
            receivers: [$receiver; 4],
            sent: Arc<Event>,
        }

        impl $name {
            /// What is there, the most urgent first.
            fn look(&self) -> Option<Item> {
                self.receivers.iter().rev().find_map($try)
            }
        }

        impl Queue for $name {
            fn new() -> Self {
                let made: [($sender, $receiver); 4] = std::array::from_fn(|_| $make(CAPACITY / 4));
                let senders = made.each_ref().map(|(sender, _)| sender.clone());
                Self { senders, receivers: made.map(|(_, receiver)| receiver), sent: Arc::default() }
            }

            async fn send(&self, item: Item) {
                self.senders[item.priority].$send(item).await.expect("it is open");
                self.sent.notify_additional(1);
            }

            async fn receive(&self) -> Item {
                loop {
                    if let Some(item) = self.look() {
                        return item;
                    }
                    let sent = self.sent.listen();
                    if let Some(item) = self.look() {
                        return item;
                    }
                    sent.await;
                }
            }
        }
    };
}

four_channels!(
    FourKanal,
    "Four channels of `kanal`.",
    kanal::AsyncSender<Item>,
    kanal::AsyncReceiver<Item>,
    kanal::bounded_async,
    |receiver: &kanal::AsyncReceiver<Item>| receiver.try_recv().ok().flatten(),
    send
);

four_channels!(
    FourFlume,
    "Four channels of `flume`.",
    flume::Sender<Item>,
    flume::Receiver<Item>,
    flume::bounded,
    |receiver: &flume::Receiver<Item>| receiver.try_recv().ok(),
    send_async
);

four_channels!(
    FourAsyncChannel,
    "Four channels of `async-channel`.",
    async_channel::Sender<Item>,
    async_channel::Receiver<Item>,
    async_channel::bounded,
    |receiver: &async_channel::Receiver<Item>| receiver.try_recv().ok(),
    send
);

//! Sinks and streams of the queue between tasks: what comes through, what a dropped future keeps, and how it ends.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countermand_core::priority_queue::{PriorityQueue, SendError, bounded};
use countermand_core::{Fixed, Job, Priority, Shutdown, WorkerConfig};
use countermand_futures::SenderSink;
use countermand_sim::Sim;
use futures::executor::block_on;
use futures::task::{ArcWake, Context, Poll, waker};
use futures::{FutureExt as _, Sink as _, SinkExt as _, StreamExt as _, stream};

/// Counts how often it was woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl ArcWake for Count {
    fn wake_by_ref(count: &Arc<Self>) {
        count.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn everything_comes_through_once_and_in_order_on_every_schedule() {
    Sim::explore(0..100, |sim| {
        let worker = sim.start(WorkerConfig::new().lanes(5).drivers(2)).expect("valid settings");
        let (sender, receiver) = bounded(3);
        let submit = |job| worker.try_submit(job).expect("a place");
        let senders = [1_u32, 2, 3].map(|who| {
            let sink = SenderSink::by(sender.clone(), |item: &(u32, u32)| match item.0 {
                1 => Priority::Low,
                2 => Priority::Normal,
                _ => Priority::High,
            });
            let items = stream::iter((0..20).map(move |item| Ok((who, item))));
            submit(Job::task(items.forward(sink)))
        });
        drop(sender);
        let receivers = [receiver.clone(), receiver].map(|receiver| {
            let handle = worker.try_submit(Job::task(receiver.collect::<Vec<_>>()));
            handle.expect("a place")
        });
        let mut served: Vec<_> = Vec::new();
        sim.block_on(async {
            for handle in receivers {
                let part: Vec<(u32, u32)> = handle.await.completed().expect("it has ended");
                for who in 1..=3 {
                    assert!(part.iter().filter(|item| item.0 == who).is_sorted(), "{part:?}");
                }
                served.extend(part);
            }
            for handle in senders {
                assert_eq!(handle.await.completed(), Some(Ok(())));
            }
        });
        served.sort_unstable();
        assert!(served.into_iter().eq((1..=3).flat_map(|who| (0..20).map(move |item| (who, item)))));
        assert_eq!(sim.block_on(worker.shutdown(Shutdown::Drain)).counts.completed, 5);
    });
}

#[test]
fn a_dropped_send_leaves_its_item_with_the_sink_in_its_place_in_line() {
    let (sender, receiver) = bounded(1);
    let (mut sink, mut late) =
        (SenderSink::new(sender.clone(), Priority::Normal), SenderSink::new(sender, Priority::Normal));
    assert_eq!(block_on(sink.send(1)), Ok(()));
    assert_eq!(sink.send(2).now_or_never(), None);
    assert_eq!(late.send(3).now_or_never(), None);
    assert_eq!((sink.held(), late.held()), (Some(&2), Some(&3)));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(late.flush().now_or_never(), None, "the place is the other's");
    assert_eq!(sink.flush().now_or_never(), Some(Ok(())));
    assert_eq!((sink.held(), receiver.try_recv()), (None, Ok(2)));
    assert_eq!(late.flush().now_or_never(), Some(Ok(())));
    assert_eq!(receiver.try_recv(), Ok(3));
}

#[test]
fn a_dropped_feed_drops_its_own_item_alone() {
    let (sender, receiver) = bounded(1);
    let mut sink = SenderSink::new(sender, Priority::Normal);
    let item = Arc::new(());
    assert!(block_on(sink.feed(item.clone())).is_ok(), "into the queue");
    assert!(block_on(sink.feed(item.clone())).is_ok(), "into the sink");
    assert_eq!((receiver.len(), sink.held().is_some(), Arc::strong_count(&item)), (1, true, 3));
    assert!(sink.feed(item.clone()).now_or_never().is_none(), "nowhere");
    assert_eq!(Arc::strong_count(&item), 3);
    assert!(receiver.try_recv().is_ok() && block_on(sink.flush()).is_ok() && receiver.try_recv().is_ok());
    assert!(receiver.is_empty());
}

#[test]
fn what_is_taken_back_or_dropped_passes_its_place_on() {
    for drops in [false, true] {
        let (sender, receiver) = bounded(1);
        let (mut sink, mut next) =
            (SenderSink::new(sender.clone(), Priority::Low), SenderSink::new(sender, Priority::Low));
        assert_eq!(block_on(sink.send(1)), Ok(()));
        assert_eq!(sink.send(2).now_or_never(), None);
        let count = Arc::new(Count::default());
        let waker = waker(count.clone());
        let mut context = Context::from_waker(&waker);
        assert_eq!(Pin::new(&mut next).start_send(3), Ok(()));
        assert_eq!(Pin::new(&mut next).poll_flush(&mut context), Poll::Pending);
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!((receiver.promised(), count.0.load(Ordering::SeqCst)), (1, 0), "it is promised to the first");
        if drops {
            drop(sink);
        } else {
            assert_eq!((sink.take(), sink.take()), (Some(2), None));
        }
        assert_eq!((receiver.promised(), count.0.load(Ordering::SeqCst)), (1, 1), "and then to the second");
        assert_eq!(Pin::new(&mut next).poll_flush(&mut context), Poll::Ready(Ok(())));
        assert_eq!((receiver.try_recv(), receiver.promised()), (Ok(3), 0));
    }
}

#[test]
fn an_error_has_the_item_that_was_fed_or_held() {
    let (sender, receiver) = bounded(1);
    let mut sink = SenderSink::new(sender, Priority::High);
    assert_eq!(block_on(sink.send("first")), Ok(()));
    assert_eq!(sink.send("held").now_or_never(), None);
    assert_eq!(Pin::new(&mut sink).start_send("too soon"), Err(SendError::Full("too soon")));
    assert!(receiver.close());
    assert_eq!(block_on(sink.flush()), Err(SendError::Closed("held")));
    assert_eq!((block_on(sink.flush()), sink.held()), (Ok(()), None));
    assert_eq!(block_on(sink.send("fed")), Err(SendError::Closed("fed")));
    assert_eq!(block_on(receiver.collect::<Vec<_>>()), ["first"], "what was in the queue can be received");
}

#[test]
fn closing_sends_what_is_held_and_ends_this_sender_alone() {
    let (sender, mut receiver) = bounded(1);
    let (mut sink, mut other) =
        (SenderSink::new(sender.clone(), Priority::Low), SenderSink::new(sender, Priority::Low));
    assert_eq!(block_on(sink.send(1)), Ok(()));
    assert_eq!(sink.send(2).now_or_never(), None);
    assert_eq!(sink.close().now_or_never(), None, "there is no place yet");
    assert_eq!((sink.held(), sink.sender().is_some()), (Some(&2), true));
    assert_eq!(block_on(receiver.next()), Some(1));
    assert_eq!(block_on(sink.close()), Ok(()));
    assert!(sink.sender().is_none() && !receiver.is_closed());
    assert_eq!((block_on(sink.close()), block_on(sink.send(3))), (Ok(()), Err(SendError::Closed(3))));
    assert_eq!(block_on(receiver.next()), Some(2));
    assert_eq!(receiver.next().now_or_never(), None, "another may send");
    assert_eq!(block_on(other.close()), Ok(()));
    assert_eq!(block_on(receiver.next()), None);
}

#[test]
fn a_close_on_a_closed_queue_gives_back_what_is_held_and_then_succeeds() {
    let (sender, receiver) = bounded(1);
    let mut sink = SenderSink::new(sender, Priority::Low);
    assert_eq!(block_on(sink.send(1)), Ok(()));
    assert_eq!(sink.send(2).now_or_never(), None);
    drop(receiver);
    assert_eq!(block_on(sink.close()), Err(SendError::Closed(2)));
    assert_eq!((block_on(sink.close()), sink.sender().is_none()), (Ok(()), true));
}

#[test]
fn a_clone_holds_nothing_and_is_as_urgent() {
    let (sender, receiver) = bounded(2);
    let mut sink = SenderSink::new(sender.clone(), Priority::High);
    let mut low = SenderSink::new(sender, Priority::Low);
    assert_eq!((block_on(low.send(1)), block_on(low.send(2)), low.send(3).now_or_never()), (Ok(()), Ok(()), None));
    let mut clone = sink.clone();
    assert_eq!((low.clone().held(), clone.held()), (None, None));
    assert_eq!((clone.send(4).now_or_never(), sink.send(5).now_or_never()), (None, None));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!((low.flush().now_or_never(), block_on(clone.flush())), (None, Ok(())), "the urgent one goes before");
    assert_eq!(receiver.try_recv(), Ok(4));
}

#[test]
fn a_queue_in_place_says_when_its_line_is_full() {
    let (sender, receiver) = PriorityQueue::<_, Fixed<1>>::new().split();
    let mut sinks = [1, 2, 3].map(|_| SenderSink::new(sender.clone(), Priority::Low));
    assert_eq!(block_on(sinks[0].send(1)), Ok(()));
    assert_eq!(sinks[1].send(2).now_or_never(), None);
    assert_eq!(sinks[2].send(3).now_or_never(), Some(Err(SendError::Full(3))));
    assert_eq!((receiver.try_recv(), block_on(sinks[1].flush()), receiver.try_recv()), (Ok(1), Ok(()), Ok(2)));
}

//! The queue between tasks, between threads.
#![cfg(feature = "std")]

mod common;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread;

use countermand_core::Priority;
use countermand_core::priority_queue::bounded;

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

//! A queue of four priorities with eight places, that one waits to receive from and another to send to.
#![no_std]
#![no_main]

use countermand_core::priority_queue::PriorityQueue;
use countermand_core::{Fixed, Priority};
use countermand_heapless::weighed;
use countermand_heapless::weighed::keep;

static QUEUE: PriorityQueue<u32, Fixed<8>> = PriorityQueue::new();

weighed! {
    waits: {
        if let Ok(item) = QUEUE.recv().await {
            keep(item);
        }
    },
    acts: {
        let _ = QUEUE.send(7, Priority::High).await;
    }
}

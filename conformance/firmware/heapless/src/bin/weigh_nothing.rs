//! The two tasks alone: what the others are compared with.
#![no_std]
#![no_main]

use countermand_heapless::weighed;
use countermand_heapless::weighed::{keep, once_around};

weighed! {
    waits: {
        once_around().await;
        keep(7);
    },
    acts: {}
}

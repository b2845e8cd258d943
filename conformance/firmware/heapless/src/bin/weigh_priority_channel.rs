//! embassy-sync's priority channel with eight places, that one waits to receive from and another to send to.
#![no_std]
#![no_main]

use countermand_heapless::weighed;
use countermand_heapless::weighed::keep;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::priority_channel::{Max, PriorityChannel};

/// The priority, and the item.
type Ranked = (u8, u32);

static CHANNEL: PriorityChannel<CriticalSectionRawMutex, Ranked, Max, 8> = PriorityChannel::new();

weighed! {
    waits: {
        keep(CHANNEL.receive().await.1);
    },
    acts: {
        CHANNEL.send((2, 7)).await;
    }
}

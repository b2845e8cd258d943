//! embassy-sync's channel with eight places, that one waits to receive from and another to send to.
#![no_std]
#![no_main]

use countermand_heapless::weighed;
use countermand_heapless::weighed::keep;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::channel::Channel;

static CHANNEL: Channel<CriticalSectionRawMutex, u32, 8> = Channel::new();

weighed! {
    waits: {
        keep(CHANNEL.receive().await);
    },
    acts: {
        CHANNEL.send(7).await;
    }
}

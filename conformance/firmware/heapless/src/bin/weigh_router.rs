//! A router of two packets of each priority: an alarm that one waits for, and its acknowledgement.
#![no_std]
#![no_main]

use countermand_core::{HeldRouter, Label, Level, PacketId, Source, Stream};
use countermand_heapless::weighed;
use countermand_heapless::weighed::keep;

static ROUTER: HeldRouter<u32, 2> = HeldRouter::new();

weighed! {
    waits: {
        let packet = ROUTER.arrival(Stream::Emergency).await;
        if let Some(number) = packet.body() {
            keep(*number);
        }
        packet.acknowledge();
    },
    acts: {
        let label = Label::new(PacketId::new(7), Source::cut("pump"), Level::Critical);
        if ROUTER.offer(label, 7).is_err() {
            keep(0);
        }
    }
}

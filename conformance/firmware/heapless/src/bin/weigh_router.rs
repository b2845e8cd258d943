//! A router with room for two packets of each priority, of 64 bytes; one takes in, another waits for the next of a stream and acknowledges it.
#![no_std]
#![no_main]

use countermand_core::{HeldRouter, Label, Level, PacketId, Source, Stream};
use countermand_heapless::weighed;
use countermand_heapless::weighed::keep;

static ROUTER: HeldRouter<[u8; 64], 2> = HeldRouter::new();

weighed! {
    waits: {
        let packet = ROUTER.arrival(Stream::Emergency).await;
        if let Some(body) = packet.body() {
            keep(u32::from(body[0]));
        }
        packet.acknowledge();
    },
    acts: {
        let label = Label::new(PacketId::new(7), Source::new(), Level::Critical);
        if ROUTER.offer(label, [7; 64]).is_err() {
            keep(0);
        }
    }
}

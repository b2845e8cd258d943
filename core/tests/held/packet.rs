//! A packet as a device writes it, from its stack: the same bytes on every target.

use countermand_core::{Event, Level, PacketParts, Timestamp};

/// The brownout of a pump.
pub(crate) const WRITTEN: &[u8] = b"\
    \n\x021f\
    \x12\x06\x08\x9d\x9f\xe3\xc6\x06\
    \x1a\x04pump\
    \x20\x04\
    \xa2\x01'\n\x05evt-1\
    \x12\x08brownout\x18\x04\
    \x22\x12\n\nmillivolts\x12\x042900\
    ";

/// Makes the event, and writes it.
pub(crate) fn write_one() {
    let event = Event::new("brownout", Level::Critical).with("millivolts", 2900);
    let mut buffer = [0; 128];
    let packet = PacketParts::of_event("1f", Timestamp::new(1_759_039_389, 0), "pump", &event).expect("it has an id");
    assert_eq!(packet.encode(&mut buffer).expect("there is room"), WRITTEN);
    let short = packet.encode(&mut buffer[..WRITTEN.len() - 1]).expect_err("it is too short");
    assert_eq!(short.needed, WRITTEN.len());
}

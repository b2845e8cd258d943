//! Any bytes as a packet in both forms: an answer; and a packet that is read is the same packet in the other form.
//!
//! In `adapters/wire`: `cargo +nightly fuzz run -s none packet -- -runs=1000000 -max_len=1024 -timeout=5`; with `-s none` it
//! is several times as fast, and there is no unsafe code here for a sanitizer to look at.
#![no_main]

use countermand_core::{Format, Urgency};
use countermand_wire::{Limits, decode, open, pack, read, seal, to_json};
use libfuzzer_sys::fuzz_target;
use prost::Message as _;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    // Most inputs are no envelope; those that are have been read as a packet before.
    let _ = open(bytes, &limits);
    for format in [Format::Protobuf, Format::Json] {
        let incoming = match read(format, bytes, &limits) {
            Ok(incoming) => incoming,
            Err(error) => {
                assert!(!error.message().is_empty() && error.to_string().len() < 4_000);
                assert!(error.column().is_none_or(|column| (1..=bytes.len() + 1).contains(&column)));
                continue;
            }
        };
        assert_eq!(incoming.payload.bytes(), bytes);
        assert!(!incoming.packet_id.trim().is_empty() && !incoming.label.source.is_empty());
        assert!(incoming.label.priority >= Urgency::of(incoming.label.level, Some("LOW")).priority);

        let packet = decode(format, bytes, &limits).expect("it was read");
        let json = to_json(&packet).expect("a valid packet has a JSON form");
        let again = decode(Format::Json, json.as_bytes(), &limits).expect("what is written is read");
        // As bytes, in which a number that is none equals itself (but for which one it is) and a zero has no sign.
        assert_eq!(plain(again), plain(packet.clone()));
        let packed = pack(packet).expect("a valid packet");
        let envelope = seal(&packed.payload, &limits).expect("valid").to_bytes();
        assert_eq!(open(&envelope, &limits).expect("an envelope").label, packed.label);
    }
});

fn plain(mut packet: countermand_wire::proto::TelemetryPacket) -> Vec<u8> {
    for metric in &mut packet.metrics {
        if metric.value.is_nan() {
            metric.value = f64::NAN;
        } else if metric.value == 0.0 {
            metric.value = 0.0;
        }
    }
    packet.encode_to_vec()
}

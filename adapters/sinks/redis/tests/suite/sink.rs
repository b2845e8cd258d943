//! What the sink writes, and what it answers when the server says no.

use std::time::Duration;

use countermand_core::{Answer, Batch, DeadReason, Instant, Level, Refusal, Repeats, Sink as _};
use countermand_redis::{Fault, RedisConfig, RedisSink, Signer};
use futures_util::future::poll_immediate;
use redis::Commands as _;

use crate::packets::{deliver, deliver_all, later, normal, packet, refused};
use crate::proxy::Proxy;
use crate::server::{Server, free_port};

on_both!(
    a_packet_is_an_entry_with_all_that_is_known_of_it,
    each_priority_has_its_stream_and_dead_letters_have_theirs,
    a_refusal_of_the_server_is_for_now_and_says_why,
    a_stream_of_a_wrong_type_holds_up_no_other,
    too_large_a_packet_is_refused_for_good,
    a_server_that_is_not_there_is_a_refusal_for_now,
    a_delivery_that_is_dropped_is_not_overtaken,
    what_an_abandoned_connection_still_has_never_comes_after_its_successor,
    null_control_a_connection_that_is_not_held_back_is_not_abandoned,
    an_empty_batch_and_a_large_one_come_back_answered,
);

/// The entries of a stream, each as its fields.
fn entries(server: &Server, stream: &str) -> Vec<Vec<(String, Vec<u8>)>> {
    type Raw = Vec<(String, Vec<(String, Vec<u8>)>)>;
    let raw: Raw = redis::cmd("XRANGE").arg(stream).arg("-").arg("+").query(&mut server.raw()).unwrap();
    raw.into_iter().map(|(_, fields)| fields).collect()
}

fn field<'a>(fields: &'a [(String, Vec<u8>)], name: &str) -> &'a [u8] {
    &fields.iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("no {name}")).1
}

fn bodies(server: &Server, stream: &str) -> Vec<Vec<u8>> {
    entries(server, stream).iter().map(|fields| field(fields, "body").to_vec()).collect()
}

async fn a_packet_is_an_entry_with_all_that_is_known_of_it() {
    let server = server!();
    let mut sink = RedisSink::connect(server.config().signing_key("correct-horse")).await.unwrap();
    let mut delivery = packet(0xbeef, "tamiyo", Level::Warning);
    delivery.attempts = 2;
    let mut repeats = Repeats::of(Instant::from_nanos(3), Level::Warning);
    repeats.add(Instant::from_nanos(8), Level::Error);
    delivery.repeats = Some(repeats);
    deliver_all(&mut sink, &[delivery.clone()]).await;

    let found = entries(&server, "oona.normal").remove(0);
    let names: Vec<_> = found.iter().map(|(name, _)| &**name).collect();
    let expected = "id priority level source subject format body attempts \
                    repeats_count repeats_first repeats_last repeats_highest signature";
    assert_eq!(names.join(" "), expected);
    assert_eq!(field(&found, "body"), delivery.parcel.body.bytes());
    for (name, value) in [
        ("id", "0000000000000000000000000000beef"),
        ("priority", "HIGH"),
        ("level", "WARNING"),
        ("source", "tamiyo"),
        ("subject", "epoch"),
        ("format", "json"),
        ("attempts", "2"),
        ("repeats_count", "2"),
        ("repeats_first", "3"),
        ("repeats_last", "8"),
        ("repeats_highest", "ERROR"),
    ] {
        assert_eq!(String::from_utf8_lossy(field(&found, name)), value, "{name}");
    }
    let signer = Signer::new("correct-horse").unwrap();
    let signed = found[..found.len() - 1].iter().map(|(name, value)| (name.as_bytes(), &**value));
    assert!(signer.verify(signed, field(&found, "signature")));
}

async fn each_priority_has_its_stream_and_dead_letters_have_theirs() {
    let server = server!();
    let mut sink = RedisSink::new(server.config().normal_stream("n").emergency_stream("e")).unwrap();
    let mut dead = packet(4, "a", Level::Critical);
    dead.dead = Some(DeadReason::new("journal", "no room"));
    let levels = [Level::Critical, Level::Error, Level::Info];
    let mut batch: Vec<_> = (1..).zip(levels).map(|(number, level)| packet(number, "a", level)).collect();
    batch.push(dead.clone());
    deliver_all(&mut sink, &batch).await;
    let sent = |range: std::ops::Range<usize>| -> Vec<Vec<u8>> {
        batch[range].iter().map(|packet| packet.parcel.body.bytes().to_vec()).collect()
    };
    assert_eq!((bodies(&server, "e"), bodies(&server, "n")), (sent(0..1), sent(1..3)));
    let letters = entries(&server, "e.dead");
    assert_eq!(letters.len(), 1);
    assert_eq!(field(&letters[0], "body"), dead.parcel.body.bytes());
    let why = ["dead_reason", "dead_sink", "dead_attempts"].map(|name| field(&letters[0], name));
    assert_eq!(why, [&b"no room"[..], b"journal", b"1"]);
}

async fn a_refusal_of_the_server_is_for_now_and_says_why() {
    let server = server!();
    let mut sink = RedisSink::connect(server.config()).await.unwrap();
    for (number, (breaks, word, mends)) in [
        ("CONFIG SET maxmemory 1", "OOM", "CONFIG SET maxmemory 0"),
        ("REPLICAOF 127.0.0.1 1", "READONLY", "REPLICAOF NO ONE"),
        ("CONFIG SET min-replicas-to-write 1", "NOREPLICAS", "CONFIG SET min-replicas-to-write 0"),
    ]
    .into_iter()
    .enumerate()
    {
        let number = number as u64 * 2;
        let packets = normal(number..number + 2);
        let _: () = server.run(breaks);
        for answer in deliver(&mut sink, &packets).await {
            assert!(later(&answer).contains(word), "{}", later(&answer));
        }
        let _: () = server.run(mends);
        deliver_all(&mut sink, &packets).await;
    }
    let all: Vec<_> = normal(0..6).iter().map(|packet| packet.parcel.body.bytes().to_vec()).collect();
    assert_eq!(bodies(&server, "oona.normal"), all);
}

async fn a_stream_of_a_wrong_type_holds_up_no_other() {
    let server = server!();
    let mut sink = RedisSink::connect(server.config()).await.unwrap();
    let _: () = server.raw().set("oona.normal", "somebody's").unwrap();
    let batch = [packet(1, "a", Level::Critical), packet(2, "a", Level::Info), packet(3, "b", Level::Info)];
    let answers = deliver(&mut sink, &batch).await;
    assert_eq!(answers[0], Answer::Acknowledged);
    assert!(answers[1..].iter().all(|answer| later(answer).contains("WRONGTYPE")));
    let _: () = server.raw().del("oona.normal").unwrap();
    deliver_all(&mut sink, &batch[1..]).await;
    assert_eq!(bodies(&server, "oona.normal").len(), 2);
}

async fn too_large_a_packet_is_refused_for_good() {
    let server = server!();
    let size = packet(1, "a", Level::Info).parcel.body.bytes().len();
    let mut sink = RedisSink::connect(server.config().largest_body(size)).await.unwrap();
    let answers = deliver(&mut sink, &[packet(10, "a", Level::Info), packet(2, "a", Level::Info)]).await;
    assert!(matches!(&answers[0], Answer::Refused(Refusal::Never(reason)) if reason.contains("at most")));
    assert_eq!(answers[1], Answer::Acknowledged);
}

async fn a_server_that_is_not_there_is_a_refusal_for_now() {
    let Some(mut server) = Server::at(free_port()) else { return };
    let mut sink = RedisSink::new(server.config()).unwrap();
    let packets = normal(0..3);
    for answer in deliver(&mut sink, &packets).await {
        assert!(later(&answer).starts_with("no connection"), "{}", later(&answer));
    }
    assert!(matches!(RedisSink::connect(server.config()).await.unwrap_err(), Fault::Unreachable(_)));
    server.restart();
    deliver_all(&mut sink, &packets).await;
}

async fn a_delivery_that_is_dropped_is_not_overtaken() {
    let server = server!();
    let mut sink = RedisSink::connect(server.config()).await.unwrap();
    server.pause();
    let mut first = sink.deliver(Batch::new(1, normal(0..3)));
    assert!(poll_immediate(&mut first).await.is_none());
    drop(first);
    server.resume();
    deliver_all(&mut sink, &normal(3..6)).await;
    // The first three may be there or not, but not behind the others.
    let found = bodies(&server, "oona.normal");
    let sent: Vec<_> = normal(0..6).iter().map(|packet| packet.parcel.body.bytes().to_vec()).collect();
    assert!(found == sent || found == sent[3..], "{found:?}");
}

async fn what_an_abandoned_connection_still_has_never_comes_after_its_successor() {
    let Some(abandoned) = abandoned(true).await else { return };
    assert_eq!(abandoned, 3, "the fault did not happen: what is held back was answered");
}

async fn null_control_a_connection_that_is_not_held_back_is_not_abandoned() {
    let Some(abandoned) = abandoned(false).await else { return };
    assert_eq!(abandoned, 0, "no answer, where nothing is held back");
}

/// How many of three packets got no answer on a connection that is held back or is not; the three after them go over the next one.
async fn abandoned(fault: bool) -> Option<usize> {
    let server = Server::start()?;
    let proxy = Proxy::to(server.port());
    let config = RedisConfig::new(format!("redis://127.0.0.1:{}", proxy.port()));
    let mut sink =
        RedisSink::connect(config.response_timeout(Duration::from_secs(if fault { 2 } else { 600 }))).await.unwrap();
    if fault {
        proxy.hold();
    }
    let answers = deliver(&mut sink, &normal(0..3)).await;
    for answer in answers.iter().filter(|answer| **answer != Answer::Acknowledged) {
        assert!(later(answer).starts_with("no answer"), "{}", later(answer));
    }
    // These three are too old by now, and the next ones are on their way.
    let mut waiting = normal(3..6);
    while !waiting.is_empty() {
        let answers = deliver(&mut sink, &waiting).await;
        let mut refused = answers.iter().map(|answer| *answer != Answer::Acknowledged);
        waiting.retain(|_| refused.next().unwrap());
    }
    // That connection ends with it, if it was not given up.
    drop(sink);
    proxy.release();
    let sent: Vec<_> =
        normal(if fault { 3..6 } else { 0..6 }).iter().map(|packet| packet.parcel.body.bytes().to_vec()).collect();
    assert_eq!(bodies(&server, "oona.normal"), sent);
    Some(refused(&answers))
}

async fn an_empty_batch_and_a_large_one_come_back_answered() {
    let server = server!();
    let mut sink = RedisSink::new(server.config()).unwrap();
    deliver_all(&mut sink, &[]).await;
    // More than one transaction takes.
    deliver_all(&mut sink, &normal(0..1_500)).await;
    let sent: Vec<_> = normal(0..1_500).iter().map(|packet| packet.parcel.body.bytes().to_vec()).collect();
    assert_eq!(bodies(&server, "oona.normal"), sent);
}

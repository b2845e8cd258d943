//! What the consumer takes, in which order, and what becomes of what it cannot take.

use std::cell::RefCell;
use std::future::pending;
use std::time::Duration;

use countermand_core::{Level, Refusal, Stream};
use countermand_redis::{Backlog, ConsumerConfig, Entry, Fault, RedisConsumer, RedisSink, Turn};
use futures_util::future::poll_immediate;
use redis::Commands as _;

use crate::packets::{Seen, deliver_all, normal, packet};
use crate::server::Server;

on_both!(
    a_group_sees_the_stream_from_its_start,
    what_is_not_signed_rightly_goes_to_the_dead_letters,
    what_cannot_be_buried_is_not_lost,
    entries_of_a_dead_consumer_are_handled_first,
    a_consumer_that_comes_back_begins_with_what_it_had,
    a_refusal_for_now_holds_its_own_kind_and_nothing_overtakes,
    a_turn_that_is_dropped_loses_nothing,
    the_backlog_is_what_is_not_acknowledged,
    a_server_that_has_forgotten_everything_is_joined_again,
);

/// Claims at once, and waits for nothing.
fn reader(server: &Server, consumer: &str) -> ConsumerConfig {
    ConsumerConfig::new(server.config(), "archive", consumer)
        .block(Duration::from_millis(1))
        .min_idle(Duration::from_secs(3_600))
}

async fn turn(consumer: &mut RedisConsumer, seen: &Seen) -> Turn {
    try_turn(consumer, seen).await.unwrap()
}

async fn try_turn(consumer: &mut RedisConsumer, seen: &Seen) -> Result<Turn, Fault> {
    let turn = consumer.turn(|entry| {
        seen.add(entry);
        async { Ok(()) }
    });
    turn.await
}

async fn a_group_sees_the_stream_from_its_start() {
    let server = server!();
    let mut sink = RedisSink::new(server.config()).unwrap();
    deliver_all(&mut sink, &normal(0..3)).await;
    deliver_all(&mut sink, &[packet(3, "tolaria", Level::Critical)]).await;
    for group in ["one", "two"] {
        let seen = Seen::default();
        let config = ConsumerConfig::new(server.config(), group, "c").block(Duration::from_millis(1));
        let mut consumer = RedisConsumer::new(config).unwrap();
        assert_eq!(turn(&mut consumer, &seen).await.handled, 4);
        assert_eq!(seen.numbers(), [3, 0, 1, 2], "the alarm comes first");
        assert!(turn(&mut consumer, &seen).await.is_idle());
    }
}

async fn what_is_not_signed_rightly_goes_to_the_dead_letters() {
    let server = server!();
    let config = server.config().signing_key("correct-horse");
    for config in [config.clone(), server.config(), server.config().signing_key("battery"), config.clone()] {
        let mut sink = RedisSink::new(config).unwrap();
        deliver_all(&mut sink, &normal(0..1)).await;
    }
    let mut raw = server.raw();
    let _: String = raw.xadd("oona.normal", "*", &[("colour", "green")]).unwrap();
    let seen = Seen::default();
    let mut consumer = RedisConsumer::new(ConsumerConfig::new(config, "g", "c")).unwrap();
    let done = turn(&mut consumer, &seen).await;
    assert_eq!((done.handled, done.dead), (2, 3));
    assert_eq!(consumer.backlog(Stream::Normal).await.unwrap(), Backlog::default());

    type Raw = Vec<(String, Vec<(String, Vec<u8>)>)>;
    let entries: Raw = redis::cmd("XRANGE").arg("oona.normal").arg("-").arg("+").query(&mut raw).unwrap();
    let letters: Raw = redis::cmd("XRANGE").arg("oona.normal.dead").arg("-").arg("+").query(&mut raw).unwrap();
    let reasons = ["missing_signature", "invalid_signature", "missing_signature"];
    assert_eq!(letters.len(), reasons.len());
    for (((_, letter), reason), (id, fields)) in
        letters.iter().zip(reasons).zip([&entries[1], &entries[2], &entries[4]])
    {
        let known =
            [("dead_reason", reason), ("dead_stream", "oona.normal"), ("dead_entry", id), ("dead_consumer", "c")];
        let expected: Vec<_> = known.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).into();
        assert_eq!(letter[..4], expected);
        assert_eq!(&letter[4..], fields, "all that was in it");
    }
}

async fn what_cannot_be_buried_is_not_lost() {
    let server = server!();
    let mut raw = server.raw();
    let _: () = raw.set("oona.normal.dead", "somebody's").unwrap();
    let _: String = raw.xadd("oona.normal", "*", &[("colour", "green")]).unwrap();
    let mut sink = RedisSink::new(server.config()).unwrap();
    deliver_all(&mut sink, &normal(0..2)).await;
    let seen = Seen::default();
    let mut consumer = RedisConsumer::new(reader(&server, "c")).unwrap();
    for _ in 0..2 {
        assert!(try_turn(&mut consumer, &seen).await.unwrap_err().to_string().contains("WRONGTYPE"));
        assert_eq!(seen.entries().len(), 2, "the others are handled, once");
        assert_eq!(consumer.backlog(Stream::Normal).await.unwrap().total(), 1);
    }
    let _: () = raw.del("oona.normal.dead").unwrap();
    assert_eq!(turn(&mut consumer, &seen).await.dead, 1);
    let letters: Vec<(String, Vec<(String, String)>)> = server.run("XRANGE oona.normal.dead - +");
    assert_eq!(letters[0].1[0].1, "malformed: the field \"body\" is missing");
    assert_eq!(consumer.backlog(Stream::Normal).await.unwrap().total(), 0);
}

async fn entries_of_a_dead_consumer_are_handled_first() {
    let server = server!();
    let mut sink = RedisSink::new(server.config()).unwrap();
    let sent = normal(0..150);
    deliver_all(&mut sink, &sent[..100]).await;
    let mut dead = RedisConsumer::new(reader(&server, "dead").page(100)).unwrap();
    let read = dead.turn(|_| async { Err(Refusal::later("dies before it is done")) }).await.unwrap();
    assert_eq!(read.refused, 100);
    drop(dead);
    deliver_all(&mut sink, &sent[100..]).await;

    let seen = Seen::default();
    let mut patient = RedisConsumer::new(reader(&server, "patient").page(40)).unwrap();
    assert_eq!(turn(&mut patient, &seen).await.claimed, 0, "not yet taken for dead");
    assert_eq!(seen.numbers(), (100..140).collect::<Vec<_>>());
    let seen = Seen::default();
    let mut heir = RedisConsumer::new(reader(&server, "heir").page(40).min_idle(Duration::ZERO)).unwrap();
    let first = turn(&mut heir, &seen).await;
    assert_eq!((first.claimed, first.handled), (100, 110));
    assert_eq!(seen.numbers(), (0..100).chain(140..150).collect::<Vec<_>>());
    assert_eq!(heir.backlog(Stream::Normal).await.unwrap().total(), 0);
}

async fn a_consumer_that_comes_back_begins_with_what_it_had() {
    let mut server = server!();
    let mut sink = RedisSink::new(server.config()).unwrap();
    let sent = normal(0..10);
    deliver_all(&mut sink, &sent[..6]).await;
    let mut before = RedisConsumer::new(reader(&server, "c")).unwrap();
    let mut handled = 0;
    let read = before.turn(|_| {
        handled += 1;
        let answer = if handled > 4 { Err(Refusal::later("ends here")) } else { Ok(()) };
        async { answer }
    });
    let read = read.await.unwrap();
    assert_eq!((read.handled, read.refused), (4, 2));
    drop(before);
    server.kill();
    server.restart();
    deliver_all_again(&mut sink, &sent[6..]).await;
    let seen = Seen::default();
    let mut after = RedisConsumer::new(reader(&server, "c")).unwrap();
    assert_eq!(turn(&mut after, &seen).await.handled, 6);
    assert_eq!(seen.numbers(), (4..10).collect::<Vec<_>>());
}

/// The first try finds out that the connection is gone.
async fn deliver_all_again(sink: &mut RedisSink, packets: &[countermand_core::Delivery<countermand_core::Payload>]) {
    assert!(
        crate::packets::deliver(sink, packets).await.iter().all(|answer| !crate::packets::later(answer).is_empty())
    );
    deliver_all(sink, packets).await;
}

async fn a_refusal_for_now_holds_its_own_kind_and_nothing_overtakes() {
    let server = server!();
    let mut sink = RedisSink::new(server.config()).unwrap();
    let sources = ["a", "b", "a", "b", "a"];
    let sent: Vec<_> = (0..).zip(sources).map(|(number, source)| packet(number, source, Level::Info)).collect();
    deliver_all(&mut sink, &sent).await;
    let mut consumer = RedisConsumer::new(reader(&server, "c")).unwrap();
    let seen = Seen::default();
    let picky = |entry: Entry| {
        let refuses = entry.label.source == "a";
        if !refuses {
            seen.add(entry);
        }
        async move { if refuses { Err(Refusal::later("no room for a")) } else { Ok(()) } }
    };
    let first = consumer.turn(&picky).await.unwrap();
    assert_eq!((first.handled, first.refused), (2, 3));
    deliver_all(&mut sink, &[packet(5, "a", Level::Info), packet(6, "b", Level::Critical)]).await;
    // The emergency stream goes on; the normal one has something that is older than what is new.
    let second = consumer.turn(&picky).await.unwrap();
    assert_eq!((second.handled, second.refused), (1, 3));
    assert_eq!(seen.numbers(), [1, 3, 6]);
    let never = consumer.turn(|entry| async move {
        if entry.label.id.number() == 0 { Err(Refusal::never("not this one")) } else { Err(Refusal::later("wait")) }
    });
    let never = never.await.unwrap();
    assert_eq!((never.dead, never.refused), (1, 2));
    assert_eq!(turn(&mut consumer, &seen).await.handled, 3);
    assert_eq!(seen.numbers(), [1, 3, 6, 2, 4, 5]);
}

async fn a_turn_that_is_dropped_loses_nothing() {
    let server = server!();
    let mut sink = RedisSink::new(server.config()).unwrap();
    deliver_all(&mut sink, &normal(0..5)).await;
    let mut consumer = RedisConsumer::new(reader(&server, "c")).unwrap();
    let begun = RefCell::new(Vec::new());
    let (reached, at) = async_channel::bounded::<()>(1);
    {
        let stuck = consumer.turn(|entry| {
            let number = entry.label.id.number();
            begun.borrow_mut().push(number);
            let reached = reached.clone();
            async move {
                if number == 2 {
                    reached.send(()).await.unwrap();
                    pending::<()>().await;
                }
                Ok(())
            }
        });
        // Until the handler has the third, which never ends; then the turn is dropped.
        let stuck = std::pin::pin!(stuck);
        let third = std::pin::pin!(at.recv());
        futures_util::future::select(stuck, third).await;
    }
    assert_eq!(*begun.borrow(), [0, 1, 2]);
    assert_eq!(consumer.backlog(Stream::Normal).await.unwrap().pending, 5);
    let seen = Seen::default();
    assert_eq!(turn(&mut consumer, &seen).await.handled, 3);
    assert_eq!(seen.numbers(), [2, 3, 4], "what was handled is not handled again");
    assert_eq!(consumer.backlog(Stream::Normal).await.unwrap().total(), 0);

    // One that waits for something new is dropped, and what comes then is seen.
    let mut waiting = RedisConsumer::new(reader(&server, "c").block(Duration::from_secs(600))).unwrap();
    let mut idle = Box::pin(try_turn(&mut waiting, &seen));
    while !server.run::<String>("CLIENT LIST").contains("cmd=xreadgroup") {
        assert!(poll_immediate(&mut idle).await.is_none());
    }
    drop(idle);
    deliver_all(&mut sink, &normal(5..6)).await;
    assert_eq!(turn(&mut waiting, &seen).await.handled, 1);
    assert_eq!(seen.numbers(), [2, 3, 4, 5]);
}

async fn the_backlog_is_what_is_not_acknowledged() {
    let server = server!();
    let mut sink = RedisSink::new(server.config()).unwrap();
    let mut consumer = RedisConsumer::new(reader(&server, "c").page(4)).unwrap();
    assert_eq!(consumer.backlog(Stream::Normal).await.unwrap(), Backlog::default());
    deliver_all(&mut sink, &normal(0..10)).await;
    let mut handled = 0;
    let read = consumer.turn(|_| {
        handled += 1;
        let answer = if handled > 3 { Err(Refusal::later("enough")) } else { Ok(()) };
        async { answer }
    });
    assert_eq!(read.await.unwrap().handled, 3);
    let backlog = consumer.backlog(Stream::Normal).await.unwrap();
    assert_eq!((backlog.unread, backlog.pending, backlog.total()), (6, 1, 7));
    // Once an entry is deleted that nobody has read, the server does not know how many there are.
    let ids: Vec<(String, redis::Value)> = server.run("XRANGE oona.normal - +");
    let _: u64 = server.run(&format!("XDEL oona.normal {}", ids[6].0));
    let backlog = consumer.backlog(Stream::Normal).await.unwrap();
    assert_eq!((backlog.unread, backlog.pending), (5, 1));
}

async fn a_server_that_has_forgotten_everything_is_joined_again() {
    let server = server!();
    let mut sink = RedisSink::new(server.config()).unwrap();
    let mut consumer = RedisConsumer::new(reader(&server, "c")).unwrap();
    let seen = Seen::default();
    deliver_all(&mut sink, &normal(0..2)).await;
    assert_eq!(turn(&mut consumer, &seen).await.handled, 2);
    let _: () = server.run("FLUSHALL");
    deliver_all(&mut sink, &normal(2..4)).await;
    let fault = try_turn(&mut consumer, &seen).await.unwrap_err();
    assert!(fault.to_string().contains("NOGROUP"), "{fault}");
    assert_eq!(turn(&mut consumer, &seen).await.handled, 2);
    assert_eq!(seen.numbers(), [0, 1, 2, 3]);
}

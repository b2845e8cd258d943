//! A server that is slow, stuck, or answers nonsense.

use std::time::Duration;

use countermand_core::{Answer, Stream};
use countermand_redis::{ConsumerConfig, Fault, RedisConsumer, RedisSink};

use crate::liar::Liar;
use crate::packets::{Seen, deliver, deliver_all, later, normal};
use crate::server::{Server, free_port};

on_both!(a_slow_server_is_waited_for, a_stuck_server_is_given_up_and_nothing_is_lost, nonsense_is_no_acknowledgement);

/// Longer than the half a second after which the client would give up by itself. That it passes is what is examined; nothing waits for it
/// to be enough.
const SLOW: Duration = Duration::from_millis(700);

async fn a_slow_server_is_waited_for() {
    let server = server!();
    let mut sink = RedisSink::connect(server.config().response_timeout(Duration::from_secs(60))).await.unwrap();
    deliver_all(&mut sink, &normal(0..3)).await;
    server.pause();
    let resumes = std::thread::spawn(move || {
        std::thread::sleep(SLOW);
        server.resume();
        server
    });
    deliver_all(&mut sink, &normal(3..6)).await;
    let server = resumes.join().unwrap();
    assert_eq!(server.run::<u64>("XLEN oona.normal"), 6);
}

async fn a_stuck_server_is_given_up_and_nothing_is_lost() {
    let server = server!();
    let config = server.config().response_timeout(Duration::from_secs(1));
    let mut sink = RedisSink::connect(config).await.unwrap();
    let packets = normal(0..9);
    server.pause();
    for _ in 0..2 {
        for answer in deliver(&mut sink, &packets).await {
            assert!(later(&answer).starts_with("no answer") || later(&answer).starts_with("no connection"));
        }
    }
    server.resume();
    // A machine that is busy may need more than the short time of this test.
    let mut waiting = packets.clone();
    while !waiting.is_empty() {
        let answers = deliver(&mut sink, &waiting).await;
        let mut refused = answers.iter().map(|answer| *answer != Answer::Acknowledged);
        waiting.retain(|_| refused.next().unwrap());
    }
    let seen = Seen::default();
    let mut consumer = RedisConsumer::new(ConsumerConfig::new(server.config(), "g", "c").only(Stream::Normal)).unwrap();
    while seen.packets() < packets.len() {
        let turn = consumer.turn(|entry| {
            seen.add(entry);
            async { Ok(()) }
        });
        let _ = turn.await.unwrap();
    }
    seen.agrees_with(&packets);
}

async fn nonsense_is_no_acknowledgement() {
    let Some(mut server) = Server::at(free_port()) else { return };
    let patience = Duration::from_millis(200);
    let config = server.config().response_timeout(patience).connect_timeout(patience);
    let mut sink = RedisSink::new(config.clone()).unwrap();
    let consumer = ConsumerConfig::new(config, "g", "c").block(Duration::from_millis(1));
    let mut consumer = RedisConsumer::new(consumer).unwrap();
    let packets = normal(0..3);
    let lies: [&[u8]; 14] = [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\0\xff\xfe",
        b"+OK\r\n",
        b"+QUEUED\r\n",
        b":1\r\n",
        b"$-1\r\n",
        b"*0\r\n",
        b"*-7\r\n",
        b"$99999999999999\r\n",
        b"$3\r\n1-0\r\n",
        b"*1\r\n*2\r\n$1\r\nx\r\n:1\r\n",
        b"-LOADING Redis is loading the dataset in memory\r\n",
        b">2\r\n$4\r\npush\r\n+x\r\n",
    ];
    for lie in lies {
        let liar = Liar::start(server.port(), lie);
        for answer in deliver(&mut sink, &packets).await {
            assert!(!later(&answer).is_empty());
            assert_eq!(later(&answer).contains("LOADING"), lie.starts_with(b"-LOADING"), "{}", later(&answer));
        }
        let fault = consumer.turn(|entry| async move { panic!("{entry:?} out of nothing") }).await.unwrap_err();
        assert!(!matches!(fault, Fault::Setting { .. }), "{fault}");
        drop(liar);
    }
    // The same sink and the same consumer, when the server is one again. The short time of this test may need a second try.
    server.restart();
    while !deliver(&mut sink, &packets).await.contains(&Answer::Acknowledged) {}
    let seen = Seen::default();
    while seen.packets() < packets.len() {
        let turn = consumer.turn(|entry| {
            seen.add(entry);
            async { Ok(()) }
        });
        drop(turn.await);
    }
    seen.agrees_with(&packets);
}

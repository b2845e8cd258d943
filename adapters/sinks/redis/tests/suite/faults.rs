//! A server that is slow, stuck, or answers nonsense.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countermand_core::{Answer, Stream};
use countermand_redis::{ConsumerConfig, Fault, RedisConsumer, RedisSink};

use crate::liar::Liar;
use crate::packets::{Seen, deliver, deliver_all, later, normal, refused};
use crate::server::{Server, free_port};

on_both!(
    a_slow_server_is_waited_for,
    a_stuck_server_is_given_up_and_nothing_is_lost,
    nonsense_is_no_acknowledgement,
    null_control_a_server_without_faults_is_neither_slow_nor_stuck_nor_does_it_lie,
);

/// For those that must not be taken for slow, however busy the machine is.
const PATIENT: Duration = Duration::from_secs(600);

/// Longer than the half a second after which the client would give up by itself. That it passes is what is examined; nothing waits for it
/// to be enough.
const SLOW: Duration = Duration::from_millis(700);

async fn a_slow_server_is_waited_for() {
    let Some(waited) = waited(true).await else { return };
    assert!(waited, "the fault did not happen: a server that is paused answered");
}

/// Whether a delivery ended only after the server had gone on, which was paused or was not.
async fn waited(fault: bool) -> Option<bool> {
    let server = Server::start()?;
    let mut sink = RedisSink::connect(server.config().response_timeout(PATIENT)).await.unwrap();
    deliver_all(&mut sink, &normal(0..3)).await;
    if fault {
        server.pause();
    }
    let (delivered, over) = std::sync::mpsc::channel();
    let goes_on = Arc::new(AtomicBool::new(false));
    let resumes = std::thread::spawn({
        let goes_on = goes_on.clone();
        move || {
            if fault {
                std::thread::sleep(SLOW);
            } else {
                over.recv().unwrap();
            }
            goes_on.store(true, Ordering::SeqCst);
            server.resume();
            server
        }
    });
    deliver_all(&mut sink, &normal(3..6)).await;
    let waited = goes_on.load(Ordering::SeqCst);
    // Without the fault somebody listens.
    let _ = delivered.send(());
    let server = resumes.join().unwrap();
    assert_eq!(server.run::<u64>("XLEN oona.normal"), 6);
    Some(waited)
}

async fn a_stuck_server_is_given_up_and_nothing_is_lost() {
    let Some(refused) = given_up(true).await else { return };
    assert_eq!(refused, 2 * 9, "the fault did not happen: a server that is paused answered");
}

/// How many packets are refused, of nine that are sent twice, by a server that is paused or is not.
async fn given_up(fault: bool) -> Option<usize> {
    let server = Server::start()?;
    let config = server.config().response_timeout(if fault { Duration::from_secs(1) } else { PATIENT });
    let mut sink = RedisSink::connect(config).await.unwrap();
    let packets = normal(0..9);
    if fault {
        server.pause();
    }
    let mut given_up = 0;
    for _ in 0..2 {
        let answers = deliver(&mut sink, &packets).await;
        given_up += refused(&answers);
        for answer in answers.iter().filter(|answer| **answer != Answer::Acknowledged) {
            assert!(later(answer).starts_with("no answer") || later(answer).starts_with("no connection"));
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
    Some(given_up)
}

async fn null_control_a_server_without_faults_is_neither_slow_nor_stuck_nor_does_it_lie() {
    let Some(waited) = waited(false).await else { return };
    assert!(!waited, "waited for without the fault");
    assert_eq!(given_up(false).await, Some(0), "refused without the fault");
    let server = server!();
    let config = server.config().response_timeout(PATIENT);
    let mut sink = RedisSink::new(config.clone()).unwrap();
    assert_eq!(refused(&deliver(&mut sink, &normal(0..3)).await), 0, "refused without a lie");
    let mut consumer = RedisConsumer::new(ConsumerConfig::new(config, "g", "c")).unwrap();
    assert_eq!(consumer.turn(|_| async { Ok(()) }).await.unwrap().handled, 3);
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
        let answers = deliver(&mut sink, &packets).await;
        assert_eq!(refused(&answers), packets.len(), "the fault did not happen: {lie:?} was taken for an answer");
        for answer in answers {
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

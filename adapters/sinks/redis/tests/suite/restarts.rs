//! A server that is ended and started again ten times in mid-stream.

use std::sync::Arc;
use std::time::Duration;

use countermand_core::{Answer, Delivery, Level, Payload, Stream};
use countermand_redis::{ConsumerConfig, Fault, RedisConsumer, RedisSink};
use futures_util::future::join;

use crate::gate::Gate;
use crate::packets::{Seen, deliver, packet};
use crate::server::Server;

const PACKETS: usize = 2_200;
const RESTARTS: usize = 10;
const BATCH: usize = 8;

on_both!(nothing_is_lost_and_nothing_overtakes, null_control_a_server_that_stays_refuses_nothing);

async fn nothing_is_lost_and_nothing_overtakes() {
    let Some(refusals) = refusals(true).await else { return };
    // Each restart breaks a connection that is in use.
    assert!(refusals >= RESTARTS, "the fault did not happen each time: {refusals} refusals");
}

async fn null_control_a_server_that_stays_refuses_nothing() {
    let Some(refusals) = refusals(false).await else { return };
    assert_eq!(refusals, 0, "refused without the fault");
}

/// Sends and reads all packets while the server is restarted, or is not. How many deliveries were refused; nothing where there is no server.
async fn refusals(restarts: bool) -> Option<usize> {
    let server = Server::start()?;
    // However busy the machine is: only a connection that breaks is a refusal.
    let config = server.config().signing_key("correct-horse").response_timeout(Duration::from_secs(600));
    let sent = packets();
    let gate = Arc::new(Gate::new());
    let (progress, progressed) = async_channel::bounded(BATCH);
    let operator = std::thread::spawn({
        let gate = gate.clone();
        move || operate(server, restarts, &gate, &progressed)
    });

    let mut sink = RedisSink::new(config.clone()).unwrap();
    let writer = async {
        let mut refusals = 0;
        let mut waiting = sent.clone();
        while !waiting.is_empty() {
            let answers = deliver(&mut sink, &waiting[..BATCH.min(waiting.len())]).await;
            let mut answers = answers.into_iter().map(|answer| answer == Answer::Acknowledged).collect::<Vec<_>>();
            if answers.contains(&false) {
                refusals += 1;
                gate.pass().await;
            }
            answers.resize(waiting.len(), false);
            let mut answers = answers.into_iter();
            waiting.retain(|_| answers.next() == Some(false));
            // The operator has gone after its last restart.
            let _ = progress.send(PACKETS - waiting.len()).await;
        }
        refusals
    };
    let seen = Seen::default();
    let mut consumer = RedisConsumer::new(ConsumerConfig::new(config.clone(), "archive", "archive-1")).unwrap();
    let reader = async {
        while seen.packets() < PACKETS {
            let turn = consumer.turn(|entry| {
                seen.add(entry);
                async { Ok(()) }
            });
            if turn.await.is_err() {
                gate.pass().await;
            }
        }
    };
    let (refusals, ()) = join(writer, reader).await;
    seen.agrees_with(&sent);

    // What is left was written twice. A group that comes late sees it all.
    let server = operator.join().unwrap();
    while backlog(&consumer).await > 0 {
        // The last restart may have left a connection that is gone.
        if let Err(fault) = consumer.turn(|_| async { Ok(()) }).await {
            assert!(matches!(fault, Fault::Unanswered(_)), "{fault}");
        }
    }
    let audit = Seen::default();
    let mut auditor = RedisConsumer::new(ConsumerConfig::new(config, "audit", "audit-1")).unwrap();
    while backlog(&auditor).await > 0 {
        let turn = auditor.turn(|entry| {
            audit.add(entry);
            async { Ok(()) }
        });
        assert_eq!(turn.await.unwrap().dead, 0);
    }
    audit.agrees_with(&sent);
    drop(server);
    Some(refusals)
}

/// From three sources, at all urgencies.
fn packets() -> Vec<Delivery<Payload>> {
    let of = |number: usize| {
        let source = ["tolaria", "tamiyo", "kasmina"][number % 3];
        let level = [Level::Info, Level::Warning, Level::Error, Level::Info, Level::Critical][number % 5];
        packet(number as u64, source, level)
    };
    (0..PACKETS).map(of).collect()
}

/// Ends and starts the server whenever another part of the packets is through, by turns politely and not; or does nothing then.
fn operate(mut server: Server, restarts: bool, gate: &Gate, progressed: &async_channel::Receiver<usize>) -> Server {
    for restart in 1..=RESTARTS {
        while progressed.recv_blocking().unwrap() < restart * PACKETS / (RESTARTS + 1) {}
        if !restarts {
            continue;
        }
        gate.close();
        if restart % 2 == 0 {
            server.stop();
        } else {
            server.kill();
        }
        server.restart();
        gate.open();
    }
    progressed.close();
    server
}

async fn backlog(consumer: &RedisConsumer) -> u64 {
    let mut backlog = 0;
    for stream in Stream::ALL {
        backlog += consumer.backlog(stream).await.unwrap().total();
    }
    backlog
}

//! What is trimmed, and what never is.

use std::time::Duration;

use countermand_core::{Level, Stream};
use countermand_redis::{ConsumerConfig, RedisConsumer, RedisSink};

use crate::packets::{deliver_all, normal, packet};

on_both!(an_alarm_that_a_group_has_not_acknowledged_is_never_trimmed, the_normal_stream_is_bounded_if_asked);

async fn an_alarm_that_a_group_has_not_acknowledged_is_never_trimmed() {
    let server = server!();
    let mut sink = RedisSink::new(server.config()).unwrap();
    let alarms: Vec<_> = (0..1_000).map(|number| packet(number, "kasmina", Level::Critical)).collect();
    deliver_all(&mut sink, &alarms).await;
    let reader = |group: &str| {
        let config = ConsumerConfig::new(server.config(), group, "c").only(Stream::Emergency).page(400);
        RedisConsumer::new(config.block(Duration::from_millis(1)).keep_emergency(100)).unwrap()
    };
    let length = || server.run::<u64>("XLEN oona.emergency");
    let (mut quick, mut slow) = (reader("quick"), reader("slow"));
    assert_eq!(slow.backlog(Stream::Emergency).await.unwrap().total(), 1_000);
    while quick.backlog(Stream::Emergency).await.unwrap().total() > 0 {
        let _ = quick.turn(|_| async { Ok(()) }).await.unwrap();
    }
    assert_eq!(length(), 1_000, "the slow group has not seen them");

    let mut handled = 0;
    let some = slow.turn(|_| {
        handled += 1;
        let answer = if handled > 250 { Err(countermand_core::Refusal::later("enough")) } else { Ok(()) };
        async { answer }
    });
    assert_eq!(some.await.unwrap().handled, 250);
    assert!((750..1_000).contains(&length()), "{}", length());
    assert_eq!(slow.backlog(Stream::Emergency).await.unwrap().total(), 750);

    while slow.backlog(Stream::Emergency).await.unwrap().total() > 0 {
        assert_eq!(slow.turn(|_| async { Ok(()) }).await.unwrap().vanished, 0);
    }
    assert!((100..300).contains(&length()), "{}", length());
}

async fn the_normal_stream_is_bounded_if_asked() {
    let server = server!();
    let mut sink = RedisSink::new(server.config().normal_limit(100)).unwrap();
    deliver_all(&mut sink, &normal(0..1_000)).await;
    let alarms: Vec<_> = (0..1_000).map(|number| packet(number, "kasmina", Level::Critical)).collect();
    deliver_all(&mut sink, &alarms).await;
    assert!((100..400).contains(&server.run::<u64>("XLEN oona.normal")));
    assert_eq!(server.run::<u64>("XLEN oona.emergency"), 1_000);
}

//! The sink: each packet becomes an entry of the stream of its priority.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use countermand_core::{Batch, Delivery, Payload, Priority, Refusal, Sink, Source, Stream};
use redis::{Cmd, Value};

use crate::fields::fields_of;
use crate::link::Link;
use crate::{Fault, RedisConfig, Signer, reply};

/// How many bytes of packets go into one transaction, unless a single packet has more.
const MOST_BYTES: usize = 8 << 20;

/// How many packets go into one transaction.
const MOST_PACKETS: usize = 512;

/// Brings packets into Redis Streams.
///
/// CRITICAL goes into the emergency stream, everything else into the normal one, a dead letter into the stream of dead letters beside its
/// own, each in the order of the batch. A packet is acknowledged when the server has named the entry that it made of it. Whatever else
/// happens, no connection, a time-out, an answer that is none, `LOADING`, `READONLY`, `OOM`, `WRONGTYPE`, is refused for now with the
/// reason: somebody can put it right. For good only a packet is refused that is larger than [`RedisConfig::largest_body`].
///
/// It connects at its first batch and again after a fault, once a batch; when to try again is for whoever has the batches.
///
/// # Implementation notes
///
/// A transaction (`MULTI` … `EXEC`) has up to 512 packets or 8 MiB. One that fails is refused as a whole and with it all behind it, so
/// nothing that is later overtakes. A Lua script could do the same, but many servers allow none.
pub struct RedisSink {
    outlet: Arc<Outlet>,
}

struct Outlet {
    config: RedisConfig,
    signer: Option<Signer>,
    link: Link,
}

impl RedisSink {
    /// A sink to this server. It is not connected yet.
    ///
    /// # Errors
    ///
    /// [`Fault::Setting`] names what cannot be.
    pub fn new(config: RedisConfig) -> Result<Self, Fault> {
        config.check()?;
        let link = Link::new(&config, config.response_timeout)?;
        let signer = Signer::new(config.signing_key.clone());
        Ok(Self { outlet: Arc::new(Outlet { config, signer, link }) })
    }

    /// A sink that has its connection, for those who want to know at once whether the server is there.
    ///
    /// # Errors
    ///
    /// What is wrong with the configuration, or why there is no connection or no answer.
    ///
    /// # Cancellation
    ///
    /// Dropping the future gives up; nothing is left behind.
    pub async fn connect(config: RedisConfig) -> Result<Self, Fault> {
        let sink = Self::new(config)?;
        sink.outlet.link.ask_one(redis::cmd("PING")).await?;
        Ok(sink)
    }
}

impl Sink<Payload> for RedisSink {
    type Delivery = Pin<Box<dyn Future<Output = Batch<Payload>> + Send>>;

    /// Begins to deliver a batch.
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves open whether the server has the packets. What is delivered next comes behind them, whatever becomes of them.
    fn deliver(&mut self, mut batch: Batch<Payload>) -> Self::Delivery {
        let outlet = self.outlet.clone();
        Box::pin(async move {
            outlet.deliver(&mut batch).await;
            batch
        })
    }
}

impl fmt::Debug for RedisSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSink").field("config", &self.outlet.config).field("link", &self.outlet.link).finish()
    }
}

impl Outlet {
    async fn deliver(&self, batch: &mut Batch<Payload>) {
        let mut places = Vec::with_capacity(batch.len());
        for place in 0..batch.len() {
            let size = batch.deliveries()[place].parcel.body.bytes().len();
            if size > self.config.largest_body {
                let reason = format!("{size} bytes, where at most {} are taken", self.config.largest_body);
                batch.refuse(place, Refusal::never(reason));
            } else {
                places.push((place, size));
            }
        }
        let mut held = Vec::new();
        for part in parts(&places) {
            let commands = part.iter().map(|(place, _)| self.entry(&batch.deliveries()[*place])).collect();
            match self.link.transaction(commands).await {
                Ok(answers) => {
                    for ((place, _), answer) in part.iter().zip(&answers) {
                        answer_for(batch, *place, answer, &mut held);
                    }
                }
                Err(fault) => return batch.refuse_rest(&Refusal::later(fault.to_string())),
            }
            // What is in the next transaction might overtake what was refused in this one.
            if !held.is_empty() {
                return batch.refuse_rest(&Refusal::later("packets ahead of it were refused"));
            }
        }
    }

    /// The command that makes an entry of a packet.
    fn entry(&self, delivery: &Delivery<Payload>) -> Cmd {
        let stream = Stream::of(delivery.parcel.label.priority);
        let mut command = redis::cmd("XADD");
        match (&delivery.dead, self.config.normal_limit) {
            (Some(_), _) => command.arg(self.config.dead_stream(stream)),
            (None, Some(limit)) if stream == Stream::Normal => {
                command.arg(self.config.stream(stream)).arg("MAXLEN").arg("~").arg(limit)
            }
            (None, _) => command.arg(self.config.stream(stream)),
        };
        command.arg("*");
        for (name, value) in fields_of(delivery, self.signer.as_ref()) {
            command.arg(name).arg(&*value);
        }
        command
    }
}

/// Takes down what the server said of the packet at `place`. Behind one that was refused, those of the same source and priority are too (E3).
fn answer_for(batch: &mut Batch<Payload>, place: usize, answer: &Value, held: &mut Vec<(Source, Priority)>) {
    let label = &batch.deliveries()[place].parcel.label;
    let lane = (label.source, label.priority);
    match reply::entry_id(answer) {
        Ok(_) if held.contains(&lane) => batch.refuse(place, Refusal::later("a packet ahead of it was refused")),
        Ok(_) => batch.acknowledge(place),
        Err(fault) => {
            held.push(lane);
            batch.refuse(place, Refusal::later(fault.to_string()));
        }
    }
}

/// Cuts what is to be sent into transactions. Each has at least one packet.
fn parts(places: &[(usize, usize)]) -> impl Iterator<Item = &[(usize, usize)]> {
    let mut rest = places;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = rest.iter().take(MOST_PACKETS).take_while(|(_, size)| {
            bytes += size;
            bytes <= MOST_BYTES
        });
        let (part, behind) = rest.split_at(fitting.count().max(1).min(rest.len()));
        rest = behind;
        (!part.is_empty()).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use countermand_core::{Answer, Format, Instant, Label, Level, PacketId, Parcel};

    use super::*;

    #[test]
    fn transactions_are_bounded_and_nothing_is_left_out() {
        let sizes = |sizes: &[usize]| sizes.iter().copied().enumerate().collect::<Vec<_>>();
        let lengths = |places: &[(usize, usize)]| parts(places).map(<[_]>::len).collect::<Vec<_>>();
        assert!(lengths(&[]).is_empty());
        assert_eq!(lengths(&sizes(&[MOST_BYTES * 2])), [1]);
        assert_eq!(lengths(&sizes(&[1, MOST_BYTES, 1, MOST_BYTES - 1, 1])), [1, 1, 2, 1]);
        let many = sizes(&[1; MOST_PACKETS + 3]);
        assert_eq!(lengths(&many), [MOST_PACKETS, 3]);
        assert_eq!(parts(&many).flatten().copied().collect::<Vec<_>>(), many);
    }

    #[test]
    fn behind_a_refusal_the_same_source_and_priority_waits() {
        let delivery = |number: u128, source| {
            let label = Label::new(PacketId::new(number), Source::of(source), Level::Info);
            Delivery::new(Arc::new(Parcel::new(label, Instant::ORIGIN, Payload::new(Format::Json, *b"{}"))))
        };
        let mut batch = Batch::new(0, vec![delivery(1, "a"), delivery(2, "b"), delivery(3, "a"), delivery(4, "b")]);
        let mut held = Vec::new();
        let id = Value::BulkString(b"1-0".to_vec());
        for (place, answer) in [&Value::Okay, &id, &id, &id].into_iter().enumerate() {
            answer_for(&mut batch, place, answer, &mut held);
        }
        let taken: Vec<_> =
            batch.into_answers().iter().map(|answer| matches!(answer, Some(Answer::Acknowledged))).collect();
        assert_eq!(taken, [false, true, false, true]);
    }
}

//! A sink in front of another: gives it what it is to have, and answers for the rest; first of all for what is no packet.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use countermand::{Answer, Batch, DeadReason, Delivery, Parcel, Payload, Refusal, Sink};

use crate::body::Body;

/// See the head of the file.
#[derive(Debug)]
pub(crate) struct Sift<S> {
    behind: S,
}

impl<S> Sift<S> {
    /// In front of this sink.
    pub(crate) const fn before(behind: S) -> Self {
        Self { behind }
    }
}

impl<S> Sink<Body> for Sift<S>
where
    S: Sink<Payload>,
    S::Delivery: Send + 'static,
{
    type Delivery = Pin<Box<dyn Future<Output = Batch<Body>> + Send>>;

    fn deliver(&mut self, batch: Batch<Body>) -> Self::Delivery {
        sift(batch, &mut self.behind, |delivery| match &delivery.parcel.body.fault {
            // On its way to the dead letters it is what it should be.
            Some(fault) if delivery.dead.is_none() => Pick::Never(fault.to_string()),
            _ => Pick::On(bare(delivery)),
        })
    }
}

/// What is done with one packet of a batch.
pub(crate) enum Pick {
    /// The sink behind is given this.
    On(Delivery<Payload>),
    /// It is taken, and goes no further.
    Done,
    /// It is refused for ever, for this reason.
    Never(String),
}

/// Gives those packets of a batch on to `behind` that `pick` picks; resolves to the batch with the answers for all of them.
pub(crate) fn sift<B, S>(
    mut batch: Batch<B>,
    behind: &mut S,
    mut pick: impl FnMut(&Delivery<B>) -> Pick,
) -> Pin<Box<dyn Future<Output = Batch<B>> + Send>>
where
    B: Send + Sync + 'static,
    S: Sink<Payload>,
    S::Delivery: Send + 'static,
{
    let mut places = Vec::with_capacity(batch.len());
    let mut good = Vec::with_capacity(batch.len());
    for place in 0..batch.len() {
        match pick(&batch.deliveries()[place]) {
            Pick::On(delivery) => {
                places.push(place);
                good.push(delivery);
            }
            Pick::Done => batch.acknowledge(place),
            Pick::Never(fault) => batch.refuse(place, Refusal::never(fault)),
        }
    }
    if good.is_empty() {
        return Box::pin(async { batch });
    }
    let behind = behind.deliver(Batch::new(batch.number(), good));
    Box::pin(async move {
        for (place, answer) in places.into_iter().zip(behind.await.into_answers()) {
            match answer {
                Some(Answer::Acknowledged) => batch.acknowledge(place),
                Some(Answer::Refused(refusal)) => batch.refuse(place, refusal),
                None => {}
            }
        }
        batch
    })
}

/// The delivery as a sink knows it that takes packets.
fn bare(delivery: &Delivery<Body>) -> Delivery<Payload> {
    let parcel = &delivery.parcel;
    let mut bare = Delivery::new(Arc::new(Parcel::new(parcel.label, parcel.accepted, parcel.body.payload.clone())));
    bare.attempts = delivery.attempts;
    bare.repeats = delivery.repeats;
    bare.dead = delivery.dead.clone().map(|dead| match parcel.body.fault {
        // It was no packet when it came in; no sink is to blame.
        Some(_) => {
            let mut reason = DeadReason::new(INTAKE, dead.reason);
            reason.attempts = dead.attempts;
            reason
        }
        None => dead,
    });
    bare
}

/// Who refuses what is no packet.
const INTAKE: &str = "intake";

#[cfg(test)]
mod tests {
    use countermand::{Format, Instant, Label, Level, PacketId, Source};
    use futures::executor::block_on;

    use super::*;

    /// Takes everything but what begins with an `x`.
    struct Picky(Vec<usize>);

    impl Sink<Payload> for Picky {
        type Delivery = std::future::Ready<Batch<Payload>>;

        fn deliver(&mut self, mut batch: Batch<Payload>) -> Self::Delivery {
            self.0.push(batch.len());
            for place in 0..batch.len() {
                if batch.deliveries()[place].parcel.body.bytes().starts_with(b"x") {
                    batch.refuse(place, Refusal::later("not today"));
                }
            }
            batch.acknowledge_rest();
            std::future::ready(batch)
        }
    }

    fn delivery(bytes: &[u8], fault: Option<&str>) -> Delivery<Body> {
        let label = Label::new(PacketId::new(1), Source::of("here"), Level::Info);
        let body = Body { payload: Payload::new(Format::Json, bytes), fault: fault.map(Into::into) };
        Delivery::new(Arc::new(Parcel::new(label, Instant::ORIGIN, body)))
    }

    #[test]
    fn each_answer_is_for_its_own_packet() {
        let mut sift = Sift::before(Picky(Vec::new()));
        let mut buried = delivery(b"buried", Some("nonsense"));
        buried.dead = Some(DeadReason::new("journal.normal", "nonsense"));
        let all = vec![delivery(b"?", Some("nonsense")), delivery(b"a", None), delivery(b"x", None), buried];
        let answers = block_on(sift.deliver(Batch::new(3, all))).into_answers();
        let expected = [
            Answer::Refused(Refusal::never("nonsense")),
            Answer::Acknowledged,
            Answer::Refused(Refusal::later("not today")),
            Answer::Acknowledged,
        ];
        assert_eq!(answers, expected.map(Some));
        assert_eq!(sift.behind.0, [3]);
    }
}

//! Stands before a sink: gives it what came from the journal, and watches how it is doing.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant as Clock;

use countermand::{Answer, Batch, Delivery, Instant, Label, Parcel, Payload, Refusal, Sink};
use countermand_journal::WallTime;

use super::{Fed, PATIENCE};
use crate::intake::now;
use crate::sift::{Pick, sift};
use crate::standing::Standing;
use crate::voice::Voice;

/// Which packets a sink is not given: it is through with them unseen.
pub(crate) type Skips = fn(&Voice, &Label) -> bool;

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Front<S> {
    behind: S,
    standing: Standing,
    skips: Skips,
}

impl<S> Front<S> {
    pub(super) const fn new(behind: S, standing: Standing, skips: Skips) -> Self {
        Self { behind, standing, skips }
    }
}

impl<S> Sink<Fed> for Front<S>
where
    S: Sink<Payload>,
    S::Delivery: Send + 'static,
{
    type Delivery = Pin<Box<dyn Future<Output = Batch<Fed>> + Send>>;

    fn deliver(&mut self, batch: Batch<Fed>) -> Self::Delivery {
        let (standing, skips, since) = (self.standing.clone(), self.skips, Clock::now());
        let mut any = false;
        let delivery = sift(batch, &mut self.behind, |delivery| match &delivery.parcel.body {
            Fed::Kept(_, payload) if !skips(standing.voice(), &delivery.parcel.label) => {
                any = true;
                Pick::On(bare(delivery, payload))
            }
            _ => Pick::Done,
        });
        if !any {
            return delivery;
        }
        Box::pin(async move {
            let watch = Watch { standing, since };
            let batch = delivery.await;
            watch.came(&batch);
            batch
        })
    }
}

/// The delivery as a sink knows it, whose times are of the day: the clock of a process means nothing to whoever reads them elsewhere.
fn bare(delivery: &Delivery<Fed>, payload: &Payload) -> Delivery<Payload> {
    let parcel = &delivery.parcel;
    let (wall, clock) = (WallTime::now().as_nanos(), now());
    let of_day = |at: Instant| {
        let age = u64::try_from(clock.saturating_since(at).as_nanos()).unwrap_or(u64::MAX);
        Instant::from_nanos(wall.saturating_sub(age))
    };
    let mut bare = Delivery::new(Arc::new(Parcel::new(parcel.label, of_day(parcel.accepted), payload.clone())));
    bare.attempts = delivery.attempts;
    bare.repeats = delivery.repeats.map(|mut repeats| {
        repeats.first = of_day(repeats.first);
        repeats.last = of_day(repeats.last);
        repeats
    });
    bare
}

/// Watches over one batch. One that is let go before its end, and not for want of an answer, says nothing of the sink.
struct Watch {
    standing: Standing,
    since: Clock,
}

impl Watch {
    fn came(self, batch: &Batch<Fed>) {
        let refused = batch.answers().iter().find_map(|answer| match answer {
            Some(Answer::Acknowledged | Answer::Refused(Refusal::Never(_))) => None,
            Some(Answer::Refused(Refusal::Later(why))) => Some(why.as_ref()),
            None => Some("it gave no answer"),
        });
        match refused {
            None => self.standing.works(),
            Some(why) => self.standing.rests(why),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.since.elapsed() >= PATIENCE {
            self.standing.rests("it does not answer");
        }
    }
}

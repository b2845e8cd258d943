//! Gives what came in to the router, and says what became of it.

use std::time::SystemTime;

use countermand::{Fate, Format, Instant, Label, PacketId, Payload, Receipt, RefuseReason, Router, Source};
use countermand_wire::{FrameError, Limits};
use serde_json::{Value, json};

use crate::alarms::Alarms;
use crate::body::Body;

/// See the head of the file.
#[derive(Clone, Debug)]
pub(crate) struct Clerk {
    pub(crate) router: Router<Body>,
    pub(crate) limits: Limits,
    pub(crate) alarms: Alarms,
}

/// The time on the clock of the router's outlets.
pub(crate) fn now() -> Instant {
    Instant::from_std(std::time::Instant::now())
}

/// What was taken in, or not, under which number and names.
#[derive(Debug)]
pub(crate) struct Taken {
    number: u64,
    packet_id: Option<String>,
    id: Option<PacketId>,
    /// What is wrong with the bytes, if they are no packet.
    pub(crate) fault: Option<String>,
    outcome: Result<Receipt, RefuseReason>,
}

impl Clerk {
    /// Takes in what stands as number `number` in the stream of `from`.
    pub(crate) fn take(&self, format: Format, number: u64, bytes: &[u8], from: Source) -> Taken {
        match countermand_wire::read(format, bytes, &self.limits) {
            Ok(incoming) => {
                let packet_id = Some(incoming.packet_id.clone());
                let (label, body) = Body::good(incoming);
                let outcome = self.offer(label, body);
                Taken { number, packet_id, id: Some(label.id), fault: None, outcome }
            }
            Err(error) => {
                let place = if format == Format::Json { "line" } else { "packet" };
                self.bury(format, number, bytes, from, format!("{place} {number}: {error}"))
            }
        }
    }

    /// Takes in that the stream of `from` is broken; what was sent is not there any more.
    pub(crate) fn broken(&self, format: Format, error: &FrameError, from: Source) -> Taken {
        self.bury(format, error.number, &[], from, error.to_string())
    }

    fn bury(&self, format: Format, number: u64, bytes: &[u8], from: Source, fault: String) -> Taken {
        let (label, body) = Body::bad(Payload::new(format, bytes), from, &fault);
        let outcome = self.offer(label, body);
        Taken { number, packet_id: None, id: Some(label.id), fault: Some(fault), outcome }
    }

    fn offer(&self, label: Label, body: Body) -> Result<Receipt, RefuseReason> {
        match self.router.offer(now(), label, body) {
            Ok(receipt) => {
                self.alarms.came(SystemTime::now(), &label);
                Ok(receipt)
            }
            Err(refused) => Err(refused.reason),
        }
    }
}

impl Taken {
    /// Waits until it is known what became of it.
    ///
    /// # Cancellation
    ///
    /// Dropping it changes nothing for the packet; its sender is not answered.
    pub(crate) async fn answer(self) -> Answered {
        let Self { number, packet_id, id, fault, outcome } = self;
        let end = match outcome {
            Ok(receipt) => Ok(receipt.await),
            Err(reason) => Err(reason),
        };
        Answered { number, packet_id, id, fault, end }
    }
}

/// What became of what was sent.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    number: u64,
    packet_id: Option<String>,
    id: Option<PacketId>,
    fault: Option<String>,
    end: Result<Fate, RefuseReason>,
}

impl Answered {
    /// The answer to the sender, one line; see [`protocol`](crate::protocol).
    pub(crate) fn line(&self) -> String {
        let mut answer = match (&self.fault, &self.end) {
            (Some(fault), _) => json!({ "ok": false, "error": fault, "retry": false }),
            (None, Ok(Fate::Delivered)) => json!({ "ok": true }),
            (None, Ok(Fate::Shed)) => no("there was no room for it", true),
            (None, Ok(Fate::Expired)) => no("it could not be kept before it was out of date", true),
            (None, Ok(Fate::DeadLettered)) => no("it is a dead letter", false),
            (None, Ok(_)) => no("it is not kept", true),
            (None, Err(RefuseReason::Full)) => no("there is no room for a packet of this priority", true),
            (None, Err(RefuseReason::Closed)) => no("the supervisor is ending", true),
            (None, Err(reason)) => no(&reason.to_string(), false),
        };
        answer["number"] = self.number.into();
        if let Some(packet_id) = &self.packet_id {
            answer["packet_id"] = packet_id.as_str().into();
        }
        if let Some(id) = self.id {
            answer["id"] = id.to_string().into();
        }
        answer.to_string()
    }
}

fn no(error: &str, retry: bool) -> Value {
    json!({ "ok": false, "error": error, "retry": retry })
}

/// The answer to a connection that is not let in or is given up.
pub(crate) fn refusal(error: &str, retry: bool) -> String {
    no(error, retry).to_string()
}

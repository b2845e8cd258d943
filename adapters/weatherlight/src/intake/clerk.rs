//! Gives what came in to the router, and says what became of it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{self, SystemTime};

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
    Instant::from_std(time::Instant::now())
}

/// What was taken in, or not, under which number and names.
#[derive(Debug)]
pub(crate) struct Taken {
    number: u64,
    packet_id: Option<String>,
    id: Option<PacketId>,
    /// When it was taken in.
    pub(crate) since: time::Instant,
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
                Taken { number, packet_id, id: Some(label.id), since: time::Instant::now(), fault: None, outcome }
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
        Taken { number, packet_id: None, id: Some(label.id), since: time::Instant::now(), fault: Some(fault), outcome }
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
    /// The answer to a sender that is not to wait any longer: send it again. What was taken in goes on its way all the same, and is kept once
    /// however often it comes.
    pub(crate) fn not_now(&self, why: &str) -> String {
        match &self.fault {
            Some(fault) => self.line(&no(fault, false)),
            None => self.line(&no(why, true)),
        }
    }

    /// The answer to the sender, one line; see [`protocol`](crate::protocol).
    fn line(&self, end: &Value) -> String {
        let mut answer = end.clone();
        answer["number"] = self.number.into();
        if let Some(packet_id) = &self.packet_id {
            answer["packet_id"] = packet_id.as_str().into();
        }
        if let Some(id) = self.id {
            answer["id"] = id.to_string().into();
        }
        answer.to_string()
    }

    fn end(&self, fate: Fate) -> Value {
        match (&self.fault, fate) {
            (Some(fault), _) => no(fault, false),
            (None, Fate::Delivered) => json!({ "ok": true }),
            (None, Fate::Shed) => no("there was no room for it", true),
            (None, Fate::Expired) => no("it could not be kept before it was out of date", true),
            (None, Fate::DeadLettered) => no("it is a dead letter", false),
            (None, _) => no("it is not kept", true),
        }
    }

    fn refused(&self, reason: RefuseReason) -> Value {
        match (&self.fault, reason) {
            (Some(fault), _) => no(fault, false),
            (None, RefuseReason::Full) => no("there is no room for a packet of this priority", true),
            (None, RefuseReason::Closed) => no("the supervisor is ending", true),
            (None, reason) => no(&reason.to_string(), false),
        }
    }
}

/// Waits until it is known what became of it, and gives the answer to its sender.
///
/// # Cancellation
///
/// Dropping it changes nothing for the packet; its sender is not answered.
impl Future for Taken {
    type Output = String;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<String> {
        let end = match &mut self.outcome {
            Ok(receipt) => {
                let fate = ready!(Pin::new(receipt).poll(cx));
                self.end(fate)
            }
            Err(reason) => {
                let reason = *reason;
                self.refused(reason)
            }
        };
        Poll::Ready(self.line(&end))
    }
}

fn no(error: &str, retry: bool) -> Value {
    json!({ "ok": false, "error": error, "retry": retry })
}

/// The answer to a connection that is not let in or is given up.
pub(crate) fn refusal(error: &str, retry: bool) -> String {
    no(error, retry).to_string()
}

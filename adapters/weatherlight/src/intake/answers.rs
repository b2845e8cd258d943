//! Answers a sender: a line for each packet, as soon as it is known what became of it.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use async_channel::Receiver;
use futures::stream::{FuturesUnordered, Stream as _};

use super::clerk::Taken;

/// How many bytes of answers are gathered before they are written.
const GATHERED: usize = 16 << 10;

/// How long a packet is waited for. Its sender is told to send it again then (E13), and what is behind it is read.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Writes answers.
pub(crate) struct Answers<'a> {
    /// How many packets are waited for at a time.
    pub(crate) window: usize,
    /// How long a packet is waited for.
    pub(crate) patience: Duration,
    /// Why nothing can be kept at the moment, if that is known.
    pub(crate) trouble: &'a dyn Fn() -> Option<String>,
}

impl Answers<'_> {
    /// Writes the answers to all that comes from `taken`, until nothing more comes and everything is answered. Blocks this thread.
    ///
    /// Answers come in the order in which packets become durable: an alarm is not answered later because of an ordinary packet before it.
    ///
    /// # Errors
    ///
    /// What `write` says. What was not answered then is kept or not, and its sender does not know: it sends it again.
    pub(crate) fn write(
        &self,
        taken: &Receiver<Taken>,
        mut write: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let bell = Waker::from(Arc::new(Bell(thread::current())));
        let cx = &mut Context::from_waker(&bell);
        let mut taken = pin!(taken.clone());
        let mut open = FuturesUnordered::new();
        let mut out = Vec::with_capacity(GATHERED);
        let mut more = true;
        loop {
            let mut idle = true;
            while more && open.len() < self.window {
                match taken.as_mut().poll_next(cx) {
                    Poll::Ready(Some(one)) => {
                        open.push(one);
                        idle = false;
                    }
                    Poll::Ready(None) => more = false,
                    Poll::Pending => break,
                }
            }
            while let Poll::Ready(Some(line)) = Pin::new(&mut open).poll_next(cx) {
                put(&mut out, &line);
                idle = false;
                if out.len() >= GATHERED {
                    break;
                }
            }
            // Whatever is there goes out before anything is waited for (E11).
            if out.len() >= GATHERED || idle && !out.is_empty() {
                write(&out)?;
                out.clear();
            }
            if !more && open.is_empty() && out.is_empty() {
                return Ok(());
            }
            if !idle {
                continue;
            }
            if open.is_empty() {
                thread::park();
                continue;
            }
            thread::park_timeout(self.patience / 4);
            let late = |one: &Taken| one.since.elapsed() >= self.patience;
            if open.iter().any(late) {
                let trouble = (self.trouble)().unwrap_or_else(|| "it is not kept yet".to_owned());
                let waits = |one: Taken| {
                    let is_late = late(&one);
                    if is_late {
                        put(&mut out, &one.not_now(&trouble));
                    }
                    (!is_late).then_some(one)
                };
                open = std::mem::take(&mut open).into_iter().filter_map(waits).collect();
            }
        }
    }
}

fn put(out: &mut Vec<u8>, line: &str) {
    out.extend_from_slice(line.as_bytes());
    out.push(b'\n');
}

/// Wakes the thread that writes.
struct Bell(Thread);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use countermand::config::ExecutionConfig;
    use countermand::{Format, OutletTurn, Source};
    use countermand_wire::Limits;
    use serde_json::Value;

    use super::super::clerk::{Clerk, now};
    use super::*;
    use crate::alarms::Alarms;
    use crate::routing::{self, EMERGENCY};

    #[test]
    fn what_cannot_be_kept_is_told_so_and_what_is_behind_it_is_read() {
        let config = ExecutionConfig::default();
        let router = routing::router(&config.weatherlight, &config.telemetry).unwrap();
        let clerk = Clerk { router: router.clone(), limits: Limits::default(), alarms: Alarms::default() };
        let take = |number, level: &str| {
            let packet = format!(
                "{{\"packet_id\":\"{level}\",\"source_subsystem\":\"a\",\"level\":\"TELEMETRY_LEVEL_{level}\"}}"
            );
            clerk.take(Format::Json, number, packet.as_bytes(), Source::of("test"))
        };
        let (to, taken) = async_channel::unbounded();
        // More than are waited for at a time, and the alarm comes last. Nobody serves the ordinary outlet: nothing of that is ever kept.
        for number in 1..=3 {
            to.try_send(take(number, "INFO")).unwrap();
        }
        to.try_send(take(4, "CRITICAL")).unwrap();
        drop(to);
        let mut outlet = router.outlet(EMERGENCY).unwrap();
        let OutletTurn::Deliver(mut batch) = outlet.turn(now(), None) else { panic!("there is an alarm") };
        batch.acknowledge_rest();
        outlet.conclude(now(), Some(batch));

        let mut written = Vec::<Value>::new();
        let trouble = || Some("the disk is full".to_owned());
        let answers = Answers { window: 2, patience: Duration::from_millis(1), trouble: &trouble };
        let write = |bytes: &[u8]| {
            let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            written.extend(lines.map(|line| serde_json::from_slice::<Value>(line).unwrap()));
            Ok(())
        };
        answers.write(&taken, write).unwrap();
        written.sort_by_key(|answer| answer["number"].as_u64());
        assert_eq!(written.len(), 4);
        for answer in &written[..3] {
            assert_eq!((&answer["ok"], &answer["retry"]), (&false.into(), &true.into()));
            assert_eq!(answer["error"], "the disk is full");
        }
        assert_eq!((&written[3]["packet_id"], &written[3]["ok"]), (&"CRITICAL".into(), &true.into()));
    }
}

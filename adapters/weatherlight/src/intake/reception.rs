//! Attends to one connection: hears what it wants, takes its packets in, answers.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use async_channel::Sender as To;
use countermand::{CallContext, Format, Source};
use countermand_wire::Framing;

use super::answers::{Answers, PATIENCE as ANSWERED};
use super::census::Seat;
use super::channel::{Channel, Got};
use super::clerk::{Clerk, Taken, now, refusal};
use super::hello::{self, Door, Hello, Wish};
use crate::ask::Desk;
use crate::stop::{Ready, Stop};
use crate::tuned::{Dials, Tuned};

/// How much is read at a time.
const PIECE: usize = 64 << 10;

/// How long a connection may take for its first line.
const PATIENCE: Duration = Duration::from_secs(10);

/// After how many lines in a row that are no packets a connection is closed.
const NONSENSE: u32 = 100;

/// What one of these costs its sender, as if it had sent so many packets.
const PRICE: u64 = 100;

/// See the head of the file. A clone is the same reception.
#[derive(Clone, Debug)]
pub(crate) struct Reception {
    pub(crate) clerk: Clerk,
    pub(crate) desk: Arc<Desk>,
    pub(crate) tuned: Tuned,
}

/// How a stream of packets came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    /// The sender has no more.
    End,
    /// It was time to stop.
    Stopped,
    /// The sender was silent for too long.
    Silent,
    /// Nothing more can be found in it.
    Broken,
    /// It was all nonsense.
    Nonsense,
    /// The sender does not want its answers.
    Unheard,
}

impl Reception {
    /// Attends to a connection until it ends. Blocks this thread; it ends soon after the token of `cx` is cancelled, once what was read is
    /// answered.
    pub(crate) fn attend(&self, channel: Channel, door: &Door, seat: &Seat, cx: &CallContext) -> io::Result<()> {
        let mut channel = channel.ready()?;
        let stop = Stop::of(cx.token())?;
        let idle = self.tuned.read().idle;
        let mut begin = Vec::new();
        let (wish, used) = loop {
            match hello::read(&begin, door) {
                Hello::Wish(wish, used) => break (wish, used),
                Hello::Refused(why) => return turn_away(channel, why, false),
                Hello::More => {}
            }
            let mut piece = [0; 512];
            match channel.read(&mut piece, &stop, PATIENCE.min(idle))? {
                Got::Bytes(bytes) => begin.extend_from_slice(&piece[..bytes]),
                Got::End | Got::Stopped => return Ok(()),
                Got::TimedOut => return turn_away(channel, "the first line did not come", true),
            }
        };
        begin.drain(..used);
        match wish {
            Wish::Ask => self.desk.answer(channel, begin, &stop, idle),
            Wish::Send(format) => {
                let answers = channel.another()?;
                let mut hear = |into: &mut [u8]| channel.read(into, &stop, idle);
                self.exchange(format, begin, &mut hear, answers, &stop, seat)?;
                channel.close();
                Ok(())
            }
        }
    }

    fn exchange(
        &self,
        format: Format,
        begin: Vec<u8>,
        hear: &mut dyn FnMut(&mut [u8]) -> io::Result<Got>,
        mut answers: Channel,
        stop: &Stop,
        seat: &Seat,
    ) -> io::Result<StreamEnd> {
        let Dials { unanswered: window, idle, .. } = self.tuned.read();
        let (to, taken) = async_channel::bounded(window);
        thread::scope(|scope| {
            let writer = move || {
                let trouble = || self.desk.store.journal.trouble();
                let writer = Answers { window, patience: ANSWERED, trouble: &trouble };
                let written = writer.write(&taken, |bytes| answers.write(bytes, idle));
                if written.is_err() {
                    // Whoever reads is woken by that, and does not go on for nothing.
                    answers.close();
                }
                written
            };
            let writer = thread::Builder::new().name("weatherlight-answers".to_owned()).spawn_scoped(scope, writer)?;
            let end = self.listen(format, begin, hear, &to, stop, seat);
            drop(to);
            // What is wrong with the other end is told by the reader as well, if it is worth telling.
            let _ = writer.join();
            end
        })
    }

    /// Takes in what comes until it ends, and gives what is to be answered to `to`.
    pub(crate) fn listen(
        &self,
        format: Format,
        begin: Vec<u8>,
        hear: &mut dyn FnMut(&mut [u8]) -> io::Result<Got>,
        to: &To<Taken>,
        stop: &Stop,
        seat: &Seat,
    ) -> io::Result<StreamEnd> {
        let mut framing = Framing::new(format, self.clerk.limits.bytes);
        let from = Source::of("weatherlight.intake");
        let mut nonsense = 0;
        let mut buffer = vec![0; PIECE];
        let mut length = begin.len().min(PIECE);
        // The beginning is shorter than the longest first line, which is shorter than a piece.
        buffer[..length].copy_from_slice(&begin[..length]);
        loop {
            let mut piece = &buffer[..length];
            let (mut packets, bytes) = (0, length as u64);
            while let Some(frame) = framing.next(&mut piece) {
                let (taken, last) = match frame {
                    Ok(frame) => (self.clerk.take(format, frame.number, frame.bytes, from), false),
                    Err(error) => (self.clerk.broken(format, &error, from), error.is_last()),
                };
                let bad = taken.fault.is_some();
                nonsense = if bad { nonsense + 1 } else { 0 };
                packets += if bad { PRICE } else { 1 };
                if to.send_blocking(taken).is_err() {
                    return Ok(StreamEnd::Unheard);
                }
                if last {
                    return Ok(StreamEnd::Broken);
                }
                if nonsense >= NONSENSE {
                    return Ok(StreamEnd::Nonsense);
                }
                if stop.is_due() {
                    return Ok(StreamEnd::Stopped);
                }
            }
            let wait = seat.came(now(), packets, bytes);
            if !wait.is_zero() && stop.rest(wait)? == Ready::Stopped {
                return Ok(StreamEnd::Stopped);
            }
            match hear(&mut buffer)? {
                Got::Bytes(bytes) => length = bytes,
                Got::Stopped => return Ok(StreamEnd::Stopped),
                Got::TimedOut => return Ok(StreamEnd::Silent),
                Got::End => break,
            }
        }
        match framing.finish() {
            None => {}
            Some(Ok(frame)) => drop(to.send_blocking(self.clerk.take(format, frame.number, frame.bytes, from))),
            Some(Err(error)) => drop(to.send_blocking(self.clerk.broken(format, &error, from))),
        }
        Ok(StreamEnd::End)
    }
}

/// Tells a connection why it is not let in.
pub(crate) fn turn_away(mut channel: Channel, why: &str, retry: bool) -> io::Result<()> {
    let mut line = refusal(why, retry);
    line.push('\n');
    // Whoever does not listen is not waited for.
    let written = channel.write(line.as_bytes(), Duration::ZERO);
    channel.close();
    written
}

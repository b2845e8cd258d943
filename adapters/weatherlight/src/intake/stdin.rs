//! Standard input, answered on standard output.

use std::io::{self, Write as _, stdin, stdout};
use std::thread;
use std::time::Duration;

use countermand::{CallContext, Format};

use super::answers::{Answers, PATIENCE};
use super::census::Seat;
use super::channel::Got;
use super::reception::{Reception, StreamEnd};
use crate::stop::{Ready, Stop};

impl Reception {
    /// Takes in what comes on standard input until it ends, or until the job is cancelled. Blocks this thread.
    ///
    /// # Errors
    ///
    /// What the system says of either, in words.
    pub(crate) fn stdin(&self, format: Format, seat: &Seat, cx: &CallContext) -> Result<StreamEnd, String> {
        let stop = Stop::of(cx.token()).map_err(|error| error.to_string())?;
        let window = self.tuned.read().unanswered;
        let (to, taken) = async_channel::bounded(window);
        let mut hear = |into: &mut [u8]| read(into, &stop);
        let end = thread::scope(|scope| {
            let write = |bytes: &[u8]| {
                let mut out = stdout().lock();
                out.write_all(bytes)?;
                out.flush()
            };
            let writer = move || {
                let trouble = || self.desk.store.journal.trouble();
                Answers { window, patience: PATIENCE, trouble: &trouble }.write(&taken, write)
            };
            let writer = thread::Builder::new().name("weatherlight-answers".to_owned()).spawn_scoped(scope, writer)?;
            let end = self.listen(format, Vec::new(), &mut hear, &to, &stop, seat);
            drop(to);
            match writer.join() {
                Ok(Ok(())) | Err(_) => end,
                Ok(Err(error)) => Err(io::Error::new(error.kind(), format!("standard output: {error}"))),
            }
        });
        end.map_err(|error| error.to_string())
    }
}

fn read(into: &mut [u8], stop: &Stop) -> io::Result<Got> {
    // Whoever types has all the time that there is.
    match stop.readable(stdin(), None::<Duration>)? {
        Ready::Stopped => return Ok(Got::Stopped),
        Ready::TimedOut => return Ok(Got::TimedOut),
        Ready::Go => {}
    }
    // Not through the buffer of `stdin()`: what is in there cannot be waited for.
    match rustix::io::read(stdin(), into)? {
        0 => Ok(Got::End),
        bytes => Ok(Got::Bytes(bytes)),
    }
}

//! Whether somebody still listens who follows a stream.

use std::future::Future;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use crate::intake::Channel;
use crate::stop::{Either, Stop};

/// See the head of the file.
#[derive(Debug)]
pub(crate) struct Watch<'s> {
    stop: &'s Stop,
    gone: Channel,
}

impl<'s> Watch<'s> {
    /// Over the other end of `gone`, until `stop` is due.
    pub(super) const fn new(stop: &'s Stop, gone: Channel) -> Self {
        Self { stop, gone }
    }

    /// Waits for `more`, or for the end of whoever listens.
    ///
    /// # Returns
    ///
    /// Whether the end came.
    pub(super) fn until(&self, more: impl Future<Output = ()>) -> io::Result<bool> {
        // One wait for both: what comes into the journal is said on a pair of sockets of its own.
        let (heard, said) = UnixStream::pair()?;
        let bell = Waker::from(Arc::new(Bell(said)));
        let mut more = pin!(more);
        while more.as_mut().poll(&mut Context::from_waker(&bell)).is_pending() {
            match self.stop.either(&heard, &self.gone)? {
                Either::First => (&heard).read(&mut [0; 64]).map(drop)?,
                Either::Second | Either::Stopped => return Ok(true),
            }
        }
        Ok(self.stop.is_due())
    }
}

/// Wakes a thread that waits for files.
struct Bell(UnixStream);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        // A full pipe has been rung already.
        let _ = self.0.set_nonblocking(true).and_then(|()| (&self.0).write(&[0]));
    }
}

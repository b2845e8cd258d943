//! A TCP connection as hyper wants it, on a thread that may block: every wait ends at a time.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Read, ReadBufCursor, Write};

/// See the head of the file.
///
/// Reading and writing block this thread, which has nothing else to do; so nothing is ever pending, and one whole exchange takes no longer
/// than its limit, however slowly the other end speaks.
#[derive(Debug)]
pub(crate) struct Exchange {
    stream: TcpStream,
    until: Instant,
}

impl Exchange {
    /// This connection, for so long.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn new(stream: TcpStream, limit: Duration) -> std::io::Result<Self> {
        stream.set_nonblocking(false)?;
        Ok(Self { stream, until: Instant::now() + limit })
    }

    fn left(&self) -> std::io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(std::io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Exchange {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, mut into: ReadBufCursor<'_>) -> Poll<std::io::Result<()>> {
        let this = self.get_mut();
        let mut piece = [0; 4_096];
        let most = into.remaining().min(piece.len());
        let read = this.left().and_then(|left| {
            this.stream.set_read_timeout(Some(left))?;
            this.stream.read(&mut piece[..most])
        });
        Poll::Ready(read.map(|bytes| into.put_slice(&piece[..bytes])))
    }
}

impl Write for Exchange {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let this = self.get_mut();
        Poll::Ready(this.left().and_then(|left| {
            this.stream.set_write_timeout(Some(left))?;
            this.stream.write(bytes)
        }))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(self.stream.shutdown(Shutdown::Write))
    }
}

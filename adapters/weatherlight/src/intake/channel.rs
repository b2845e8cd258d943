//! A connection as bytes both ways, whatever it is made of.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::stop::{self, Ready, Stop};

/// See the head of the file. Reading and writing wait no longer than they are told.
#[derive(Debug)]
pub(crate) enum Channel {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// What a read came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Got {
    /// So many bytes.
    Bytes(usize),
    /// The other end sends no more.
    End,
    /// It is time to stop.
    Stopped,
    /// Nothing came in time.
    TimedOut,
}

impl Channel {
    /// Ready to be waited for.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn ready(self) -> io::Result<Self> {
        match &self {
            Self::Unix(stream) => stream.set_nonblocking(true)?,
            Self::Tcp(stream) => {
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
            }
        }
        Ok(self)
    }

    /// The same connection for another thread.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn another(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Unix(stream) => Self::Unix(stream.try_clone()?),
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
        })
    }

    /// Reads what there is, or waits for it.
    ///
    /// # Errors
    ///
    /// What the system says of the connection.
    pub(crate) fn read(&mut self, into: &mut [u8], stop: &Stop, limit: Duration) -> io::Result<Got> {
        loop {
            match stop.readable(&*self, Some(limit))? {
                Ready::Stopped => return Ok(Got::Stopped),
                Ready::TimedOut => return Ok(Got::TimedOut),
                Ready::Go => {}
            }
            let read = match self {
                Self::Unix(stream) => stream.read(into),
                Self::Tcp(stream) => stream.read(into),
            };
            match read {
                Ok(0) => return Ok(Got::End),
                Ok(bytes) => return Ok(Got::Bytes(bytes)),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes all of it, or fails when the other end has not read for so long.
    ///
    /// # Errors
    ///
    /// What the system says of the connection; `TimedOut`.
    pub(crate) fn write(&mut self, mut bytes: &[u8], limit: Duration) -> io::Result<()> {
        while !bytes.is_empty() {
            let wrote = match self {
                Self::Unix(stream) => stream.write(bytes),
                Self::Tcp(stream) => stream.write(bytes),
            };
            match wrote {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(wrote) => bytes = &bytes[wrote..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if stop::writable(&*self, limit)? == Ready::TimedOut {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Ends both ways. The other end sees that nothing more comes.
    pub(crate) fn close(&self) {
        // It may be closed already.
        let _ = match self {
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Unix(stream) => stream.as_fd(),
            Self::Tcp(stream) => stream.as_fd(),
        }
    }
}

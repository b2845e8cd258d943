//! Waits for input, or for the end, whichever comes first.

use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use countermand::{Registration, Token};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// What a wait came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    /// There is something to read, or room to write; or the other end has gone, which reading and writing tell.
    Go,
    /// The token was cancelled.
    Stopped,
    /// The time is out.
    TimedOut,
}

/// Which of two a wait was ended by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Either {
    /// The first has something to read.
    First,
    /// The second has.
    Second,
    /// The token was cancelled.
    Stopped,
}

/// A token that a thread can wait for together with a file: it neither polls by the clock nor is stuck in a read when the end comes.
#[derive(Debug)]
pub(crate) struct Stop {
    token: Token,
    /// Closed from the other side when the token is cancelled, and so readable from then on.
    heard: UnixStream,
    called: Option<Registration>,
}

impl Stop {
    /// Hears of the cancellation of `token`.
    ///
    /// # Errors
    ///
    /// If the system gives no pair of sockets.
    pub(crate) fn of(token: &Token) -> io::Result<Self> {
        let (heard, said) = UnixStream::pair()?;
        let called = token.on_cancel(move |_| {
            // It can only have been closed already.
            let _ = said.shutdown(Shutdown::Both);
        });
        Ok(Self { token: token.clone(), heard, called: Some(called) })
    }

    /// Whether the end has come.
    pub(crate) fn is_due(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits until there is something to read. The end comes first.
    ///
    /// # Errors
    ///
    /// What the system says of `file`.
    pub(crate) fn readable(&self, file: impl AsFd, limit: Option<Duration>) -> io::Result<Ready> {
        self.wait(file.as_fd(), PollFlags::IN, limit)
    }

    /// Waits until one of two has something to read. The end comes first.
    ///
    /// # Errors
    ///
    /// What the system says of them.
    pub(crate) fn either(&self, first: impl AsFd, second: impl AsFd) -> io::Result<Either> {
        let mut all = [
            PollFd::new(&self.heard, PollFlags::IN),
            PollFd::new(&first, PollFlags::IN),
            PollFd::new(&second, PollFlags::IN),
        ];
        wait_for(&mut all, None)?;
        Ok(match all.map(|file| file.revents().is_empty()) {
            [false, ..] => Either::Stopped,
            [_, false, _] => Either::First,
            _ => Either::Second,
        })
    }

    /// Waits for so long, or for the end.
    ///
    /// # Errors
    ///
    /// What the system says of waiting.
    pub(crate) fn rest(&self, duration: Duration) -> io::Result<Ready> {
        wait_for(&mut [PollFd::new(&self.heard, PollFlags::IN)], Some(duration))
            .map(|ready| if ready == Ready::Go { Ready::Stopped } else { ready })
    }

    fn wait(&self, file: BorrowedFd<'_>, what: PollFlags, limit: Option<Duration>) -> io::Result<Ready> {
        let mut both = [PollFd::new(&self.heard, PollFlags::IN), PollFd::from_borrowed_fd(file, what)];
        let ready = wait_for(&mut both, limit)?;
        if both[0].revents().is_empty() { Ok(ready) } else { Ok(Ready::Stopped) }
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        // Else the token keeps the other side.
        self.called.take().map(Registration::unregister);
    }
}

/// Waits until there is room to write, without an end.
///
/// # Errors
///
/// What the system says of `file`.
pub(crate) fn writable(file: impl AsFd, limit: Duration) -> io::Result<Ready> {
    wait_for(&mut [PollFd::new(&file, PollFlags::OUT)], Some(limit))
}

/// An interruption by a signal is no end of a wait.
fn wait_for(files: &mut [PollFd<'_>], limit: Option<Duration>) -> io::Result<Ready> {
    // Beyond the clock counts as without limit (D8).
    let until = limit.and_then(|limit| Instant::now().checked_add(limit));
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(files, left.as_ref()) {
            Ok(0) => return Ok(Ready::TimedOut),
            Ok(_) => return Ok(Ready::Go),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn input_wakes_and_the_end_comes_before_it() {
        let token = Token::new();
        let stop = Stop::of(&token).unwrap();
        let (mut far, near) = UnixStream::pair().unwrap();
        assert_eq!(stop.readable(&near, Some(Duration::ZERO)).unwrap(), Ready::TimedOut);
        assert_eq!(writable(&near, Duration::ZERO).unwrap(), Ready::Go);
        far.write_all(b"a").unwrap();
        assert_eq!(stop.readable(&near, None).unwrap(), Ready::Go);
        token.cancel();
        assert_eq!(stop.readable(&near, None).unwrap(), Ready::Stopped);
        assert_eq!(stop.rest(Duration::MAX).unwrap(), Ready::Stopped);
    }

    #[test]
    fn the_end_wakes_whoever_waits() {
        let token = Token::new();
        let stop = Stop::of(&token).unwrap();
        let (_far, near) = UnixStream::pair().unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| stop.readable(&near, None).unwrap());
            token.cancel();
            assert_eq!(waiting.join().unwrap(), Ready::Stopped);
        });
    }
}

//! Answers a sender: a line for each packet, as soon as it is known what became of it.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;

use async_channel::Receiver;
use futures::executor::block_on;
use futures::stream::{FuturesUnordered, Stream as _};

use super::clerk::Taken;

/// How many bytes of answers are gathered before they are written.
const GATHERED: usize = 16 << 10;

/// Writes the answers to all that comes from `taken`, until nothing more comes and everything is answered. Blocks this thread.
///
/// Answers come in the order in which packets become durable: an alarm is not answered later because of an ordinary packet before it. No
/// more than `window` are waited for at a time.
///
/// # Errors
///
/// What `write` says. What was not answered then is kept or not, and its sender does not know: it sends it again.
pub(crate) fn write_answers(
    taken: &Receiver<Taken>,
    window: usize,
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut open = FuturesUnordered::new();
    let mut taken = pin!(taken.clone());
    let mut out = Vec::with_capacity(GATHERED);
    let mut more = true;
    block_on(poll_fn(|cx| {
        loop {
            let mut idle = true;
            while more && open.len() < window {
                match taken.as_mut().poll_next(cx) {
                    Poll::Ready(Some(one)) => {
                        open.push(Taken::answer(one));
                        idle = false;
                    }
                    Poll::Ready(None) => more = false,
                    Poll::Pending => break,
                }
            }
            while let Poll::Ready(Some(answered)) = Pin::new(&mut open).poll_next(cx) {
                out.extend_from_slice(answered.line().as_bytes());
                out.push(b'\n');
                idle = false;
                if out.len() >= GATHERED {
                    break;
                }
            }
            // Whatever is there goes out before anything is waited for (E11).
            if out.len() >= GATHERED || idle && !out.is_empty() {
                if let Err(error) = write(&out) {
                    return Poll::Ready(Err(error));
                }
                out.clear();
            }
            if !more && open.is_empty() && out.is_empty() {
                return Poll::Ready(Ok(()));
            }
            if idle {
                return Poll::Pending;
            }
        }
    }))
}

//! Takes packets in: by the Unix socket, by TCP, from standard input.

mod answers;
mod census;
mod channel;
mod clerk;
mod doors;
mod hello;
mod pace;
mod reception;
mod stdin;

pub(crate) use census::{Census, Limits as SenderLimits, Sender};
pub(crate) use channel::{Channel, Got};
pub(crate) use clerk::{Clerk, Taken, now};
pub(crate) use doors::{Entrance, loopback};
pub(crate) use hello::{Door, MAGIC};
pub(crate) use pace::PaceLimit;
pub(crate) use reception::Reception;

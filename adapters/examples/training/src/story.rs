//! Tells on standard output what happens, with the time on the play's clock.

use std::fmt;

use crate::clock::Clock;

/// See the head of the file.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    clock: Clock,
}

impl Story {
    pub(crate) fn new(clock: &Clock) -> Self {
        Self { clock: clock.clone() }
    }

    /// Tells what somebody does.
    pub(crate) fn tell(&self, who: &str, what: impl fmt::Display) {
        let millis = self.clock.now().as_nanos() / 1_000_000;
        println!("{millis:>4} ms  {who:<8} {what}");
    }
}

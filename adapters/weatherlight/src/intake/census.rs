//! Who is connected, and how many connections each has.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countermand::Instant;

use super::pace::{Pace, PaceLimit};

/// Whoever sends, as far as the system knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sender {
    /// A process at the Unix socket.
    Process(i32),
    /// An address at the TCP port.
    Address(IpAddr),
    /// Standard input.
    Stdin,
}

/// Counts the connections of one door. A clone is the same census.
#[derive(Clone)]
pub(crate) struct Census {
    /// As they are now.
    limits: Arc<dyn Fn() -> Limits + Send + Sync>,
    senders: Arc<Mutex<HashMap<Sender, Known>>>,
}

/// How many connections there are at the most, and how fast each sender is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) all: usize,
    pub(crate) each: usize,
    pub(crate) pace: PaceLimit,
}

#[derive(Debug)]
struct Known {
    connections: usize,
    pace: Arc<Mutex<Pace>>,
}

/// A connection that was let in. Dropping it makes room for another.
#[derive(Debug)]
pub(crate) struct Seat {
    census: Census,
    sender: Sender,
    /// Shared by all connections of its sender.
    pace: Arc<Mutex<Pace>>,
}

impl Census {
    /// Nobody is connected. `limits` says each time what they are.
    pub(crate) fn new(limits: impl Fn() -> Limits + Send + Sync + 'static) -> Self {
        Self { limits: Arc::new(limits), senders: Arc::default() }
    }

    /// Lets a connection in.
    ///
    /// # Errors
    ///
    /// Why there are too many.
    pub(crate) fn enter(&self, sender: Sender) -> Result<Seat, &'static str> {
        let limits = (self.limits)();
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = senders.values().map(|known| known.connections).sum();
        if all >= limits.all {
            return Err("there are too many connections");
        }
        let known = senders.entry(sender).or_insert_with(|| Known { connections: 0, pace: Arc::default() });
        if known.connections >= limits.each {
            return Err("this sender has too many connections");
        }
        known.connections += 1;
        Ok(Seat { census: self.clone(), sender, pace: known.pace.clone() })
    }
}

impl Seat {
    /// So much came from the sender of this connection at `now`.
    ///
    /// # Returns
    ///
    /// How long nothing is read now; zero if it was not too much.
    pub(crate) fn came(&self, now: Instant, packets: u64, bytes: u64) -> Duration {
        let limit = (self.census.limits)().pace;
        self.pace.lock().unwrap_or_else(PoisonError::into_inner).came(limit, now, packets, bytes)
    }
}

impl fmt::Debug for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Census").field("limits", &(self.limits)()).finish_non_exhaustive()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut senders = self.census.senders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = senders.get_mut(&self.sender) {
            known.connections -= 1;
            if known.connections == 0 {
                senders.remove(&self.sender);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sender_does_not_take_the_seats_of_the_others() {
        let pace = PaceLimit { packets: None, bytes: None };
        let census = Census::new(move || Limits { all: 3, each: 2, pace });
        let seats: Vec<Seat> = (0..2).map(|_| census.enter(Sender::Process(1)).unwrap()).collect();
        assert_eq!(census.enter(Sender::Process(1)).unwrap_err(), "this sender has too many connections");
        let other = census.enter(Sender::Process(2)).unwrap();
        assert!(Arc::ptr_eq(&seats[0].pace, &seats[1].pace) && !Arc::ptr_eq(&seats[0].pace, &other.pace));
        assert_eq!(census.enter(Sender::Process(3)).unwrap_err(), "there are too many connections");
        drop(seats);
        assert!(census.enter(Sender::Process(3)).is_ok());
        drop(other);
        assert!(census.senders.lock().unwrap().is_empty());
    }
}

//! The way to the committer: bounded, CRITICAL in a lane of its own, taken out in groups.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use event_listener::Event;

use crate::command::Command;
use crate::{JournalConfig, JournalError};

/// The way to the committer.
pub(crate) struct Queue {
    lanes: Mutex<Lanes>,
    /// Rung when something was put in, or when it was closed.
    ready: Condvar,
    /// Rung when something was taken out, or when it was closed.
    room: Event,
    places: usize,
    most: (usize, usize),
    max_age: Duration,
}

#[derive(Default)]
struct Lanes {
    urgent: VecDeque<Command>,
    ordinary: VecDeque<Command>,
    /// Packets and bytes in both.
    size: (usize, usize),
    /// Something in it waits for nobody.
    hurried: bool,
    /// Since when something has been waiting.
    since: Option<Instant>,
    closed: bool,
}

/// What was taken out.
pub(crate) struct Taken {
    pub(crate) commands: Vec<Command>,
    /// Nothing will come any more.
    pub(crate) closed: bool,
}

impl Queue {
    pub(crate) fn new(config: &JournalConfig) -> Self {
        Self {
            lanes: Mutex::default(),
            ready: Condvar::new(),
            room: Event::new(),
            places: config.queue.max(1),
            most: (config.max_batch.max(1), config.max_batch_bytes.max(1)),
            max_age: config.max_age,
        }
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a command in, as soon as there is a place.
    ///
    /// # Cancellation
    ///
    /// Dropped before it resolves, it has put nothing in.
    pub(crate) async fn push(&self, command: Command) -> Result<(), JournalError> {
        let mut command = Some(command);
        loop {
            if self.try_push(&mut command)? {
                return Ok(());
            }
            let room = self.room.listen();
            if self.try_push(&mut command)? {
                return Ok(());
            }
            room.await;
        }
    }

    fn try_push(&self, command: &mut Option<Command>) -> Result<bool, JournalError> {
        let mut lanes = self.lanes();
        if lanes.closed {
            return Err(JournalError::Closed);
        }
        let urgent = command.as_ref().is_some_and(Command::is_urgent);
        let lane = if urgent { &mut lanes.urgent } else { &mut lanes.ordinary };
        if lane.len() >= self.places {
            return Ok(false);
        }
        if let Some(command) = command.take() {
            let ((packets, bytes), patient) = (command.size(), command.is_patient());
            lane.push_back(command);
            lanes.size = (lanes.size.0 + packets, lanes.size.1 + bytes);
            lanes.hurried |= !patient;
            lanes.since.get_or_insert_with(Instant::now);
        }
        drop(lanes);
        self.ready.notify_one();
        Ok(true)
    }

    /// Takes out what there is, once it is to be committed: something hurries, there is a full batch, or the oldest has its age (E11). At
    /// `deadline` it comes back in any case.
    pub(crate) fn take(&self, deadline: Option<Instant>) -> Taken {
        let mut lanes = self.lanes();
        loop {
            let full = lanes.size.0 >= self.most.0 || lanes.size.1 >= self.most.1;
            if lanes.closed || lanes.hurried || full {
                break;
            }
            let due = lanes.since.map(|since| since + self.max_age).or(deadline);
            let left = due.map(|due| due.saturating_duration_since(Instant::now()));
            lanes = match left {
                Some(Duration::ZERO) => break,
                Some(left) => self.ready.wait_timeout(lanes, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.ready.wait(lanes).unwrap_or_else(PoisonError::into_inner),
            };
        }
        let commands = lanes.group(self.most);
        let closed = lanes.closed && lanes.urgent.is_empty() && lanes.ordinary.is_empty();
        drop(lanes);
        self.room.notify(usize::MAX);
        Taken { commands, closed }
    }

    pub(crate) fn close(&self) {
        self.lanes().closed = true;
        self.ready.notify_all();
        self.room.notify(usize::MAX);
    }
}

impl Lanes {
    /// The next commands for one commit: what is CRITICAL first, at most `most` packets and bytes, but one command in any case.
    fn group(&mut self, most: (usize, usize)) -> Vec<Command> {
        let (mut commands, mut packets, mut bytes) = (Vec::new(), 0, 0);
        while packets < most.0 && bytes < most.1 {
            let Some(command) = self.urgent.pop_front().or_else(|| self.ordinary.pop_front()) else { break };
            let size = command.size();
            (packets, bytes) = (packets + size.0, bytes + size.1);
            commands.push(command);
        }
        self.size = (self.size.0 - packets, self.size.1 - bytes);
        let left = self.urgent.len() + self.ordinary.len();
        // What was left behind has waited for a commit already.
        self.hurried = left > 0;
        self.since = if left > 0 { self.since } else { None };
        commands
    }
}

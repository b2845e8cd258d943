//! The committer: the one thread that writes. It makes many changes durable with one sync, and answers only then (E6).

mod decline;

use std::sync::Arc;
use std::time::{Duration, Instant};

use redb::{Database, Durability};

use crate::change::Change;
use crate::command::Command;
use crate::fault::Fault;
use crate::open::{Opened, reopen};
use crate::recent::Recent;
use crate::reserve::Reserve;
use crate::shared::{Published, Shared};
use crate::state::State;

/// How many records are removed, and how many expire, with one commit.
const TIDY_STEP: usize = 1024;

/// The one thread that writes.
pub(crate) struct Committer {
    shared: Arc<Shared>,
    state: Arc<State>,
    recent: Recent,
    reserve: Option<Reserve>,
    trouble: Option<Trouble>,
    tidied: Instant,
}

/// Why nothing can be written, and when it is tried again.
struct Trouble {
    text: String,
    full: bool,
    again: Instant,
    wait: Duration,
}

impl Committer {
    /// The committer of a journal that was just opened.
    pub(crate) fn new(shared: Arc<Shared>, opened: Opened) -> Self {
        let Opened { database, state, recent, reserve, trouble } = opened;
        // Nobody else has it yet.
        let _ = shared.store.replace(|| Ok((database, ())));
        let tidied = Instant::now();
        let mut committer = Self { shared, state: Arc::new(state), recent, reserve, trouble: None, tidied };
        if let Some(fault) = trouble {
            committer.reopen();
            committer.postpone(&fault);
        }
        committer.publish();
        committer
    }

    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        loop {
            let taken = self.shared.queue.take(self.deadline());
            if !taken.commands.is_empty() {
                self.serve(taken.commands);
            } else if self.trouble.is_some() && self.is_due() && self.waits() {
                self.try_again();
            }
            if self.tidied.elapsed() >= self.shared.config.tidy_every && self.trouble.is_none() {
                self.tidy();
            }
            if taken.closed {
                break;
            }
        }
        self.shared.store.close();
    }

    /// When there is something to do without being asked.
    fn deadline(&self) -> Option<Instant> {
        // Not in a circle, whatever the configuration says.
        const LEAST: Duration = Duration::from_millis(1);
        match &self.trouble {
            Some(trouble) if self.waits() => Some(trouble.again.max(Instant::now() + LEAST)),
            Some(_) => None,
            None => self.tidied.checked_add(self.shared.config.tidy_every),
        }
    }

    fn is_due(&self) -> bool {
        self.trouble.as_ref().is_none_or(|trouble| trouble.again <= Instant::now())
    }

    fn serve(&mut self, mut commands: Vec<Command>) {
        if self.is_due() {
            let mut done = self.attempt(&mut commands);
            if let Err(fault) = &done {
                let full = fault.is_full();
                self.reopen();
                // A fault that has gone with the old database is nobody's concern.
                if !full && self.trouble.is_none() {
                    done = self.attempt(&mut commands);
                    if done.is_err() {
                        self.reopen();
                    }
                }
            }
            match done {
                Ok(()) => {
                    self.trouble = None;
                    self.publish();
                    commands.into_iter().for_each(acknowledge);
                    return;
                }
                Err(fault) => self.postpone(&fault),
            }
        }
        for command in commands {
            self.decline(command);
        }
        self.publish();
    }

    /// Makes these durable, with what waits in the reserve before them.
    fn attempt(&mut self, commands: &mut [Command]) -> Result<(), Fault> {
        let Self { shared, recent, reserve, .. } = self;
        let state = shared.store.with(|database| {
            commit(database, &shared.config, recent, |change| {
                for entry in reserve.iter().flat_map(Reserve::waiting) {
                    change.append_placed(entry)?;
                }
                commands.iter_mut().try_for_each(|command| command.apply(change))
            })
        })?;
        if let Some(state) = state {
            self.state = Arc::new(state);
        }
        match &mut self.reserve {
            Some(reserve) => reserve.clear(),
            // There was no room for it when the journal was opened.
            None if self.trouble.is_some() && self.shared.config.reserve > 0 => {
                let Shared { disk, config, .. } = &*self.shared;
                self.reserve = Reserve::open(&**disk, config.reserve, self.state.next).ok();
            }
            None => {}
        }
        Ok(())
    }

    /// Without being asked: moves the reserve into the file, opens the file again, makes the reserve that could not be made.
    fn try_again(&mut self) {
        match self.attempt(&mut []) {
            Ok(()) => self.trouble = None,
            Err(fault) => {
                self.reopen();
                self.postpone(&fault);
            }
        }
        self.publish();
    }

    /// Whether there is something to do as soon as the file can be written again, and not only when the next append comes.
    fn waits(&self) -> bool {
        let waiting = self.reserve.as_ref().is_some_and(|reserve| !reserve.waiting().is_empty());
        waiting || self.shared.store.read(|_| Ok(())).is_err()
    }

    /// After any fault the database is opened anew: it does not write again by itself, and what it had in memory may not be what is in the file.
    fn reopen(&mut self) {
        let Shared { store, disk, config, .. } = &*self.shared;
        // What was remembered of the change that came to nothing must not pass for known: it would be acknowledged.
        self.recent = Recent::default();
        if let Ok((state, recent)) = store.replace(|| reopen(disk, config)) {
            self.state = Arc::new(state);
            self.recent = recent;
        }
    }

    fn postpone(&mut self, fault: &Fault) {
        let config = &self.shared.config;
        let wait = self.trouble.as_ref().map_or(config.retry, |trouble| (trouble.wait * 2).min(config.retry_most));
        let full = fault.is_full() || self.trouble.as_ref().is_some_and(|trouble| trouble.full);
        let place = self.shared.disk.place();
        let text = if full { format!("disk full: {place}") } else { format!("{place}: {}", fault.text()) };
        self.trouble = Some(Trouble { text, full, again: Instant::now() + wait, wait });
    }

    fn tidy(&mut self) {
        self.tidied = Instant::now();
        let Self { shared, recent, .. } = self;
        let mut more = false;
        let done = shared.store.with(|database| {
            commit(database, &shared.config, recent, |change| {
                more = change.tidy(&shared.config, TIDY_STEP)?;
                Ok(())
            })
        });
        match done {
            Ok(Some(state)) => {
                self.state = Arc::new(state);
                self.publish();
            }
            Ok(None) => {}
            Err(fault) => {
                self.reopen();
                self.postpone(&fault);
                self.publish();
            }
        }
        if more {
            // The next step comes right after what waits now.
            self.tidied = self.tidied.checked_sub(self.shared.config.tidy_every).unwrap_or(self.tidied);
        }
    }

    fn publish(&self) {
        let waiting = self.reserve.as_ref().map_or(&[][..], Reserve::waiting);
        self.shared.publish(Published {
            state: self.state.clone(),
            reserved: waiting.len() as u64,
            trouble: self.trouble.as_ref().map(|trouble| trouble.text.clone()),
        });
    }
}

/// One transaction; `None` if it would have changed nothing.
fn commit(
    database: &Database,
    config: &crate::JournalConfig,
    recent: &mut Recent,
    work: impl FnOnce(&mut Change<'_>) -> Result<(), Fault>,
) -> Result<Option<State>, Fault> {
    let mut transaction = database.begin_write()?;
    if mutant!(AcknowledgesBeforeTheSync) {
        let _ = transaction.set_durability(Durability::None);
    }
    let mut change = Change::open(&transaction, recent, config)?;
    work(&mut change)?;
    if !change.is_one() {
        drop(change);
        transaction.abort()?;
        return Ok(None);
    }
    let state = change.finish()?;
    transaction.commit()?;
    Ok(Some(state))
}

fn acknowledge(command: Command) {
    match command {
        Command::Append(append) => append.acknowledge(),
        Command::Operate(operation) => operation.finish(Ok(())),
    }
}

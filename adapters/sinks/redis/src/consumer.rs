//! The consumer: takes entries out of the streams, and acknowledges what is durable.

use std::fmt;
use std::future::Future;

use countermand_core::{Refusal, Stream};

use crate::desk::Desk;
use crate::group::Group;
use crate::{Backlog, ConsumerConfig, Entry, Fault, Turn, trim};

/// One consumer of a group: takes each entry of the streams to a handler, in order, at least once.
///
/// A turn deals first with what is older: entries that this consumer had when it ended, and those that another one has had for longer than
/// [`ConsumerConfig::min_idle`]. Then it reads new ones, the emergency stream first. Each entry is examined before it is handled; one that
/// is not whole, or whose signature is not right, goes into the stream of dead letters, with the reason, its first name and all its fields.
///
/// ```no_run
/// # use countermand_redis::{ConsumerConfig, Fault, RedisConfig, RedisConsumer};
/// # async fn once(config: ConsumerConfig) -> Result<(), Fault> {
/// let mut consumer = RedisConsumer::new(config)?;
/// let turn = consumer.turn(|entry| async move {
///     println!("{}: {}", entry.label.id, entry.label.source);
///     Ok(())
/// });
/// println!("{:?}", turn.await?);
/// # Ok(())
/// # }
/// ```
///
/// # Implementation notes
///
/// It is stepped, and has neither a task nor a clock of its own: how often to try a server that is away, and when to end, is for its owner.
pub struct RedisConsumer {
    group: Group,
    /// The most urgent first.
    desks: Vec<Desk>,
}

impl RedisConsumer {
    /// A consumer. It is not connected yet; the groups are made in its first turn.
    ///
    /// # Errors
    ///
    /// [`Fault::Setting`] names what cannot be.
    pub fn new(config: ConsumerConfig) -> Result<Self, Fault> {
        let desks = config.streams.iter().copied().map(Desk::new).collect();
        Ok(Self { group: Group::new(config)?, desks })
    }

    /// One turn: everything that is pending, then a page of what is new. If there is nothing at all, it waits for something,
    /// for [`ConsumerConfig::block`] at the most.
    ///
    /// The handler answers `Ok` when the entry is as safe as it ever will be: only then it is acknowledged. [`Refusal::Later`] leaves it
    /// pending: it comes again in the next turn, and until then nothing of the same source and priority, and nothing new of its stream.
    /// [`Refusal::Never`] makes it a dead letter. The same packet may come twice, also in two entries; its
    /// [`Label::id`](countermand_core::Label::id) is the same.
    ///
    /// # Errors
    ///
    /// What went wrong first. What could be done was done all the same. Nothing is lost: go on with the next turn, after a while.
    ///
    /// # Panics
    ///
    /// If the handler does. The entry stays pending.
    ///
    /// # Cancellation
    ///
    /// Dropping the future loses nothing. Entries that the handler has answered are acknowledged at the begin of the next turn; the others
    /// come again.
    pub async fn turn<H, F>(&mut self, mut handle: H) -> Result<Turn, Fault>
    where
        H: FnMut(Entry) -> F,
        F: Future<Output = Result<(), Refusal>>,
    {
        let mut turn = Turn::default();
        let mut fault = None;
        for desk in &mut self.desks {
            if let Err(why) = desk.earlier(&self.group, &mut handle, &mut turn, &mut fault).await {
                desk.leave();
                fault.get_or_insert(why);
            }
        }
        let wait = fault.is_none() && turn.is_idle();
        if let Err(why) = self.unread(wait, &mut handle, &mut turn, &mut fault).await {
            fault.get_or_insert(why);
        }
        if turn.handled > 0
            && let Some(keep) = self.group.config.keep_emergency
            && let Err(why) = trim::trim(&self.group, keep).await
        {
            fault.get_or_insert(why);
        }
        fault.map_or(Ok(turn), Err)
    }

    /// How much of a stream this group has not acknowledged yet.
    ///
    /// # Errors
    ///
    /// Why it is not known.
    ///
    /// # Cancellation
    ///
    /// Dropping the future changes nothing.
    pub async fn backlog(&self, stream: Stream) -> Result<Backlog, Fault> {
        self.group.create(stream).await?;
        Backlog::of(&self.group, stream).await
    }

    async fn unread<H, F>(
        &mut self,
        wait: bool,
        handle: &mut H,
        turn: &mut Turn,
        fault: &mut Option<Fault>,
    ) -> Result<(), Fault>
    where
        H: FnMut(Entry) -> F,
        F: Future<Output = Result<(), Refusal>>,
    {
        let mut clear: Vec<&mut Desk> = self.desks.iter_mut().filter(|desk| desk.is_clear()).collect();
        if clear.is_empty() {
            return Ok(());
        }
        clear.iter_mut().for_each(|desk| desk.expect());
        let streams: Vec<Stream> = clear.iter().map(|desk| desk.stream).collect();
        let mut found = match self.group.unread(&streams, wait).await {
            Ok(found) => found,
            Err(why) => {
                // Perhaps the server has lost its memory, and the groups with it.
                clear.iter_mut().for_each(|desk| desk.leave());
                return Err(why);
            }
        };
        for desk in clear {
            let place = found.iter().position(|(stream, _)| *stream == desk.stream);
            let entries = place.map(|place| found.swap_remove(place).1).unwrap_or_default();
            if let Err(why) = desk.later(&self.group, entries, handle, turn, fault).await {
                desk.leave();
                fault.get_or_insert(why);
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RedisConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConsumer").field("config", &self.group.config).field("desks", &self.desks).finish()
    }
}

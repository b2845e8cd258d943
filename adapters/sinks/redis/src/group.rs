//! The commands of a consumer group.

use countermand_core::Stream;
use redis::{Cmd, cmd};

use crate::fields::name;
use crate::link::Link;
use crate::reply::{self, RawEntry};
use crate::{ConsumerConfig, EntryId, Fault, Signer};

/// One consumer of a group, as the server knows it.
pub(crate) struct Group {
    pub(crate) config: ConsumerConfig,
    pub(crate) signer: Option<Signer>,
    pub(crate) link: Link,
    /// Of its own, since whatever else is sent over it would wait as well.
    blocking: Link,
}

impl Group {
    pub(crate) fn new(config: ConsumerConfig) -> Result<Self, Fault> {
        config.check()?;
        let patience = config.redis.response_timeout;
        let link = Link::new(&config.redis, patience)?;
        let blocking = Link::new(&config.redis, patience.saturating_add(config.block))?;
        let signer = Signer::new(config.redis.signing_key.clone());
        Ok(Self { config, signer, link, blocking })
    }

    pub(crate) fn name(&self, stream: Stream) -> &str {
        self.config.redis.stream(stream)
    }

    /// Makes the group, and the stream, if they are not there: it sees the stream from its start.
    pub(crate) async fn create(&self, stream: Stream) -> Result<(), Fault> {
        let mut create = cmd("XGROUP");
        create.arg("CREATE").arg(self.name(stream)).arg(&self.config.group).arg("0").arg("MKSTREAM");
        match self.link.ask_one(create).await {
            Err(fault) if !fault.is("BUSYGROUP") => Err(fault),
            _ => Ok(()),
        }
    }

    /// Takes over, from `cursor` on, some of what others have had for too long. Where to go on, or 0-0, and how many there were.
    pub(crate) async fn claim(&self, stream: Stream, cursor: EntryId) -> Result<(EntryId, usize), Fault> {
        let idle = u64::try_from(self.config.min_idle.as_millis()).unwrap_or(u64::MAX >> 1);
        let mut claim = self.command("XAUTOCLAIM", stream);
        claim
            .arg(&self.config.consumer)
            .arg(idle)
            .arg(cursor.to_string())
            .arg("COUNT")
            .arg(self.config.page)
            .arg("JUSTID");
        reply::claimed(self.link.ask_one(claim).await?)
    }

    /// A page of what this consumer has and has not acknowledged, behind `after`.
    pub(crate) async fn pending(&self, stream: Stream, after: EntryId) -> Result<Vec<RawEntry>, Fault> {
        let mut read = self.read();
        read.arg("STREAMS").arg(self.name(stream)).arg(after.to_string());
        let mut found = reply::streams(self.link.ask_one(read).await?)?;
        match (found.pop(), found.is_empty()) {
            (None, _) => Ok(Vec::new()),
            (Some((name, entries)), true) if name == self.name(stream) => Ok(entries),
            _ => Err(Fault::Nonsense("entries of other streams than were asked for".into())),
        }
    }

    /// What nobody of the group has read yet, a page of each of these streams; with `wait`, as soon as there is something.
    pub(crate) async fn unread(&self, streams: &[Stream], wait: bool) -> Result<Vec<(Stream, Vec<RawEntry>)>, Fault> {
        let mut read = self.read();
        if wait {
            read.arg("BLOCK").arg(u64::try_from(self.config.block.as_millis()).unwrap_or(u64::MAX >> 1));
        }
        read.arg("STREAMS");
        for stream in streams {
            read.arg(self.name(*stream));
        }
        for _ in streams {
            read.arg(">");
        }
        let found = reply::streams(self.blocking.ask_one(read).await?)?;
        let known = |name: &str| streams.iter().copied().find(|stream| self.name(*stream) == name);
        let named = found.into_iter().map(|(name, entries)| {
            let stream = known(&name).ok_or_else(|| Fault::Nonsense("a stream that was not asked for".into()))?;
            Ok((stream, entries))
        });
        named.collect()
    }

    pub(crate) async fn acknowledge(&self, stream: Stream, ids: &[EntryId]) -> Result<(), Fault> {
        let mut acknowledge = self.command("XACK", stream);
        for id in ids {
            acknowledge.arg(id.to_string());
        }
        // It counts those that were pending; one that somebody else has acknowledged is not among them.
        reply::count(&self.link.ask_one(acknowledge).await?).map(drop)
    }

    /// Writes a dead letter: why, of which entry, and all that was in it.
    ///
    /// The entry itself is acknowledged after this, not in one transaction with it: a transaction goes on after a command that failed, and would
    /// acknowledge what is nowhere. The other way round there can be two letters of one entry.
    pub(crate) async fn bury(&self, stream: Stream, entry: RawEntry, reason: &str) -> Result<(), Fault> {
        let mut bury = cmd("XADD");
        bury.arg(self.config.redis.dead_stream(stream)).arg("*");
        bury.arg(name::DEAD_REASON).arg(reason);
        bury.arg(name::DEAD_STREAM).arg(self.name(stream));
        bury.arg(name::DEAD_ENTRY).arg(entry.id.to_string());
        bury.arg(name::DEAD_CONSUMER).arg(&self.config.consumer);
        for (name, value) in entry.fields.into_iter().flatten() {
            bury.arg(name).arg(value);
        }
        reply::entry_id(&self.link.ask_one(bury).await?).map(drop)
    }

    /// A command on a stream and this group.
    pub(crate) fn command(&self, command: &str, stream: Stream) -> Cmd {
        let mut command = cmd(command);
        command.arg(self.name(stream)).arg(&self.config.group);
        command
    }

    fn read(&self) -> Cmd {
        let mut read = cmd("XREADGROUP");
        read.arg("GROUP").arg(&self.config.group).arg(&self.config.consumer).arg("COUNT").arg(self.config.page);
        read
    }
}

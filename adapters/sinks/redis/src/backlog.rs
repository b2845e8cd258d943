//! How far a group is behind.

use countermand_core::Stream;
use redis::{Value, cmd};

use crate::group::Group;
use crate::{EntryId, Fault, reply};

/// How many entries are counted at once, where the server does not know.
const PAGE: usize = 1_000;

/// How far a group is behind in a stream. The length of the stream says nothing about that: what was acknowledged stays in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backlog {
    /// Entries that nobody of the group has read.
    pub unread: u64,
    /// Entries that some consumer of the group has read and not acknowledged.
    pub pending: u64,
}

impl Backlog {
    /// Both together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.unread + self.pending
    }

    pub(crate) async fn of(group: &Group, stream: Stream) -> Result<Self, Fault> {
        let groups = groups(group, stream).await?;
        let own = groups.iter().find(|found| found.name == group.config.group);
        let own = own.ok_or_else(|| Fault::Refused { code: "NOGROUP".into(), detail: "the group is gone".into() })?;
        let unread = match own.lag {
            Some(lag) => lag,
            None => count_behind(group, stream, own.last).await?,
        };
        Ok(Self { unread, pending: own.pending })
    }
}

/// What the server says of one group.
pub(crate) struct GroupInfo {
    pub(crate) name: String,
    pub(crate) pending: u64,
    /// The last entry that it has read.
    pub(crate) last: EntryId,
    /// How many it has not; sometimes the server has lost count.
    lag: Option<u64>,
}

/// All groups of a stream.
pub(crate) async fn groups(group: &Group, stream: Stream) -> Result<Vec<GroupInfo>, Fault> {
    let mut ask = cmd("XINFO");
    ask.arg("GROUPS").arg(group.name(stream));
    let found = reply::list(group.link.ask_one(ask).await?, "groups")?;
    found.into_iter().map(|info| read(&reply::list(info, "a group")?)).collect()
}

fn read(info: &[Value]) -> Result<GroupInfo, Fault> {
    let find = |name| reply::find(info, name).ok_or_else(|| Fault::Nonsense(format!("a group without {name:?}")));
    let name = reply::text(find("name")?).ok_or_else(|| Fault::Nonsense("a group without a name".into()))?.to_owned();
    // Servers before 7.0 have no `lag`.
    let lag = match reply::find(info, "lag") {
        None | Some(Value::Nil) => None,
        Some(lag) => Some(reply::count(lag)?),
    };
    let last = reply::entry_id(find("last-delivered-id")?)?;
    Ok(GroupInfo { name, pending: reply::count(find("pending")?)?, last, lag })
}

/// Counts the entries behind `after`, page by page.
async fn count_behind(group: &Group, stream: Stream, mut after: EntryId) -> Result<u64, Fault> {
    let mut counted = 0;
    loop {
        let mut range = cmd("XRANGE");
        range.arg(group.name(stream)).arg(format!("({after}")).arg("+").arg("COUNT").arg(PAGE);
        let entries = reply::entries(group.link.ask_one(range).await?)?;
        counted += entries.len() as u64;
        match entries.last() {
            Some(last) if last.id > after && entries.len() >= PAGE => after = last.id,
            _ => return Ok(counted),
        }
    }
}

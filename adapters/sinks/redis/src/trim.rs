//! What of the emergency stream nobody needs any more.

use countermand_core::Stream;
use redis::{Value, cmd};

use crate::backlog::{GroupInfo, groups};
use crate::group::Group;
use crate::{EntryId, Fault, reply};

/// Trims the emergency stream to about `keep` entries, but for what some group has not acknowledged (E4). How many are gone.
///
/// Entries only ever get older than the floor: a group reads in order, so what is before both its last entry and its first pending one
/// is acknowledged, and stays so.
pub(crate) async fn trim(group: &Group, keep: u64) -> Result<u64, Fault> {
    let stream = Stream::Emergency;
    let mut ask = cmd("XLEN");
    ask.arg(group.name(stream));
    let spare = reply::count(&group.link.ask_one(ask).await?)?.saturating_sub(keep);
    // A limit of 0 means none to the server.
    if spare == 0 {
        return Ok(0);
    }
    let Some(floor) = floor(group, stream).await? else { return Ok(0) };
    let mut trim = cmd("XTRIM");
    trim.arg(group.name(stream)).arg("MINID").arg("~").arg(floor.to_string()).arg("LIMIT").arg(spare);
    reply::count(&group.link.ask_one(trim).await?)
}

/// The first entry that must stay; `None` if there is no group that has read anything.
async fn floor(group: &Group, stream: Stream) -> Result<Option<EntryId>, Fault> {
    let mut floor = None;
    for info in groups(group, stream).await? {
        let own = first_unacknowledged(group, stream, &info).await?;
        floor = Some(floor.map_or(own, |floor: EntryId| floor.min(own)));
    }
    Ok(floor)
}

async fn first_unacknowledged(group: &Group, stream: Stream, info: &GroupInfo) -> Result<EntryId, Fault> {
    if info.pending == 0 {
        return Ok(info.last);
    }
    let mut ask = cmd("XPENDING");
    ask.arg(group.name(stream)).arg(&info.name);
    let pending = reply::list(group.link.ask_one(ask).await?, "what is pending")?;
    match pending.get(1) {
        // All of it was acknowledged in the meantime.
        Some(Value::Nil) => Ok(info.last),
        Some(first) => reply::entry_id(first),
        None => Err(Fault::Nonsense("a list that is too short for what is pending".into())),
    }
}

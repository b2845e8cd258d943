//! How a journal keeps what it is given.

use std::time::Duration;

use crate::WallTime;

/// How a journal keeps what it is given.
///
/// ```
/// let mut config = countermand_journal::JournalConfig::default();
/// config.retention_bytes = Some(64 << 20);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JournalConfig {
    /// How many packets at most become durable with one sync.
    pub max_batch: usize,
    /// How many bytes of packets at most do.
    pub max_batch_bytes: usize,
    /// How long a single packet waits at most for others to become durable with it (E11). Whole batches and CRITICAL packets do not wait.
    pub max_age: Duration,
    /// How many appends and how many other requests may wait to be committed. Who comes then waits for a place; CRITICAL has as many of its own.
    pub queue: usize,
    /// How many bytes a packet may take. A larger one is refused for good. At most 32 MiB.
    pub largest_packet: usize,
    /// How many packets are remembered after they were taken in, so that one that comes again is acknowledged and not kept twice. 0 for none.
    pub remember: usize,
    /// Records that all have read are removed when they are so old.
    pub retention_age: Option<Duration>,
    /// The oldest records that all have read are removed while the records take more than so many bytes. The file does not shrink; it is used again.
    pub retention_bytes: Option<u64>,
    /// Records that are not CRITICAL count as expired for those who have not read them when they are so old.
    pub time_to_live: Option<Duration>,
    /// How often it is looked whether something is to be removed.
    pub tidy_every: Duration,
    /// How many bytes lie ready for CRITICAL packets when the disk is full (E13). 0 for none.
    pub reserve: u64,
    /// How many bytes of the file are kept in memory.
    pub cache: usize,
    /// The whole file is checked when it is opened. Without, damage is noticed only after an end that was not clean, or when it is read.
    pub check: bool,
    /// After a commit that failed, how long until the next is tried. It doubles each time, up to [`retry_most`](Self::retry_most).
    pub retry: Duration,
    /// The longest time until a commit is tried again.
    pub retry_most: Duration,
    /// The time of day for what is taken in.
    pub clock: fn() -> WallTime,
}

impl Default for JournalConfig {
    /// A day's telemetry of a busy machine: 1 GiB or a week, a reserve of 1 MiB.
    fn default() -> Self {
        const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
        Self {
            max_batch: 4096,
            max_batch_bytes: 8 << 20,
            max_age: Duration::from_millis(1),
            queue: 256,
            largest_packet: 1 << 20,
            remember: 65_536,
            retention_age: Some(WEEK),
            retention_bytes: Some(1 << 30),
            time_to_live: Some(WEEK),
            tidy_every: Duration::from_secs(1),
            reserve: 1 << 20,
            cache: 32 << 20,
            check: true,
            retry: Duration::from_millis(100),
            retry_most: Duration::from_secs(5),
            clock: WallTime::now,
        }
    }
}

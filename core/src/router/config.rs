//! How a router is set up.

use alloc::borrow::Cow;
use core::fmt;
use core::num::NonZeroU32;
use core::time::Duration;

use super::breaker::BreakerConfig;
use super::rate::Rate;
use crate::{Priority, Source, Stream};

/// How much may wait for one outlet, of one priority. Priorities do not lend each other room (E15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Room {
    /// How many packets.
    pub packets: u32,
    /// How many bytes, as their labels say.
    pub bytes: u64,
}

impl Room {
    /// So many packets, and no more than so many bytes.
    #[must_use]
    pub const fn new(packets: u32, bytes: u64) -> Self {
        Self { packets, bytes }
    }
}

/// How a router is set up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RouterConfig {
    /// Under which name the router reports on itself.
    pub source: Source,
    /// How much may wait for each outlet, by [`Priority::index`]. So the memory of a router is bounded at any rate (E16).
    pub rooms: [Room; Priority::COUNT],
    /// How long a packet that is not CRITICAL is worth delivering; `None` is for ever.
    pub ttl: Option<Duration>,
    /// At how many packets that wait in the normal stream what is HIGH goes to the emergency stream instead, behind what is CRITICAL and in rooms of
    /// its own. `None`, the default, is never, as E2 has it: this is for services whose alarms were set up like that before, and
    /// packets of one source then may come in two streams.
    pub high_overflow: Option<NonZeroU32>,
    /// How often the router tells what it shed, and what else is wrong, at the most.
    pub report_every: Duration,
    /// Of how many sources it tells one by one what was shed; the rest are told together.
    pub sources: usize,
}

impl Default for RouterConfig {
    /// Room for 4,096 packets of each priority, HIGH 8,192 and NORMAL 16,384; 16 MiB each, NORMAL 32 MiB. A packet is worth delivering for
    /// 15 minutes. A report every 10 s, on 64 sources.
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        Self {
            source: Source::of("countermand.router"),
            rooms: [
                Room::new(4_096, 16 * MIB),
                Room::new(16_384, 32 * MIB),
                Room::new(8_192, 16 * MIB),
                Room::new(4_096, 16 * MIB),
            ],
            ttl: Some(Duration::from_secs(900)),
            high_overflow: None,
            report_every: Duration::from_secs(10),
            sources: 64,
        }
    }
}

/// What an outlet takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a packet is in a stream or a dead letter")]
pub enum Takes {
    /// The packets of a stream.
    Stream(Stream),
    /// What other outlets' sinks will never take.
    DeadLetters,
}

/// How long a refused packet waits before it is tried again: longer each time, with some chance in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// At first.
    pub least: Duration,
    /// At the most.
    pub most: Duration,
}

impl Backoff {
    /// From so long to so long.
    #[must_use]
    pub const fn new(least: Duration, most: Duration) -> Self {
        Self { least, most }
    }
}

impl Default for Backoff {
    /// From 100 ms to 30 s.
    fn default() -> Self {
        Self::new(Duration::from_millis(100), Duration::from_secs(30))
    }
}

/// How an outlet delivers what it takes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OutletConfig {
    /// Its name, in figures and reasons.
    pub name: Cow<'static, str>,
    /// What it takes.
    pub takes: Takes,
    /// Its sink is durable: what it has acknowledged survives. A receipt is ready when such an outlet has the packet (E6), and CRITICAL packets
    /// are taken in as long as these have room, whatever the others do (E9).
    pub keeps: bool,
    /// Each packet is kept elsewhere, as by the journal that it comes from: so repeats may be told together though no outlet of this router keeps them.
    pub kept_elsewhere: bool,
    /// How many packets a batch has at the most.
    pub batch: usize,
    /// How long a packet that is not CRITICAL may wait for its batch to fill (E11). Zero: not at all; while one batch is out the next
    /// one gathers anyway.
    pub linger: Duration,
    /// How long a sink may take for a batch; afterwards it counts as refused for now, and the delivery is dropped.
    pub patience: Duration,
    /// How often a packet that is not CRITICAL is tried before it is a dead letter. CRITICAL ones are tried for ever.
    pub attempts: u32,
    /// How long it waits after a refusal.
    pub backoff: Backoff,
    /// When it lets the sink alone. Each priority has a breaker of its own (E15).
    pub breaker: BreakerConfig,
    /// How many packets of each priority it delivers in a time. Above the rate of CRITICAL, repeats are told together, if there is an outlet that keeps each
    /// of them; an outlet that keeps has no rate for CRITICAL.
    pub rates: [Option<Rate>; Priority::COUNT],
}

impl OutletConfig {
    /// An outlet for packets of this stream, with batches of 256, 30 s of patience, 8 attempts and no rates.
    pub fn new(name: impl Into<Cow<'static, str>>, stream: Stream) -> Self {
        Self {
            name: name.into(),
            takes: Takes::Stream(stream),
            keeps: false,
            kept_elsewhere: false,
            batch: 256,
            linger: Duration::ZERO,
            patience: Duration::from_secs(30),
            attempts: 8,
            backoff: Backoff::default(),
            breaker: BreakerConfig::default(),
            rates: [None; Priority::COUNT],
        }
    }

    /// An outlet for dead letters, tried until they are taken.
    pub fn dead_letters(name: impl Into<Cow<'static, str>>) -> Self {
        Self { takes: Takes::DeadLetters, ..Self::new(name, Stream::Normal) }
    }

    /// Says that its sink is durable.
    #[must_use]
    pub fn keeps(mut self) -> Self {
        self.keeps = true;
        self
    }
}

/// Why a router cannot be made as it was set up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouterError {
    /// No outlet takes the packets of this stream.
    NoOutlet(Stream),
    /// Two outlets have this name.
    SameName(Cow<'static, str>),
    /// Two outlets take dead letters.
    TwoForDeadLetters,
    /// A setting that cannot be, by its name.
    Zero(&'static str),
}

impl fmt::Display for RouterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoOutlet(stream) => write!(f, "no outlet takes the {stream} stream"),
            Self::SameName(name) => write!(f, "two outlets are named {name:?}"),
            Self::TwoForDeadLetters => f.write_str("two outlets take dead letters; they would each have half of them"),
            Self::Zero(setting) => write!(f, "{setting} is 0: nothing would ever be delivered"),
        }
    }
}

impl core::error::Error for RouterError {}

impl RouterConfig {
    pub(super) fn check(&self, outlets: &[OutletConfig]) -> Result<(), RouterError> {
        if let Some(stream) = Stream::ALL.into_iter().find(|stream| !takes(outlets, Takes::Stream(*stream))) {
            return Err(RouterError::NoOutlet(stream));
        }
        for (index, outlet) in outlets.iter().enumerate() {
            if outlets[..index].iter().any(|other| other.name == outlet.name) {
                return Err(RouterError::SameName(outlet.name.clone()));
            }
            if outlet.batch == 0 {
                return Err(RouterError::Zero("batch"));
            }
        }
        if outlets.iter().filter(|outlet| outlet.takes == Takes::DeadLetters).count() > 1 {
            return Err(RouterError::TwoForDeadLetters);
        }
        if self.rooms.iter().any(|room| room.packets == 0 || room.bytes == 0) {
            return Err(RouterError::Zero("room"));
        }
        Ok(())
    }
}

fn takes(outlets: &[OutletConfig], what: Takes) -> bool {
    outlets.iter().any(|outlet| outlet.takes == what)
}

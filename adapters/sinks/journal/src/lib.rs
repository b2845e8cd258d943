//! A durable journal for telemetry, in one file: what was acknowledged survives a kill at any point.
//!
//! [`Journal::open`] is the way in. Packets come in through a [`JournalSink`] or [`Journal::append`]; many are committed with one sync, and each
//! is answered only after that (E6). They go out through a named [`Consumer`], which begins again where it was, or through
//! [`Journal::tail`], which only looks. What nobody would have is kept as a [`DeadLetter`] until somebody takes it (E14).
//!
//! ```
//! use countermand_core::{Format, Label, Level, PacketId, Payload, Stream};
//! use countermand_journal::{Journal, JournalConfig, WallTime};
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("telemetry.journal");
//! # futures_lite::future::block_on(async {
//! let (journal, recovery) = Journal::open(&path, JournalConfig::default())?;
//! assert!(recovery.is_clean());
//! let printer = journal.consumer("printer").await?;
//!
//! let label = Label::new(PacketId::new(7), "furnace".parse()?, Level::Critical);
//! let answer = journal.append(label, Payload::new(Format::Json, *b"{}")).await;
//! assert!(answer.is_ok());
//!
//! let entries = printer.next(Stream::Emergency, 10, WallTime::now())?;
//! assert_eq!(entries[0].label.source, "furnace");
//! printer.acknowledge(&[entries[0].sequence]).await?;
//! assert!(journal.ledger().balances());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! - `simulation`: a disk in memory that can be full, and that forgets at a crash what was not synced, for tests.
//! - `mutants`: defects, for the conformance suite alone. What it builds is wrong on purpose.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

/// Whether the named defect is switched on; `false`, and no code at all, in every build without the feature `mutants`.
macro_rules! mutant {
    ($name:ident) => {{
        #[cfg(feature = "mutants")]
        let on = countermand_core::mutant::is(countermand_core::mutant::Mutant::$name);
        #[cfg(not(feature = "mutants"))]
        let on = false;
        on
    }};
}

mod account;
mod append;
mod audit;
mod change;
mod codec;
mod command;
mod committer;
mod config;
mod consumer;
mod database;
mod dead_letter;
mod dead_sink;
mod disk;
mod error;
mod expiry;
mod fault;
mod files;
mod frame;
mod journal;
mod ledger;
mod letters;
mod open;
mod overlay;
mod queue;
mod reading;
mod recent;
mod record;
mod recovery;
mod repeated;
mod reserve;
mod salvage;
mod scan;
mod sequence;
mod settle;
mod shared;
#[cfg(feature = "simulation")]
mod simulation;
mod sink;
mod state;
mod tables;
mod trim;
mod verification;
mod wall_time;

pub use account::Account;
pub use config::JournalConfig;
pub use consumer::Consumer;
pub use dead_letter::DeadLetter;
pub use dead_sink::DeadLetterSink;
pub use disk::{Disk, FixedFile};
pub use error::JournalError;
pub use files::Files;
pub use journal::Journal;
pub use ledger::{DeadLetterAccount, JournalLedger};
pub use record::Entry;
pub use recovery::{Recovery, Salvage};
pub use redb::StorageBackend;
pub use repeated::Repeated;
pub use sequence::Sequence;
#[cfg(feature = "simulation")]
pub use simulation::{History, SimulatedDisk};
pub use sink::JournalSink;
pub use verification::Verification;
pub use wall_time::WallTime;

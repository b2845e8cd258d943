//! The semantics of cancellable work, for any host: token trees with cause and deadline, a bounded priority queue, and a
//! worker of lanes.
//!
//! # Features
//!
//! - `std` (default): contained panics, waiting without a runtime, locks of the operating system. Implies `alloc`.
//! - `alloc`: tokens, jobs, queue and worker. Without it there are tokens in their owners' memory ([`HeldToken`]), queues in place, shelf, timers, guard, packets as
//!   bytes; and without `std` the program has an implementation of `critical-section`.
//! - `critical-section`: targets without compare-and-swap.
//! - `serde`: identifiers, texts, words of telemetry and the types of the configuration are read and written.
//! - `defmt`: plain values are printed.
//! - `mutants`: defects, for the conformance suite alone. What it builds is wrong on purpose.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(all(feature = "alloc", not(target_has_atomic = "ptr")))]
compile_error!(
    "the feature `alloc` of countermand-core needs `alloc::sync::Arc`, which this target, without compare-and-swap, does not have"
);

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(all(test, countermand_loom, feature = "mutants"))]
pub(crate) use crate::loom::loom_defect;
#[cfg(all(test, countermand_loom))]
#[allow(unused_imports, reason = "a room may have no model yet")]
pub(crate) use crate::loom::{loom_model, loom_model_bounded};

/// Whether the named defect is switched on; `false`, and no code at all, in every build without the feature `mutants`.
macro_rules! mutant {
    ($name:ident) => {{
        #[cfg(feature = "mutants")]
        let on = $crate::mutant::is($crate::mutant::Mutant::$name);
        #[cfg(not(feature = "mutants"))]
        let on = false;
        on
    }};
}

#[cfg(feature = "alloc")]
mod assembly;
#[cfg(feature = "alloc")]
mod bell;
#[cfg(feature = "alloc")]
mod bits;
#[cfg(feature = "alloc")]
mod books;
mod cause;
#[cfg(feature = "alloc")]
mod clockwork;
pub mod config;
mod contain;
#[cfg(feature = "alloc")]
mod delivery;
mod discipline;
#[cfg(feature = "alloc")]
mod drive;
#[cfg(feature = "alloc")]
mod driver;
#[cfg(feature = "alloc")]
mod driver_port;
#[cfg(feature = "alloc")]
mod ending;
#[cfg(feature = "alloc")]
mod errand;
mod guard;
#[cfg(feature = "alloc")]
mod handle;
// All under one lock, which cannot be a model checker's: that lives for one execution. What is read without it is modelled by itself.
#[cfg(not(any(countermand_loom, countermand_shuttle)))]
mod held;
#[cfg(all(test, countermand_loom))]
mod held {
    mod why;
}
#[cfg(not(any(countermand_loom, countermand_shuttle)))]
mod held_router;
#[cfg(not(any(countermand_loom, countermand_shuttle)))]
mod held_worker;
mod histogram;
mod host;
#[cfg(feature = "alloc")]
mod id;
mod instant;
#[cfg(feature = "alloc")]
mod job;
#[cfg(feature = "alloc")]
mod keeper;
#[cfg(feature = "alloc")]
mod lane;
#[cfg(all(test, countermand_loom))]
mod loom;
#[cfg(feature = "alloc")]
mod metrics;
#[cfg(feature = "mutants")]
pub mod mutant;
#[cfg(feature = "alloc")]
mod observer;
#[cfg(feature = "std")]
mod origin;
mod outcome;
#[cfg(feature = "alloc")]
mod places;
#[cfg(feature = "alloc")]
mod policies;
#[cfg(feature = "alloc")]
mod port;
#[cfg(feature = "alloc")]
mod prefetch;
#[cfg(feature = "alloc")]
mod preflight;
mod priority;
pub mod priority_queue;
#[cfg(feature = "alloc")]
mod queue;
mod rejected;
#[cfg(any(all(feature = "std", not(any(countermand_loom, countermand_shuttle))), all(test, countermand_loom)))]
mod roster;
#[cfg(feature = "alloc")]
mod router;
#[cfg(feature = "alloc")]
mod scope;
#[cfg(feature = "alloc")]
mod shared;
mod shelf;
mod shutdown;
mod size;
#[cfg(feature = "alloc")]
mod slot;
#[cfg(feature = "serde")]
mod spelt;
#[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle))))]
mod spin;
mod step;
#[cfg(feature = "alloc")]
mod stock;
#[cfg(feature = "alloc")]
mod submit;
mod sync;
mod telemetry;
mod text;
#[cfg(feature = "alloc")]
mod timed;
mod timers;
#[cfg(feature = "alloc")]
mod token;
#[cfg(feature = "alloc")]
mod turn;
#[cfg(feature = "std")]
mod wait;
#[cfg(feature = "alloc")]
mod watchdog;
#[cfg(feature = "alloc")]
mod wind_down;
#[cfg(feature = "alloc")]
mod worker;

pub use cause::{Cause, CauseKind, Detail};
pub use config::FullPolicy;
pub use contain::Panic;
pub use discipline::{Discipline, Picker};
#[doc(hidden)]
pub use guard::__private;
pub use guard::{
    Allowed, BlueprintId, CheckId, Checked, Choice, DependencyPolicy, Guard, GuardCounts, IdError, IdFault, IdText,
    Identifier, KernelId, Knowledge, Known, Permission, PolicyError, PolicyFault, Prefetch, Presence, Present, Reason,
    Registry, RunId, SeedId, SubsystemId, TrainingRunId, Violation,
};
#[cfg(not(any(countermand_loom, countermand_shuttle)))]
pub use held::{HeldCallback, HeldCancelled, HeldGuard, HeldObserved, HeldObserver, HeldToken};
#[cfg(not(any(countermand_loom, countermand_shuttle)))]
pub use held_router::{HeldArrival, HeldPacket, HeldRouter};
#[cfg(not(any(countermand_loom, countermand_shuttle)))]
pub use held_worker::{
    HeldAsked, HeldCancelOnDrop, HeldContext, HeldCounts, HeldDriver, HeldEnd, HeldEvicts, HeldFallible, HeldFull,
    HeldGraced, HeldHandle, HeldJob, HeldLocal, HeldMade, HeldOrder, HeldPlain, HeldPolicy, HeldQueueLimited,
    HeldRefuses, HeldRun, HeldRunLimited, HeldShielded, HeldSleep, HeldStrict, HeldSubmit, HeldSubmitting, HeldUnder,
    HeldUrgent, HeldWaits, HeldWeighted, HeldWork, HeldWorker,
};
pub use histogram::{Histogram, SharedHistogram};
pub use host::{Alarm, Host, WouldDeadlock};
#[cfg(feature = "alloc")]
pub use host::{Call, Ended};
pub use instant::Instant;
pub use outcome::{Class, Outcome, Phase};
pub use priority::Priority;
pub use rejected::{RejectReason, Rejected};
pub use shelf::{Key, Shelf};
pub use shutdown::Shutdown;
#[cfg(feature = "alloc")]
pub use size::Heap;
pub use size::{Fixed, Size};
#[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle))))]
pub use spin::Spin;
pub use step::Step;
#[cfg(feature = "alloc")]
pub use telemetry::{Answer, Batch, DeadReason, Delivery, Format, Parcel, Payload, Refusal, Repeats, Sink};
pub use telemetry::{
    Event, Fate, HealthStatus, Intake, Label, Ledger, Level, NotAPacketId, PacketId, RefuseReason, Refused, Source,
    Stream, Subject, Urgency,
};
// The schema and its catalogue.
pub use telemetry::catalogue;
#[cfg(feature = "alloc")]
pub use telemetry::{
    Attributes, Coverage, Fallbacks, Health, JobEnd, JobReports, Metric, Packet, PacketEvent, Span, Words,
};
pub use telemetry::{
    BufferTooSmall, CommandCounts, EmptyId, HealthParts, HexId, PacketParts, SpanParts, Timestamp, Verification,
};
pub use text::{Text, TextTooLong};
pub use timers::{TimerKey, Timers};
#[cfg(feature = "alloc")]
pub use token::{Cancelled, CancelledOwned, DropGuard, Registration, RunUntilCancelled, Shield, Token, TokenObserver};
#[cfg(feature = "std")]
pub use wait::{WaitError, WaitReason};
#[cfg(feature = "alloc")]
pub use {
    assembly::Assembly,
    books::Counts,
    config::{ConfigError, Fault, WorkerConfig},
    drive::{Drive, TURN_BUDGET},
    driver::Driver,
    ending::Report,
    handle::Handle,
    id::JobId,
    job::context::{CallContext, JobContext, Shielded, Yield},
    job::sleep::{Elapsed, Interval, Sleep, Tick, Timeout},
    job::work::{Closure, Fallible, FallibleClosure, FallibleWith, Plain, PlainWith, Work},
    job::{Job, LatePolicy},
    keeper::Keeper,
    metrics::{Metrics, MetricsSnapshot, Sample},
    observer::{JobInfo, JobState, Kind, Observer, Settled},
    preflight::{Check, Cleared, Grounded, PlanError, PlanFault, Preflight, Skipped},
    router::{
        Backoff, BreakerConfig, Outlet, OutletConfig, OutletFigures, OutletTotals, OutletTurn, Rate, Receipt, Reporter,
        Room, Router, RouterConfig, RouterError, SourceFigures, Takes,
    },
    scope::{Scope, Scoped, ScopedSubmit},
    stock::{KeptMemory, kept_memory},
    submit::{Submit, SubmitResult},
    timed::TimedToken,
    worker::{ShutdownWait, Worker},
};

//! The countermand contract as code: every rule, on any host.
//!
//! An adapter author implements [`Examinee`] and writes `countermand_conformance::main!(MyHost);` for a program, or
//! `countermand_conformance::tests!(MyHost);` for one named test a rule. The rules and their texts stand in `RULES.md`.
//!
//! # Features
//!
//! All but the last are on by default.
//!
//! - `std`: threads, an allocator that counts, rules about threads, panics and calls. Without it, the rules that one thread and a heap can be examined by.
//! - `program`: what [`main!`] and [`tests!`] need.
//! - `hosts`: this project's own hosts, and the program that examines them.
//! - `config`, `journal`: the rules about the configuration, and about what is durable.
//! - `mutants`: defects, one at a time, so that the suite can show that it would see each.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(feature = "std"), allow(dead_code, reason = "what only rules about threads use"))]

#[cfg(not(feature = "std"))]
#[macro_use]
extern crate alloc;
// What rules call `std`; see `bare`.
#[cfg(not(feature = "std"))]
extern crate self as std;

#[cfg(not(feature = "std"))]
mod bare;
// For `ensure!`.
#[doc(hidden)]
#[cfg(not(feature = "std"))]
pub use alloc::format;
#[cfg(not(feature = "std"))]
#[allow(unused_imports, reason = "which of them rules use changes with the rules")]
use bare::{
    any, array, borrow, boxed, cell, cmp, collections, convert, fmt, future, hint, iter, marker, mem, num, ops, panic,
    pin, prelude, rc, sync, task, thread, time,
};
#[doc(hidden)]
#[cfg(feature = "std")]
pub use std::format;

#[cfg(not(feature = "std"))]
use bare::blocks::WaitReason;
#[cfg(feature = "std")]
use countermand_core::WaitReason;

mod bench;
#[cfg(feature = "program")]
mod board;
#[cfg(feature = "program")]
mod child;
#[cfg(feature = "program")]
mod contract;
mod examinee;
mod ground;
#[cfg(feature = "hosts")]
pub mod hosts;
#[cfg(not(feature = "std"))]
mod image;
#[cfg(any(feature = "program", not(feature = "std")))]
mod letter;
#[cfg(all(feature = "program", feature = "hosts", feature = "mutants"))]
mod liars;
#[cfg(all(feature = "program", feature = "mutants"))]
mod mutants;
#[cfg(feature = "std")]
mod nap;
mod patience;
#[cfg(all(feature = "program", feature = "mutants"))]
mod power;
mod probe;
mod profile;
#[cfg(feature = "program")]
#[doc(hidden)]
pub mod program;
#[cfg(feature = "std")]
mod race;
#[cfg(feature = "program")]
mod report;
mod rule;
mod rules;
#[cfg(feature = "program")]
mod runner;
#[cfg(feature = "program")]
mod script;
#[cfg(feature = "program")]
mod soak;
#[cfg(feature = "program")]
#[doc(hidden)]
pub mod tests;
#[cfg(feature = "program")]
mod verdict;
mod warped;

pub use bench::{Bench, DoomedWorker, poll};
#[cfg(feature = "std")]
pub use examinee::Candidate;
pub use examinee::{Doomed, Examinee};
pub use ground::SendFuture;
#[cfg(not(feature = "std"))]
pub use image::{Call, examine, lend_clock};
pub use probe::{Census, Death, Gate, Pass, Probe, Recorder, Tally, Touch};
pub use profile::Profile;
pub use rule::{Check, Flaw, LocalFuture, Rule};
pub use warped::{Clock, Pace, Warped, WarpedAlarm};

/// A complete `conformance` program for the examinees named. Also installs the allocator that counts.
#[cfg(feature = "program")]
#[macro_export]
macro_rules! main {
    ($($examinee:ty),+ $(,)?) => {
        #[global_allocator]
        static TALLY: $crate::Tally = $crate::Tally::new();

        fn main() -> ::std::process::ExitCode {
            $crate::program::main(&[$($crate::Candidate::of::<$examinee>()),+])
        }
    };
}

/// One named test a rule and examinee, for a test target with `harness = false`.
#[cfg(feature = "program")]
#[macro_export]
macro_rules! tests {
    ($($examinee:ty),+ $(,)?) => {
        #[global_allocator]
        static TALLY: $crate::Tally = $crate::Tally::new();

        fn main() -> ::std::process::ExitCode {
            $crate::tests::main(&[$($crate::Candidate::of::<$examinee>()),+])
        }
    };
}

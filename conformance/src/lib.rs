//! The countermand contract as code: every rule, on any host.
//!
//! An adapter author implements [`Examinee`] and writes `countermand_conformance::main!(MyHost);` for a program, or
//! `countermand_conformance::tests!(MyHost);` for one named test a rule. The rules and their texts stand in `RULES.md`.

mod bench;
mod child;
mod contract;
mod examinee;
#[cfg(feature = "hosts")]
pub mod hosts;
#[cfg(all(feature = "program", feature = "hosts", feature = "mutants"))]
mod liars;
#[cfg(all(feature = "program", feature = "mutants"))]
mod mutants;
mod nap;
mod patience;
#[cfg(all(feature = "program", feature = "mutants"))]
mod power;
mod probe;
mod profile;
#[cfg(feature = "program")]
#[doc(hidden)]
pub mod program;
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
mod warped;

pub use bench::{Bench, DoomedWorker, poll};
pub use examinee::{Candidate, Doomed, Examinee, SendFuture};
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

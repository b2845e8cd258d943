//! The rules, one file a group, and the register of them all.

#[cfg(feature = "std")]
mod call;
#[cfg(feature = "std")]
mod captive;
#[cfg(feature = "config")]
mod configuration;
mod context;
mod crew;
mod deadline;
mod drops;
#[cfg(feature = "std")]
mod guard;
mod job;
#[cfg(feature = "journal")]
mod journal;
mod kit;
mod lane;
#[cfg(feature = "std")]
mod panic;
mod queue;
mod scene;
mod shutdown;
#[cfg(feature = "std")]
mod telemetry;
mod token;
mod tree;

use crate::Rule;

/// All rules that the program knows, in the order of the contract.
pub(crate) fn all() -> impl Iterator<Item = &'static Rule> {
    let groups = [
        token::RULES,
        tree::RULES,
        deadline::RULES,
        job::RULES,
        queue::RULES,
        shutdown::RULES,
        #[cfg(feature = "std")]
        call::RULES,
        #[cfg(feature = "std")]
        panic::RULES,
        lane::RULES,
        context::RULES,
        drops::RULES,
        #[cfg(feature = "std")]
        telemetry::RULES,
        #[cfg(feature = "journal")]
        journal::RULES,
        #[cfg(feature = "std")]
        guard::RULES,
        #[cfg(feature = "config")]
        configuration::RULES,
    ];
    groups.into_iter().flatten()
}

//! The rules, one file a group, and the register of them all.

mod call;
mod captive;
#[cfg(feature = "config")]
mod configuration;
mod context;
mod crew;
mod deadline;
mod drops;
mod guard;
mod job;
#[cfg(feature = "journal")]
mod journal;
mod kit;
mod lane;
mod panic;
mod queue;
mod scene;
mod shutdown;
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
        call::RULES,
        panic::RULES,
        lane::RULES,
        context::RULES,
        drops::RULES,
        telemetry::RULES,
        #[cfg(feature = "journal")]
        journal::RULES,
        guard::RULES,
        #[cfg(feature = "config")]
        configuration::RULES,
    ];
    groups.into_iter().flatten()
}

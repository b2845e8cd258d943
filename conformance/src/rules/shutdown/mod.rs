//! Group S: shutdown.

mod abort;
mod again;
mod books;
mod close;
mod drain;
#[cfg(feature = "std")]
mod in_a_poll;
mod runtime;
mod vanish;

use crate::rule::rules;

use abort::{s3_abort_asks_then_drops, s4_drain_limit_turns_into_abort};
use again::s5_idempotent_and_never_relaxes;
use books::s7_the_counts_add_up;
use close::s1_closed_accepts_nothing_more;
use drain::s2_drain_lets_every_job_settle;
use vanish::s6_no_waiter_hangs_when_the_worker_is_gone;

rules! {
    "S1" s1_closed_accepts_nothing_more;
    "S2" s2_drain_lets_every_job_settle;
    "S3" s3_abort_asks_then_drops;
    "S4" s4_drain_limit_turns_into_abort;
    "S5" s5_idempotent_and_never_relaxes;
    "S6" s6_no_waiter_hangs_when_the_worker_is_gone;
    "S7" s7_the_counts_add_up;
}

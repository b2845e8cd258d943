//! Group L: lanes and drivers.

mod bound;
#[cfg(feature = "std")]
mod held;
#[cfg(feature = "std")]
mod idle;
mod liveness;
mod timers;
mod turns;
mod wakes;

use crate::rule::rules;

use bound::l1_never_more_in_a_poll_than_lanes;
#[cfg(feature = "std")]
use held::l3_a_held_driver_stops_no_other;
#[cfg(feature = "std")]
use idle::l4_idle_costs_nothing;
use liveness::l6_all_jobs_finish_without_a_shutdown;
use turns::l2_turns_come_within_a_bound;
use wakes::l5_no_wake_is_lost_and_late_ones_are_harmless;

rules! {
    "L1" l1_never_more_in_a_poll_than_lanes;
    "L2" l2_turns_come_within_a_bound;
    #[cfg(feature = "std")]
    "L3" l3_a_held_driver_stops_no_other, needs threads;
    #[cfg(feature = "std")]
    "L4" l4_idle_costs_nothing;
    "L5" l5_no_wake_is_lost_and_late_ones_are_harmless;
    "L6" l6_all_jobs_finish_without_a_shutdown;
}

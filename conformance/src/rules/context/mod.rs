//! Group C: context, that is where one is and what time it is.

#[cfg(feature = "std")]
mod anywhere;
#[cfg(feature = "std")]
mod blocking;
mod objects;
mod threads;
mod time;

use crate::rule::rules;

#[cfg(feature = "std")]
use anywhere::c1_every_call_works_anywhere;
#[cfg(feature = "std")]
use blocking::c3_a_blocking_wait_goes_on_or_is_refused;
use objects::c2_nothing_needs_a_runtime_to_be_made_or_dropped;
use threads::c5_what_may_not_cross_threads_does_not_compile;
use time::c4_only_monotonic_time_counts;

rules! {
    #[cfg(feature = "std")]
    "C1" c1_every_call_works_anywhere, needs threads;
    "C2" c2_nothing_needs_a_runtime_to_be_made_or_dropped, needs threads;
    #[cfg(feature = "std")]
    "C3" c3_a_blocking_wait_goes_on_or_is_refused, needs threads;
    "C4" c4_only_monotonic_time_counts;
    "C5" c5_what_may_not_cross_threads_does_not_compile;
}

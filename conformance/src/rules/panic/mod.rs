//! Group P: panics, where the target unwinds.

mod destructor;
mod hook;
mod job;
mod poison;

use crate::rule::rules;

use destructor::p2_a_destructor_that_panics_settles_its_job;
use hook::p4_panics_of_hooks_are_contained_and_counted;
use job::p1_a_panic_harms_neither_lane_nor_sibling;
use poison::p3_a_panic_poisons_nothing;

rules! {
    "P1" p1_a_panic_harms_neither_lane_nor_sibling, needs unwind;
    "P2" p2_a_destructor_that_panics_settles_its_job, needs unwind;
    "P3" p3_a_panic_poisons_nothing, needs unwind;
    "P4" p4_panics_of_hooks_are_contained_and_counted, needs unwind;
}

//! Group R: the tree.

#[cfg(feature = "std")]
mod depth;
mod linked;
mod memory;
mod order;
mod reach;
mod shield;

use crate::rule::rules;

#[cfg(feature = "std")]
use depth::r8_a_million_deep_in_bounded_stack;
use linked::{r5_middle_drop_cuts_nobody_off, r7_linked_fires_with_any_parent};
use memory::r6_finished_children_leave_nothing;
use order::{r2_all_descendants_read_cancelled_afterwards, r3_siblings_never_disagree, r4_child_of_a_cancelled_parent};
use reach::r1_descendants_and_nobody_else;
use shield::r9_shield_hides_the_outside_while_it_lasts;

rules! {
    "R1" r1_descendants_and_nobody_else;
    "R2" r2_all_descendants_read_cancelled_afterwards;
    "R3" r3_siblings_never_disagree;
    "R4" r4_child_of_a_cancelled_parent;
    "R5" r5_middle_drop_cuts_nobody_off;
    "R6" r6_finished_children_leave_nothing, needs alloc;
    "R7" r7_linked_fires_with_any_parent;
    #[cfg(feature = "std")]
    "R8" r8_a_million_deep_in_bounded_stack, needs alloc threads;
    "R9" r9_shield_hides_the_outside_while_it_lasts;
}

//! Group X: drops and leaks.

mod detach;
mod forgotten;
mod once;
mod race;
mod thread;

use crate::rule::rules;

use detach::{x1_dropping_a_handle_detaches, x4_results_do_not_pile_up};
use forgotten::x5_forgetting_is_never_unsound;
use once::x2_everything_is_dropped_exactly_once;
use thread::x3_dropped_by_the_worker;

rules! {
    "X1" x1_dropping_a_handle_detaches;
    "X2" x2_everything_is_dropped_exactly_once, needs alloc;
    "X3" x3_dropped_by_the_worker, needs threads;
    "X4" x4_results_do_not_pile_up, needs alloc;
    "X5" x5_forgetting_is_never_unsound, needs alloc;
}

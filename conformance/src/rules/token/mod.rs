//! Group T: the token.

mod callback;
mod cancel;
mod check;
#[cfg(feature = "std")]
mod panics;
mod users;
mod wait;

use crate::rule::rules;

use callback::{
    t11_only_an_armed_guard_cancels, t12_callback_runs_exactly_once, t13_unregister_tells_whether_it_prevented,
};
use cancel::{
    t1_one_canceller_is_told_that_it_was_first, t2_cancelled_is_sticky, t3_cancel_happens_before_the_check,
    t5_published_before_anybody_is_told, t10_first_cause_wins,
};
use check::{t4_check_takes_no_lock_and_no_memory, t14_never_costs_nothing, t15_observer_cannot_cancel};
#[cfg(feature = "std")]
use panics::t9_panic_of_one_stops_no_other;
use users::t8_wakers_and_callbacks_may_use_the_tree;
use wait::{t6_no_wake_up_is_lost, t7_each_waiter_is_woken_once};

rules! {
    "T1" t1_one_canceller_is_told_that_it_was_first;
    "T2" t2_cancelled_is_sticky;
    "T3" t3_cancel_happens_before_the_check, needs threads;
    "T4" t4_check_takes_no_lock_and_no_memory;
    "T5" t5_published_before_anybody_is_told;
    "T6" t6_no_wake_up_is_lost;
    "T7" t7_each_waiter_is_woken_once;
    "T8" t8_wakers_and_callbacks_may_use_the_tree;
    #[cfg(feature = "std")]
    "T9" t9_panic_of_one_stops_no_other, needs unwind;
    "T10" t10_first_cause_wins;
    "T11" t11_only_an_armed_guard_cancels;
    "T12" t12_callback_runs_exactly_once;
    "T13" t13_unregister_tells_whether_it_prevented;
    "T14" t14_never_costs_nothing, needs alloc;
    "T15" t15_observer_cannot_cancel;
}

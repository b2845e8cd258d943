//! Group D: deadlines.

mod due;
mod expiry;
mod span;

use crate::rule::rules;

use due::{
    d1_effective_deadline_is_the_earliest, d2_effective_though_the_alarm_is_late, d3_due_is_exact,
    d4_due_at_its_start_is_never_started,
};
use expiry::{
    d6_class_comes_from_the_recorded_cause, d7_stale_timer_touches_nobody, d9_equal_deadlines_settle_once_as_the_outer,
};
use span::{d5_what_counts_from_when, d8_beyond_the_clock_is_no_deadline};

rules! {
    "D1" d1_effective_deadline_is_the_earliest, needs alloc;
    "D2" d2_effective_though_the_alarm_is_late, needs alloc;
    "D3" d3_due_is_exact, needs alloc;
    "D4" d4_due_at_its_start_is_never_started, needs alloc;
    "D5" d5_what_counts_from_when, needs alloc;
    "D6" d6_class_comes_from_the_recorded_cause, needs alloc;
    "D7" d7_stale_timer_touches_nobody, needs alloc;
    "D8" d8_beyond_the_clock_is_no_deadline, needs alloc;
    "D9" d9_equal_deadlines_settle_once_as_the_outer, needs alloc;
}

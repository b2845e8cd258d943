//! Group Q: the queue.

mod arrival;
mod bounds;
mod full;
pub(super) mod items;
mod line;
mod order;
mod removal;
mod reserve;

use crate::rule::rules;

use arrival::q9_waiting_submitters_in_arrival_order;
use bounds::q1_capacity_and_limit_hold;
use full::q5_a_full_queue_does_what_its_policy_says;
use line::q6_waiting_submit_is_cancel_safe;
use order::{q2_higher_first_then_in_order, q3_no_starvation_within_the_bound};
use removal::{q4_cancelled_queued_job_leaves_at_once, q7_queue_timeout_settles_when_due};
use reserve::q8_reserved_places_stay_open;

rules! {
    "Q1" q1_capacity_and_limit_hold;
    "Q2" q2_higher_first_then_in_order;
    "Q3" q3_no_starvation_within_the_bound;
    "Q4" q4_cancelled_queued_job_leaves_at_once;
    "Q5" q5_a_full_queue_does_what_its_policy_says;
    "Q6" q6_waiting_submit_is_cancel_safe;
    "Q7" q7_queue_timeout_settles_when_due;
    "Q8" q8_reserved_places_stay_open;
    "Q9" q9_waiting_submitters_in_arrival_order;
}

//! Group J: the job.

mod before_start;
mod blocking_wait;
mod cancel;
mod grace;
mod late;
mod outcome;
mod own_token;
mod poll;
mod ready;
mod wait;

use crate::rule::rules;

use before_start::j2_cancelled_before_its_first_poll_is_never_polled;
use blocking_wait::j12_wait_from_a_thread_without_a_runtime;
use cancel::j6_cancel_is_synchronous_and_tells_who_was_first;
use grace::j5_grace_is_kept;
use late::j9_late_value_is_never_lost_silently;
use outcome::j1_settles_exactly_once;
use own_token::j11_own_token_under_worker_and_submitter;
use poll::{j3_ready_beats_a_request_of_the_same_poll, j4_not_polled_after_a_request};
use ready::j7_ready_after_the_drop_and_with_the_place_free;
use wait::{j8_waiting_never_panics, j10_dropped_wait_loses_nothing};

rules! {
    "J1" j1_settles_exactly_once, needs alloc;
    "J2" j2_cancelled_before_its_first_poll_is_never_polled, needs alloc;
    "J3" j3_ready_beats_a_request_of_the_same_poll, needs alloc;
    "J4" j4_not_polled_after_a_request, needs alloc;
    "J5" j5_grace_is_kept, needs alloc;
    "J6" j6_cancel_is_synchronous_and_tells_who_was_first, needs alloc;
    "J7" j7_ready_after_the_drop_and_with_the_place_free, needs alloc;
    "J8" j8_waiting_never_panics, needs alloc;
    "J9" j9_late_value_is_never_lost_silently, needs alloc;
    "J10" j10_dropped_wait_loses_nothing, needs alloc;
    "J11" j11_own_token_under_worker_and_submitter, needs alloc;
    "J12" j12_wait_from_a_thread_without_a_runtime, needs alloc threads;
}

//! Group E: telemetry.

mod again;
mod age;
mod alarm;
mod bad_sink;
mod balance;
mod body;
mod ends;
mod faults;
mod office;
mod order;
mod rooms;
mod shed;
mod taker;
mod urgency;

use crate::rule::rules;

use again::e10_a_refusal_is_no_acknowledgement;
use age::e11_nothing_waits_for_the_next_packet;
use alarm::e4_a_critical_packet_is_never_dropped;
use bad_sink::e9_a_bad_sink_delays_nobody_else;
use balance::e8_the_ledger_balances_at_any_moment;
use ends::e7_each_settled_job_yields_one_terminal_event;
use faults::e16_own_faults_are_reported_and_cannot_feed_themselves;
use order::{e2_critical_to_the_emergency_stream_and_high_ahead, e3_order_is_kept_within_a_priority_and_a_source};
use rooms::e15_priorities_do_not_borrow_downwards;
use shed::e5_what_is_shed_is_counted_and_published;
use urgency::e1_priority_follows_level_and_only_a_known_word_changes_it;

rules! {
    "E1" e1_priority_follows_level_and_only_a_known_word_changes_it, needs alloc;
    "E2" e2_critical_to_the_emergency_stream_and_high_ahead, needs alloc;
    "E3" e3_order_is_kept_within_a_priority_and_a_source, needs alloc;
    "E4" e4_a_critical_packet_is_never_dropped, needs alloc;
    "E5" e5_what_is_shed_is_counted_and_published, needs alloc;
    "E7" e7_each_settled_job_yields_one_terminal_event, needs alloc;
    "E8" e8_the_ledger_balances_at_any_moment, needs alloc;
    "E9" e9_a_bad_sink_delays_nobody_else, needs alloc;
    "E10" e10_a_refusal_is_no_acknowledgement, needs alloc;
    "E11" e11_nothing_waits_for_the_next_packet, needs alloc;
    "E15" e15_priorities_do_not_borrow_downwards, needs alloc;
    "E16" e16_own_faults_are_reported_and_cannot_feed_themselves, needs alloc;
}

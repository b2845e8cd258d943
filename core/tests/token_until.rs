//! `run_until_cancelled`: a value wins over a cancellation that came with it, but nothing is begun after one.

mod common;

use std::cell::Cell;
use std::future::{pending, poll_fn, ready};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use common::{Count, poll};
use countermand_core::{Cause, Token};

#[test]
fn j3_a_value_of_the_same_poll_wins() {
    let token = Token::new();
    let inside = token.clone();
    let mut run = pin!(token.run_until_cancelled(poll_fn(move |_| {
        inside.cancel();
        Poll::Ready(7)
    })));
    assert_eq!(poll(run.as_mut(), Waker::noop()), Poll::Ready(Ok(7)));
}

#[test]
fn j2_nothing_is_polled_after_a_cancellation_before_the_first_poll() {
    let token = Token::new();
    let polls = Cell::new(0);
    let mut run = pin!(token.run_until_cancelled(poll_fn(|_| {
        polls.set(polls.get() + 1);
        Poll::Ready(())
    })));
    token.cancel_with(Cause::EVICTED);
    assert_eq!(poll(run.as_mut(), Waker::noop()), Poll::Ready(Err(Cause::EVICTED)));
    assert_eq!(polls.get(), 0);
}

#[test]
fn x2_the_future_is_dropped_before_the_answer() {
    let token = Token::new();
    let held = Rc::new(());
    let inside = Rc::clone(&held);
    let mut run = pin!(token.run_until_cancelled(async move {
        pending::<()>().await;
        drop(inside);
    }));
    let (count, waker) = Count::new();
    assert!(poll(run.as_mut(), &waker).is_pending());
    token.cancel();
    assert_eq!(count.get(), 1);
    assert_eq!(poll(run.as_mut(), &waker), Poll::Ready(Err(Cause::REQUESTED)));
    assert_eq!(Rc::strong_count(&held), 1);
}

#[test]
fn t14_the_never_token_runs_to_the_end() {
    let never = Token::never();
    assert_eq!(poll(pin!(never.run_until_cancelled(ready(1))), Waker::noop()), Poll::Ready(Ok(1)));
}

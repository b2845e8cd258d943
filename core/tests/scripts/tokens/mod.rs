//! Scripts of tokens: a step at a time something is done to a forest of them, and a plain model says what must have come of it.
//!
//! What was told to whom is compared after each step. Whether a token is cancelled is only asked by a step that asks: asking writes down what was found.

mod model;

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use countermand_core::{
    CancelledOwned, Cause, CauseKind, DropGuard, Instant, Registration, Shield, Token, TokenObserver,
};

use crate::common::{Count, poll};
use model::Model;

/// What is done, and to which of those that there are.
pub(crate) type Step = [u8; 4];

/// More do not make more of a difference.
const NODES: usize = 48;

/// A wait that goes on.
struct Waiting {
    node: usize,
    future: Pin<Box<CancelledOwned>>,
    count: Arc<Count>,
}

/// A callback: what it was called with, and its registration while that is there.
struct Callback {
    node: usize,
    called: Arc<Mutex<Vec<Cause>>>,
    registration: Option<Registration>,
    /// Whether the registration keeps the node.
    keeps: bool,
    withdrawn: bool,
}

#[derive(Default)]
struct Forest {
    model: Model,
    tokens: Vec<(usize, Token)>,
    observers: Vec<(usize, TokenObserver)>,
    guards: Vec<(usize, DropGuard)>,
    shields: Vec<(usize, Shield)>,
    waits: Vec<Waiting>,
    callbacks: Vec<Callback>,
}

/// Does the steps of a script.
///
/// # Panics
///
/// Where the tokens and the model disagree.
pub(crate) fn play(steps: &[Step]) {
    let mut forest = Forest::default();
    for step in steps {
        forest.step(*step);
        forest.compare_what_was_told();
    }
    forest.end();
}

/// One of so many, if there are any.
fn pick(choice: u8, many: usize) -> Option<usize> {
    (many > 0).then(|| usize::from(choice) % many)
}

fn at(time: u8) -> Instant {
    Instant::from_nanos(u64::from(time))
}

fn cause(choice: u8) -> Cause {
    [Cause::REQUESTED, Cause::SHUTDOWN, Cause::EVICTED, Cause::LINKED][usize::from(choice % 4)].with_code(choice.into())
}

impl Forest {
    fn step(&mut self, [what, a, b, c]: Step) {
        let token = pick(a, self.tokens.len()).map(|place| (self.tokens[place].0, self.tokens[place].1.clone()));
        match (what % 24, token) {
            (0, _) => self.plant(vec![], None, Token::new()),
            (1, _) => self.plant(vec![], Some(b), Token::with_deadline(at(b))),
            (2 | 3, Some((node, token))) => self.plant(vec![node], None, token.child_token()),
            (4, Some((node, token))) => self.plant(vec![node], Some(b), token.child_with_deadline(at(b))),
            (5 | 6, Some(_)) => {
                let chosen = [a, b, c].map(|choice| usize::from(choice) % self.tokens.len());
                let linked = Token::linked(chosen.map(|place| &self.tokens[place].1));
                let mut parents = chosen.map(|place| self.tokens[place].0).to_vec();
                parents.sort_unstable();
                parents.dedup();
                self.plant(parents, None, linked);
            }
            (7, Some((node, token))) if self.model.len() < NODES => {
                let shield = token.shield();
                let (inner, _) = self.model.add(vec![node], true, None);
                self.model.hold(inner);
                self.tokens.push((inner, shield.token().clone()));
                self.shields.push((inner, shield));
            }
            (8, _) => {
                if let Some(place) = pick(a, self.shields.len()) {
                    let (inner, shield) = self.shields.swap_remove(place);
                    shield.end();
                    self.model.unmask(inner);
                    self.model.let_go(inner);
                }
            }
            (9, Some((node, token))) => {
                self.model.hold(node);
                self.tokens.push((node, token));
            }
            (10 | 11, Some((node, token))) => {
                drop(token);
                drop(self.tokens.swap_remove(usize::from(a) % self.tokens.len()));
                self.model.let_go(node);
            }
            (12, Some((node, token))) => {
                assert_eq!(token.cancel_with(cause(b)), self.model.cancel(node, cause(b)), "who was first (T1)");
            }
            (13 | 14, Some((node, token))) => self.wait(node, token),
            (15, _) => {
                if let Some(place) = pick(a, self.waits.len()) {
                    self.look_after(place);
                }
            }
            (16, _) => {
                if let Some(place) = pick(a, self.waits.len()) {
                    let Waiting { node, future, count } = self.waits.swap_remove(place);
                    drop(future);
                    assert_eq!(Arc::strong_count(&count), 1, "a waker outlives its wait");
                    self.model.let_go(node);
                }
            }
            (17, Some((node, token))) => {
                let called = Arc::new(Mutex::new(Vec::new()));
                let list = called.clone();
                let registration =
                    token.on_cancel(move |cause| list.lock().unwrap_or_else(PoisonError::into_inner).push(cause));
                // What ran at once keeps nothing.
                let keeps = self.model.cause(node).is_none();
                if keeps {
                    self.model.hold(node);
                }
                self.callbacks.push(Callback {
                    node,
                    called,
                    registration: Some(registration),
                    keeps,
                    withdrawn: false,
                });
            }
            (18 | 19, _) => {
                let Some(callback) = pick(a, self.callbacks.len()).map(|place| &mut self.callbacks[place]) else {
                    return;
                };
                let Some(registration) = callback.registration.take() else { return };
                if what % 24 == 18 {
                    callback.withdrawn = registration.unregister();
                    assert_eq!(
                        callback.withdrawn,
                        self.model.cause(callback.node).is_none(),
                        "was it prevented? (T13)"
                    );
                } else {
                    drop(registration);
                }
                if callback.keeps {
                    self.model.let_go(callback.node);
                }
            }
            (20, Some((node, token))) => {
                self.model.hold(node);
                self.guards.push((node, token.drop_guard()));
            }
            (21, _) => {
                let Some(place) = pick(a, self.guards.len()) else { return };
                let (node, guard) = self.guards.swap_remove(place);
                if b % 2 == 0 {
                    drop(guard);
                    self.model.cancel(node, Cause::HANDLE_DROPPED);
                } else {
                    drop(guard.disarm());
                }
                self.model.let_go(node);
            }
            (22, Some((node, token))) => self.expire(node, &token, b),
            (23, Some((node, token))) => {
                self.look(node, &token);
                self.model.hold(node);
                self.observers.push((node, token.observer()));
            }
            _ => {}
        }
    }

    /// A token of a new node.
    fn plant(&mut self, parents: Vec<usize>, deadline: Option<u8>, token: Token) {
        if self.model.len() == NODES {
            return;
        }
        let (node, causes) = self.model.add(parents, false, deadline.map(u64::from));
        if causes.len() > 1 {
            let born_with = token.cause();
            assert!(born_with.is_some_and(|cause| causes.contains(&cause)), "{born_with:?} is none of {causes:?} (R4)");
            self.model.born_with(node, born_with);
        }
        self.tokens.push((node, token));
    }

    fn wait(&mut self, node: usize, token: Token) {
        let (count, waker) = Count::new();
        let mut future = Box::pin(token.cancelled_owned());
        match poll(future.as_mut(), &waker) {
            Poll::Ready(cause) => assert_eq!(Some(cause), self.model.cause(node)),
            Poll::Pending => {
                assert_eq!(self.model.cause(node), None, "it waits for what has been (T7)");
                self.model.hold(node);
                self.waits.push(Waiting { node, future, count });
            }
        }
    }

    /// Polls a wait once more, with another waker (T6).
    fn look_after(&mut self, place: usize) {
        let (count, waker) = Count::new();
        let waiting = &mut self.waits[place];
        let cause = self.model.cause(waiting.node);
        match poll(waiting.future.as_mut(), &waker) {
            Poll::Ready(told) => {
                assert_eq!(Some(told), cause);
                self.model.let_go(self.waits.swap_remove(place).node);
            }
            Poll::Pending => {
                assert_eq!(cause, None, "it waits for what has been (T6)");
                let before = std::mem::replace(&mut waiting.count, count);
                assert_eq!((before.get(), Arc::strong_count(&before)), (0, 1), "the waker that was replaced");
            }
        }
    }

    fn expire(&mut self, node: usize, token: &Token, now: u8) {
        let due = self.model.outermost_due(node, now.into());
        // Of several that have nothing to do with each other either may be the outermost.
        if due.len() > 1 {
            return;
        }
        let expired = token.expire_due(at(now));
        if let Some(outermost) = due.first() {
            self.model.cancel(*outermost, Cause::DEADLINE);
        }
        let is_due = self.model.cause(node).is_some_and(|cause| cause.kind() == CauseKind::Deadline);
        assert_eq!(expired, !due.is_empty() && is_due, "is it out of time? (D6)");
    }

    fn look(&self, node: usize, token: &Token) {
        let cause = self.model.cause(node);
        assert_eq!((token.is_cancelled(), token.cause()), (cause.is_some(), cause), "R2, R3, T10");
        assert_eq!(token.deadline().map(Instant::as_nanos), self.model.deadline(node), "D1");
    }

    /// Wakers once (T7), callbacks once (T12), and what is over keeps nothing (R6). None of this asks a token.
    fn compare_what_was_told(&self) {
        for Waiting { node, count, .. } in &self.waits {
            assert_eq!(count.get(), usize::from(self.model.cause(*node).is_some()), "wakes of a wait (T7)");
        }
        for Callback { node, called, withdrawn, .. } in &self.callbacks {
            let list = called.lock().unwrap_or_else(PoisonError::into_inner).clone();
            // One that nobody keeps is not there to be cancelled, and its callback has gone with it.
            let gone = *withdrawn || (!self.model.is_kept(*node) && list.is_empty());
            let expected = if gone { None } else { self.model.cause(*node) };
            assert_eq!(list, Vec::from_iter(expected), "calls of a callback (T12)");
            let waits = !gone && expected.is_none();
            assert_eq!(Arc::strong_count(called), 1 + usize::from(waits), "a callback is kept, or was dropped early");
        }
    }

    fn end(self) {
        let Self { model, tokens, observers, guards, shields, waits, callbacks } = self;
        for (node, token) in &tokens {
            let cause = model.cause(*node);
            assert_eq!((token.cause(), token.is_cancelled()), (cause, cause.is_some()), "R2, R3, T10");
        }
        for (node, observer) in &observers {
            let cause = model.cause(*node);
            assert_eq!((observer.is_cancelled(), observer.cause()), (cause.is_some(), cause), "T15");
        }
        guards.into_iter().for_each(|(_, guard)| drop(guard.disarm()));
        drop((tokens, observers, shields));
        let counts: Vec<_> = waits.into_iter().map(|waiting| waiting.count).collect();
        let lists: Vec<_> = callbacks.into_iter().map(|callback| callback.called).collect();
        assert!(counts.iter().all(|count| Arc::strong_count(count) == 1), "a waker outlives the forest");
        assert!(lists.iter().all(|list| Arc::strong_count(list) == 1), "a callback outlives the forest (R6)");
    }
}

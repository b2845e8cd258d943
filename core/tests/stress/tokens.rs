//! Trees of tokens that grow and go on several threads while they are cancelled.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Waker;
use std::thread;

use countermand_core::{CancelledOwned, Instant, Job, Registration, Shield, Shutdown, Token, WorkerConfig};

use crate::common::{Count, poll};
use crate::crew::{Crew, Dice, block_on, yields};

const ROUNDS: usize = 60;
const THREADS: usize = 3;
const STEPS: usize = 80;

/// What a thread has made, and what it has been promised.
struct Garden<'a> {
    dice: Dice,
    tokens: Vec<Token>,
    shields: Vec<Shield>,
    waits: Vec<Pin<Box<CancelledOwned>>>,
    registrations: Vec<Registration>,
    registered: usize,
    called: &'a Arc<AtomicUsize>,
    waker: &'a Waker,
}

impl Garden<'_> {
    fn pick(&mut self) -> Token {
        let which = self.dice.roll(self.tokens.len());
        self.tokens[which].clone()
    }

    fn step(&mut self) {
        let token = self.pick();
        match self.dice.roll(10) {
            0 | 1 => self.tokens.push(token.child_token()),
            2 => {
                let other = self.pick();
                self.tokens.push(Token::linked([&token, &other]));
            }
            3 => self.tokens.push(token.child_with_deadline(Instant::from_nanos(1 << 40))),
            4 => {
                let shield = token.shield();
                // What is below it goes with it: it is all dropped before the tree is looked at.
                let mut wait = Box::pin(shield.token().child_token().cancelled_owned());
                let _ = poll(wait.as_mut(), self.waker);
                self.shields.push(shield);
            }
            5 => {
                let called = self.called.clone();
                self.registered += 1;
                self.registrations.push(token.on_cancel(move |_| {
                    called.fetch_add(1, Ordering::Relaxed);
                }));
            }
            6 if !self.registrations.is_empty() => {
                let which = self.dice.roll(self.registrations.len());
                // T13: prevented, or called.
                self.registered -= usize::from(self.registrations.swap_remove(which).unregister());
            }
            7 => {
                let mut wait = Box::pin(token.cancelled_owned());
                if poll(wait.as_mut(), self.waker).is_pending() {
                    self.waits.push(wait);
                }
            }
            8 if self.waits.len() > 2 => drop(self.waits.swap_remove(self.dice.roll(self.waits.len() - 1))),
            9 if self.tokens.len() > 2 => {
                // The first is the root.
                let which = 1 + self.dice.roll(self.tokens.len() - 1);
                drop(self.tokens.swap_remove(which));
            }
            _ => drop(self.shields.pop()),
        }
    }
}

/// R4, R6, R7, R9, T6, T12, T13: children, links, shields, waits and callbacks come and go while the root is cancelled.
#[test]
fn r6_a_tree_grows_and_goes_while_it_is_cancelled() {
    let (count, waker) = Count::new();
    let (called, mut registered) = (Arc::new(AtomicUsize::new(0)), 0);
    for round in 0..ROUNDS {
        let roots = [Token::new(), Token::new()];
        let gardens = thread::scope(|scope| {
            let grown: Vec<_> = (0..THREADS)
                .map(|own| {
                    let (root, other, called, waker) = (&roots[0], &roots[1], &called, &waker);
                    scope.spawn(move || {
                        let both = Token::linked([root, other]);
                        let (dice, registrations) = (Dice::new(round * THREADS + own), Vec::new());
                        let (tokens, shields, waits) = (vec![root.clone(), both], Vec::new(), Vec::new());
                        let mut garden =
                            Garden { dice, tokens, shields, waits, registrations, registered: 0, called, waker };
                        (0..STEPS).for_each(|_| garden.step());
                        garden
                    })
                })
                .collect();
            (0..round % 4).for_each(|_| thread::yield_now());
            if round % 2 == 0 {
                roots[1].cancel();
            }
            assert!(roots[0].cancel());
            grown.into_iter().map(|thread| thread.join().expect("no thread panics")).collect::<Vec<_>>()
        });
        for mut garden in gardens {
            assert!(
                garden.tokens.iter().all(Token::is_cancelled),
                "round {round}: one below the root is not cancelled"
            );
            assert!(garden.waits.iter_mut().all(|wait| poll(wait.as_mut(), &waker).is_ready()), "round {round}");
            registered += garden.registered;
        }
    }
    assert_eq!(called.load(Ordering::Relaxed), registered, "each callback is called or prevented (T12, T13)");
    assert!(registered > 0);
    assert_eq!((Arc::strong_count(&called), Arc::strong_count(&count)), (1, 2), "a callback or a waker is kept");
}

/// R5, R6, T7: whoever keeps the token of a job, or hangs others on it, outlives the job, its handle and its worker's interest in it.
#[test]
fn r5_the_token_of_a_job_outlives_it() {
    let crew = Crew::new(WorkerConfig::new().lanes(4).drivers(2).capacity(16));
    let (count, waker) = Count::new();
    let above = Token::new();
    let (give, take) = mpsc::channel::<Token>();
    let (kept, jobs) = (Arc::new(()), 600);
    thread::scope(|scope| {
        let (waker, above) = (&waker, &above);
        scope.spawn(move || {
            let (mut dice, mut waits, mut tokens) = (Dice::new(1), Vec::new(), Vec::new());
            for token in take {
                let below = if dice.roll(2) == 0 { token.child_token() } else { Token::linked([&token, above]) };
                let mut wait = Box::pin(below.clone().cancelled_owned());
                if poll(wait.as_mut(), waker).is_pending() && dice.roll(3) > 0 {
                    waits.push(wait);
                }
                if dice.roll(2) == 0 {
                    token.on_cancel(|_| ());
                }
                tokens.extend([token, below]);
                while tokens.len() > 16 {
                    drop(tokens.swap_remove(dice.roll(tokens.len())));
                }
            }
            // Those whose jobs have ended without a cancel have one above them still, or nobody.
            above.cancel();
        });
        for number in 0..jobs {
            let (give, kept) = (give.clone(), kept.clone());
            let job = Job::task_with(move |cx| async move {
                let told = give.send(cx.token().clone());
                yields(number % 3).await;
                drop((told, kept));
            });
            let job = if number % 2 == 0 { job.parent(above) } else { job };
            let handle = block_on(crew.worker.submit(job)).expect("it is open");
            match number % 3 {
                0 => drop(handle),
                1 => {
                    handle.cancel();
                }
                _ => drop(block_on(handle)),
            }
        }
        drop(give);
        block_on(crew.worker.shutdown(Shutdown::Drain));
    });
    assert_eq!(crew.end().accepted, jobs as u64);
    assert_eq!((Arc::strong_count(&kept), Arc::strong_count(&count)), (1, 2), "a job or a waker is kept");
}

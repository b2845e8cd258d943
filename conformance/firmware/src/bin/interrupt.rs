//! Cancels from an interrupt handler: while a job is in its poll, while it waits, and while the interrupted code is at work on the same tree.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::future::pending;

use countermand_core::{Cause, Job, Outcome, Shutdown, Token, WorkerConfig};
use countermand_firmware::{Board, clock, line, set_up, superloop};
use critical_section::Mutex;

/// What the handler cancels.
static TOKEN: Mutex<RefCell<Option<Token>>> = Mutex::new(RefCell::new(None));

/// How often the handler checked.
static CHECKS: Mutex<Cell<u32>> = Mutex::new(Cell::new(0));

/// Why the handler cancels.
const PULLED: Cause = Cause::REQUESTED.with_code(7);

fn aim(token: &Token) {
    critical_section::with(|section| TOKEN.borrow(section).replace(Some(token.clone())));
}

/// In the interrupt, with interrupts of its own kind off and others on: as users' handlers run.
fn cancel() {
    let token = critical_section::with(|section| TOKEN.borrow(section).take());
    if let Some(token) = token {
        assert!(token.cancel_with(PULLED), "the handler is the first");
    }
}

fn check() {
    let token = critical_section::with(|section| TOKEN.borrow(section).borrow().clone());
    if let Some(token) = token {
        let _ = token.is_cancelled();
        critical_section::with(|section| CHECKS.borrow(section).set(CHECKS.borrow(section).get() + 1));
    }
}

#[cortex_m_rt::entry]
fn entry() -> ! {
    set_up();
    clock::on_interrupt(Some(cancel));
    superloop::run::<Board, _>(WorkerConfig::new().lanes(2).drivers(1), |worker| async move {
        // In the middle of a poll, which sees it, and whose value wins (J3).
        let job = worker.submit(Job::task_with(|context| async move {
            aim(context.token());
            while !context.token().is_cancelled() {}
            context.token().cause()
        }));
        let outcome = job.await.expect("there is a place").await;
        assert_eq!(outcome.completed(), Some(Some(PULLED)));

        // While it waits: it is woken, dropped and settled.
        let job = worker.submit(Job::task_with(|context| async move {
            aim(context.token());
            pending::<()>().await;
        }));
        let outcome = job.await.expect("there is a place").await;
        assert!(matches!(outcome, Outcome::Cancelled { cause: PULLED, started: true }), "{outcome:?}");

        // A waiter that is no job.
        let token = Token::new();
        aim(&token.child_token());
        let below = critical_section::with(|section| TOKEN.borrow(section).borrow().clone()).expect("it was put there");
        assert_eq!(below.child_token().cancelled().await, PULLED);
        assert!(!token.is_cancelled());
        worker.shutdown(Shutdown::Drain).await
    })
    .expect("the settings can be");

    // Checks in between all that can be done to a tree (T4): each of them would wait for ever for a lock of the interrupted code's.
    clock::on_interrupt(Some(check));
    let begun = clock::micros();
    let mut rounds = 0_u32;
    while clock::micros() < begun + 300_000 {
        let root = Token::new();
        let middle = root.child_token();
        aim(&middle);
        let leaves: Vec<Token> = (0..8).map(|_| middle.child_token()).collect();
        let guard = leaves[0].clone().drop_guard();
        let called = middle.on_cancel(|_| {});
        root.cancel();
        assert!(leaves.iter().all(Token::is_cancelled));
        drop((guard, called));
        rounds += 1;
    }
    let checks = critical_section::with(|section| CHECKS.borrow(section).get());
    assert!(checks >= 100 && rounds > 0, "{checks} checks in {rounds} rounds");
    line::say("interrupt: cancelled in a poll, while a job waits, below a root; checked while the tree is at work");
    line::leave(true)
}

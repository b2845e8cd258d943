//! Memory of large families: flat.

use std::prelude::v1::*;

use countermand_core::{Instant, Token};

use crate::{Bench, Check, Flaw, Recorder, Tally, ensure, poll};

type Life = (&'static str, fn(&Token));

/// What a child may do in its life, over and over below one parent.
const LIVES: [Life; 8] = [
    ("born and dropped", |parent| drop(parent.child_token())),
    ("cancelled and dropped", |parent| {
        parent.child_token().cancel();
    }),
    ("waited for", |parent| {
        let child = parent.child_token();
        let mut wait = Box::pin(child.cancelled());
        let _ = poll(wait.as_mut(), &Recorder::new().waker());
    }),
    ("the parent itself waited for", |parent| {
        let mut wait = Box::pin(parent.cancelled());
        let _ = poll(wait.as_mut(), &Recorder::new().waker());
    }),
    ("a callback registered and unregistered", |parent| {
        parent.on_cancel(|_| {}).unregister();
    }),
    ("with children of its own", |parent| {
        let child = parent.child_token();
        let below = [child.child_token(), child.child_token().child_token()];
        drop(child);
        drop(below);
    }),
    ("linked", |parent| drop(Token::linked([parent, &parent.child_token()]))),
    ("dated, observed, guarded, shielded", |parent| {
        let child = parent.child_with_deadline(Instant::from_nanos(1));
        let observer = child.observer();
        child.expire_due(Instant::from_nanos(1));
        drop(child.drop_guard());
        drop(observer);
        parent.shield().end();
    }),
];

pub(super) async fn r6_finished_children_leave_nothing(bench: &Bench) -> Check {
    if Tally::here().is_none() {
        return Err(Flaw::Inconclusive("this program does not count allocations; main! installs what does".to_owned()));
    }
    let count = bench.rounds(20_000);
    let mut runs = 0;
    for (what, live) in LIVES {
        let root = Token::new();
        let parent = root.child_token();
        // What is set up once, such as the room of a list, is set up before.
        (0..64).for_each(|_| live(&parent));
        let before = Tally::kept_here();
        (0..count).for_each(|_| live(&parent));
        let after = Tally::kept_here();
        let (blocks, bytes) = (after.0 - before.0, after.1 - before.1);
        ensure!(
            blocks < 8 && bytes < 4_096,
            "{count} children, {what}, left {blocks} blocks ({bytes} bytes) behind while their parent lives"
        );
        runs += count;
    }
    // Many at a time, and they go in any order.
    let parent = Token::new();
    let mut random = bench.random();
    let (before, _) = Tally::kept_here();
    for _ in 0..4 {
        let mut children: Vec<Token> = (0..5_000).map(|_| parent.child_token()).collect();
        random.shuffle(&mut children);
        runs += children.len() as u64;
    }
    let left = Tally::kept_here().0 - before;
    ensure!(left < 8, "four crowds of 5000 children, dropped in random order, left {left} blocks behind");
    Ok(runs)
}

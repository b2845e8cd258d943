//! In which order those in line are served.

use countermand_core::{Priority, WorkerConfig};
use std::prelude::v1::*;

use super::super::scene::{Held, Roll};
use super::line::Waiter;
use crate::{Bench, Check, Flaw, Recorder, ensure, ensure_eq};

pub(super) async fn q9_waiting_submitters_in_arrival_order(bench: &Bench) -> Check {
    super::items::q9_arrival()?;
    in_line_with_others(bench).await?;
    // Alone in its priority, through a queue of one place, by the lane becoming free.
    let held = Held::new(bench, WorkerConfig::new().capacity(1)).await?;
    let roll = Roll::new();
    drop(bench.submit(&held.worker, roll.job(0)).await?);
    let mut line = Vec::new();
    for number in 1..30 {
        line.push(Waiter::come(number, held.worker.submit(roll.job(number)))?.in_line()?);
    }
    // A look in between, with another waker, costs nobody its place in the line.
    for place in [0, 7, 28] {
        line[place].recorder = Recorder::new();
        ensure!(line[place].look()?.is_none(), "job {} entered a full queue", line[place].number);
    }
    // Some give up: the others close up.
    for place in [20, 11, 3] {
        line.remove(place);
    }
    let numbers: Vec<u64> = line.iter().map(|waiter| waiter.number).collect();
    let worker = held.release(bench).await?;
    for place in 0..line.len() {
        let woken: Vec<_> = line[place..].iter().map(|waiter| waiter.recorder.wakes()).collect();
        ensure_eq!(woken.iter().sum::<u64>(), 1, "wakes of those in line, the first of them {}", numbers[place]);
        ensure_eq!(woken[0], 1, "wakes of the first in line, {}", numbers[place]);
        let entered = line[place].look()?;
        ensure!(entered.is_some(), "job {} was woken and has no place", numbers[place]);
        bench.quiet(&worker).await?;
    }
    let mut expected = vec![0];
    expected.extend(&numbers);
    ensure_eq!(roll.begun(), expected, "the order in which they ran");
    Ok(2)
}

/// Two priorities in line, and a newcomer now and then who does not want to wait.
async fn in_line_with_others(bench: &Bench) -> Result<(), Flaw> {
    let held = Held::new(bench, WorkerConfig::new().capacity(12)).await?;
    let roll = Roll::new();
    let mut queued = Vec::new();
    for number in 0..12 {
        queued.push(bench.submit(&held.worker, roll.job(number)).await?);
    }
    let mut line = Vec::new();
    for number in 100..112 {
        let priority = if number % 3 == 0 { Priority::High } else { Priority::Low };
        let submit = held.worker.submit(roll.job(number).priority(priority));
        line.push((priority, Waiter::come(number, submit)?.in_line()?));
    }
    let mut random = bench.random();
    let mut served: Vec<(Priority, u64)> = Vec::new();
    let mut inside = Vec::new();
    while !queued.is_empty() {
        queued.swap_remove(random.usize(..queued.len())).cancel();
        bench.quiet(&held.worker).await?;
        ensure!(held.worker.try_submit(roll.job(200)).is_err(), "a newcomer overtook those in line");
        let woken: Vec<usize> = (0..line.len()).filter(|place| line[*place].1.recorder.wakes() > 0).collect();
        ensure_eq!(woken.len(), 1, "those in line that were woken by one more free place");
        let (priority, mut waiter) = line.remove(woken[0]);
        served.push((priority, waiter.number));
        match waiter.look()? {
            Some(handle) => inside.push(handle),
            None => return Err(Flaw::Broken(format!("job {} was woken and has no place", waiter.number))),
        }
    }
    for priority in [Priority::High, Priority::Low] {
        let order: Vec<u64> = served.iter().filter(|(p, _)| *p == priority).map(|(_, number)| *number).collect();
        let arrival: Vec<u64> = (100..112).filter(|number| (number % 3 == 0) == (priority == Priority::High)).collect();
        ensure_eq!(order, arrival, "the order in which waiting {priority:?} submitters were served");
    }
    held.release(bench).await?;
    for handle in inside {
        bench.settled(handle).await?;
    }
    roll.census().each_once("bodies of jobs that stood in line")
}

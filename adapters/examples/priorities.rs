//! In which order a queue is served: strictly, and by weights, under which nobody starves.
//!
//! ```sh
//! cargo run -p countermand --example priorities --features runtime-blocking
//! ```

use std::error::Error;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};

use countermand::{Blocking, Discipline, FullPolicy, Job, JobInfo, Observer, Priority, Shutdown, Worker, WorkerConfig};

/// How many jobs of each priority are submitted, the least urgent first.
const EACH: usize = 12;

fn main() -> Result<(), Box<dyn Error>> {
    println!("{EACH} jobs of each priority, submitted in the order L N H C; started, one after the other:\n");
    for discipline in [Discipline::Strict, Discipline::default()] {
        let started = order(discipline)?;
        println!("{discipline:?}\n  {}", started.iter().map(|priority| letter(*priority)).collect::<String>());
        for priority in Priority::ALL.into_iter().rev() {
            let bound = discipline.bound(priority);
            let bound = bound.map_or(String::from("any number"), |bound| format!("at most {bound}"));
            println!("  {priority:<8} {:>3} went before its first; it may be {bound}", before(&started, priority));
        }
        println!();
    }
    reserved()
}

/// Which priorities were started, in order.
fn order(discipline: Discipline) -> Result<Vec<Priority>, Box<dyn Error>> {
    let starts = Arc::new(Starts::default());
    let config = WorkerConfig::new().lanes(1).capacity(4 * EACH).discipline(discipline).observer(starts.clone());
    let worker = Blocking::new().start(config)?;
    let open = hold(&worker)?;
    for priority in Priority::ALL {
        for _ in 0..EACH {
            drop(worker.try_submit(Job::task(async {}).priority(priority))?);
        }
    }
    open.send(())?;
    worker.shutdown_blocking(Shutdown::Drain)?;
    let mut started = starts.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    started.remove(0); // the one that held the lane
    Ok(started)
}

/// Places that a flood of the ordinary cannot take.
fn reserved() -> Result<(), Box<dyn Error>> {
    let config = WorkerConfig::new().lanes(1).capacity(8).reserve(Priority::Critical, 2).full(FullPolicy::Reject);
    let worker = Blocking::new().start(config)?;
    let open = hold(&worker)?;
    let submit = |priority| worker.try_submit(Job::task(async {}).priority(priority)).is_ok();
    let low = (0..100).filter(|_| submit(Priority::Low)).count();
    let critical = (0..100).filter(|_| submit(Priority::Critical)).count();
    println!(
        "Of a queue of 8 with 2 places kept for CRITICAL, a flood of LOW takes {low}; {critical} are left for alarms."
    );
    open.send(())?;
    worker.shutdown_blocking(Shutdown::Drain)?;
    Ok(())
}

/// Takes the only lane until the answer is sent something.
fn hold(worker: &Worker) -> Result<std::sync::mpsc::Sender<()>, Box<dyn Error>> {
    let ((open, gate), (begin, begun)) = (channel::<()>(), channel());
    let held = Job::call(move |_| {
        drop(begin);
        let _ = gate.recv();
    });
    drop(worker.try_submit(held)?);
    let _ = begun.recv() as Result<(), _>;
    Ok(open)
}

fn before(started: &[Priority], priority: Priority) -> usize {
    started.iter().position(|other| *other == priority).unwrap_or(started.len())
}

fn letter(priority: Priority) -> char {
    priority.name().chars().next().unwrap_or('?')
}

/// Writes down who starts.
#[derive(Default)]
struct Starts(Mutex<Vec<Priority>>);

impl Observer for Starts {
    fn started(&self, job: &JobInfo) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(job.priority);
    }
}

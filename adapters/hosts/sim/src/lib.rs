//! The deterministic test host: virtual time, and a schedule that a seed decides and replays.
//!
//! It runs countermand's workers, and anything else that is a future, on one thread. Which of the tasks that are ready runs next is drawn
//! from a seed; the clock moves to the next alarm when nobody is ready, so a day of time-outs takes no time; and when nothing can go
//! on any more, that is an error which names who waits, not a test that hangs.
//!
//! # A race, found and replayed
//!
//! Two tasks add to a total, by reading it and writing it back. On most executors this passes for years. Under enough seeds it fails, and
//! the seed that made it fail makes it fail every time:
//!
//! ```
//! use countermand_sim::Sim;
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
//!
//! fn deposit_twice(sim: &Sim) -> u32 {
//!     let total = Arc::new(AtomicU32::new(0));
//!     let deposit = |amount| {
//!         let (sim, total) = (sim.clone(), total.clone());
//!         sim.clone().spawn(async move {
//!             let seen = total.load(SeqCst);
//!             sim.yield_now().await; // a request to a database, say
//!             total.store(seen + amount, SeqCst);
//!         })
//!     };
//!     let (first, second) = (deposit(10), deposit(20));
//!     sim.block_on(async { (first.await.unwrap(), second.await.unwrap()) });
//!     total.load(SeqCst)
//! }
//!
//! let failed = (0..100).find(|&seed| deposit_twice(&Sim::new(seed)) != 30).expect("a hundred seeds find it");
//! let (again, and_again) = (Sim::new(failed), Sim::new(failed));
//! assert_eq!(deposit_twice(&again), deposit_twice(&and_again));
//! assert_eq!(again.trace(), and_again.trace());
//! ```
//!
//! In a test, [`Sim::explore`] runs the seeds, and prints the one that failed together with the line that replays it:
//!
//! ```should_panic
//! # use countermand_sim::Sim;
//! # fn deposit_twice(sim: &Sim) -> u32 { if sim.seed() == 17 { 10 } else { 30 } }
//! Sim::explore(0..100, |sim| assert_eq!(deposit_twice(sim), 30));
//! // countermand-sim: seed 17 failed, after 17 that did not; to replay it alone: COUNTERMAND_SIM_SEED=17 cargo test deposits
//! ```
//!
//! With `COUNTERMAND_SIM_LOG=1` beside it, every turn of the replay is told.
//!
//! # Workers
//!
//! [`Sim::start`] starts one. Its jobs, their time-outs and their calls are under the same clock and the same seed:
//!
//! ```
//! use countermand_core::{Job, Shutdown, WorkerConfig};
//! use countermand_sim::Sim;
//! use std::time::Duration;
//! let report = Sim::new(5).block_on(async {
//!     let worker = Sim::current().unwrap().start(WorkerConfig::new().lanes(2)).unwrap();
//!     for hours in [1, 2, 3] {
//!         let job = Job::task_with(move |cx| async move { cx.sleep(Duration::from_secs(3_600 * hours)).await });
//!         worker.submit(job.run_timeout(Duration::from_secs(9_000))).await.unwrap();
//!     }
//!     worker.shutdown(Shutdown::Drain).await
//! });
//! assert_eq!((report.counts.completed, report.counts.timed_out), (2, 1));
//! ```
//!
//! # What replays, and what does not
//!
//! Equal seeds give equal runs as long as the code under test takes time, chance and threads from the sim: [`Sim::sleep`] and
//! [`Sim::now`] (in a job: from its context), [`Sim::random`], and [`Sim::spawn_call`] or a worker's calls. Calls run on real threads, one at
//! a time and in turns that the seed decides; they block with [`Sim::block_on`] or at a [`Gate`]. What the sim does not see spoils the
//! replay and nothing else: a call that blocks elsewhere says so by [`Sim::blocking`], a thread of one's own by [`Sim::outsider`].
//! [`Sim::assert_replays`] tells whether a test depends on more than its seed.
//!
//! What a seed means (the generator, the order of draws, the trace) changes with a major version only.
//!
//! # Faults
//!
//! | fault | how |
//! | --- | --- |
//! | time stands still | [`Sim::set_auto_advance`] |
//! | the machine was suspended | [`Sim::advance`] |
//! | alarms ring late | [`Sim::set_lateness`] |
//! | work takes time | [`Sim::set_turn_cost`] |
//! | the runtime goes away | [`Sim::stop`] |
//! | one task goes away | [`Spawned::abort`] |
//! | somebody is starved | [`Order::Biased`] |
#![forbid(unsafe_code)]

mod alarm;
mod call;
mod drive;
mod ending;
mod explore;
mod gate;
mod host;
mod launch;
mod order;
mod outsider;
mod place;
mod rng;
mod seat;
mod sim;
mod sleep;
mod spawn;
mod spawned;
mod stalled;
mod standing;
mod timers;
mod trace;
mod world;

pub use alarm::SimAlarm;
pub use explore::Explored;
pub use gate::{Gate, GateWait};
pub use order::Order;
pub use outsider::Outsider;
pub use rng::Rng;
pub use sim::Sim;
pub use sleep::{Sleep, YieldNow};
pub use spawned::{Spawned, Stopped};
pub use stalled::{StallKind, Stalled};
pub use trace::Trace;

//! Supervises the parts of the program: starts them again when they fail, longer apart each time, and gives up in the end.
//!
//! ```text
//!             fails             rest is over
//!   running ─────────► backing-off ─────────► running
//!      │                    │
//!      │ ends by itself,    │ failed too often in too short a time
//!      ▼ or was told to     ▼
//!   finished              failed
//! ```

mod board;
mod part;
mod restarts;

use countermand::{Cause, Event, Handle, Intake, Job, JobContext, Level, Token, Worker};

pub(crate) use board::{Board, PartState};
pub(crate) use part::{Ended, Part};
pub(crate) use restarts::RestartPolicy;

use crate::voice::Voice;
use restarts::Restarts;

/// Starts parts, and looks after them.
///
/// The looking after is done by tasks of a worker of its own: a job that waits for another one of its own worker can wait for ever.
#[derive(Debug)]
pub(crate) struct Supervisor {
    /// Where parts are looked after.
    pub(crate) watch: Worker,
    /// Where they run.
    pub(crate) floor: Worker,
    pub(crate) policy: RestartPolicy,
    pub(crate) board: Board,
    pub(crate) voice: Voice,
    /// Cancelled when the program is to end.
    pub(crate) end: Token,
}

/// A part that is looked after. It is through when the part has finished or failed.
pub(crate) type Watched = Handle<Ended>;

impl Supervisor {
    /// Starts a part.
    ///
    /// # Errors
    ///
    /// If the worker takes no more.
    pub(crate) fn start(&self, part: Part) -> Result<Watched, String> {
        self.board.set(part.name, PartState::Running);
        let mut policy = self.policy;
        if part.untiring {
            policy.restarts = usize::MAX;
        }
        let watch = Watch {
            floor: self.floor.clone(),
            restarts: Restarts::new(policy),
            board: self.board.clone(),
            voice: self.voice.clone(),
            end: self.end.clone(),
        };
        let name = part.name;
        let job = Job::task_with(move |cx| watch.over(cx, part)).name(name);
        self.watch.try_submit(job).map_err(|rejected| rejected.to_string())
    }
}

struct Watch {
    floor: Worker,
    restarts: Restarts,
    board: Board,
    voice: Voice,
    end: Token,
}

impl Watch {
    async fn over(mut self, cx: JobContext, mut part: Part) -> Ended {
        loop {
            self.board.set(part.name, PartState::Running);
            // The time of this poll; the one of the call before it would count the rest as health.
            let began = self.floor.now();
            let ended = (part.start)(self.floor.clone(), part.token.clone()).await;
            let Ended::Failed(why) = ended else {
                self.board.set(part.name, PartState::Finished);
                return ended;
            };
            if part.token.is_cancelled() {
                self.board.set(part.name, PartState::Finished);
                return Ended::Stopped;
            }
            let Some(rest) = self.restarts.failed(began, self.floor.now()) else {
                self.give_up(&part, &why);
                return Ended::Failed(why);
            };
            let event = Event::new("weatherlight.part_failed", Level::Warning).describe(&why);
            self.voice.take(&event.with("part", part.name).with("rest_ms", rest.as_millis()));
            self.board.set(part.name, PartState::BackingOff { why });
            let _ = part.token.run_until_cancelled(cx.sleep(rest)).await;
            if part.token.is_cancelled() {
                self.board.set(part.name, PartState::Finished);
                return Ended::Stopped;
            }
        }
    }

    fn give_up(&self, part: &Part, why: &str) {
        self.board.set(part.name, PartState::Failed { why: why.to_owned() });
        let event = Event::new("weatherlight.part_given_up", Level::Critical).describe(why);
        self.voice.take(&event.with("part", part.name));
        if part.essential {
            self.end.cancel_with(Cause::REQUESTED.with_text("a part that cannot be done without has failed"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use countermand::{Blocking, Shutdown, WorkerConfig};

    use super::*;

    fn supervisor() -> Supervisor {
        let start = |name| Blocking::new().start(WorkerConfig::new().name(name).lanes(8)).unwrap();
        let policy = RestartPolicy {
            first: Duration::from_nanos(1),
            most: Duration::from_nanos(2),
            healthy: Duration::from_secs(3_600),
            restarts: 3,
            window: Duration::from_secs(3_600),
        };
        let (watch, floor) = (start("watch"), start("floor"));
        Supervisor { watch, floor, policy, board: Board::default(), voice: Voice::silent(), end: Token::new() }
    }

    #[test]
    fn a_part_is_started_again_until_it_is_through() {
        let supervisor = supervisor();
        let runs = Arc::new(AtomicU32::new(0));
        let counted = runs.clone();
        let part = Part::call("unsteady", &supervisor.end, move |_| match counted.fetch_add(1, Ordering::SeqCst) {
            0 => Err("not yet".to_owned()),
            1 => panic!("a panic is a failure"),
            _ => Ok(()),
        });
        let watched = supervisor.start(part).unwrap();
        assert_eq!(watched.wait().unwrap().completed(), Some(Ended::Finished));
        let status = &supervisor.board.parts()[0];
        assert_eq!((runs.load(Ordering::SeqCst), status.restarts, &status.state), (3, 2, &PartState::Finished));
        assert!(!supervisor.end.is_cancelled());
    }

    #[test]
    fn one_that_fails_too_often_is_given_up_and_takes_the_program_along_if_it_must() {
        let supervisor = supervisor();
        let part = Part::task("broken", &supervisor.end, |_| async { Err("always".to_owned()) });
        let watched = supervisor.start(part.essential()).unwrap();
        assert_eq!(watched.wait().unwrap().completed(), Some(Ended::Failed("always".to_owned())));
        assert_eq!(supervisor.board.parts()[0].restarts, 3);
        assert_eq!(supervisor.board.health(), "unhealthy");
        assert!(supervisor.end.is_cancelled());
    }

    #[test]
    fn the_end_ends_a_part_and_its_rest() {
        let mut supervisor = supervisor();
        supervisor.policy.first = Duration::from_secs(3_600);
        let resting = Part::task("resting", &supervisor.end, |_| async { Err("once".to_owned()) });
        let waiting = Part::task("waiting", &supervisor.end, |_| std::future::pending());
        let watched = [resting, waiting].map(|part| supervisor.start(part).unwrap());
        supervisor.end.cancel();
        for part in watched {
            assert_eq!(part.wait().unwrap().completed(), Some(Ended::Stopped));
        }
        supervisor.watch.shutdown_blocking(Shutdown::Drain).unwrap();
        assert_eq!(supervisor.board.health(), "healthy");
    }
}

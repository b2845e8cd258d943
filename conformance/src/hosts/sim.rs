//! The test host in virtual time.

use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use countermand_core::{Assembly, Host, Worker};

use crate::{Doomed, Examinee, Gate, LocalFuture, Profile, SendFuture};

/// How long, in real time, the sim waits for a call that blocks where it cannot see. Before it moves the clock it waits a fiftieth of this for
/// threads outside, so that a very long patience would make every nap of the suite one of real time.
const PATIENCE: Duration = Duration::from_secs(5);

/// `countermand-sim`: the main future sits where a user's `block_on` does, and the seed chooses the schedule.
#[derive(Debug)]
pub struct Sim(countermand_sim::Sim);

impl Sim {
    fn new(seed: u64) -> Self {
        let sim = countermand_sim::Sim::new(seed);
        sim.set_patience(PATIENCE);
        // A rule may look at a condition for as long as its patience lasts.
        sim.set_turn_limit(u64::MAX);
        Self(sim)
    }
}

impl Examinee for Sim {
    const NAME: &'static str = "sim";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Host = countermand_sim::Sim;

    fn profile() -> Profile {
        Profile::ALL
    }

    fn run(seed: u64, main: impl FnOnce(Rc<Self>) -> LocalFuture<'static, ()>) {
        let owner = Self::new(seed);
        owner.0.block_on(main(Rc::new(Self(owner.0.clone()))));
    }

    fn host(&self) -> Arc<countermand_sim::Sim> {
        Arc::new(self.0.clone())
    }

    fn launch<H: Host<Alarm: Send>>(&self, assembly: Assembly<H>) -> Worker {
        self.0.launch(assembly)
    }

    fn doomed(seed: u64) -> Option<Doomed<Self>> {
        let owner = Self::new(seed);
        let doomed = Self(owner.0.clone());
        let end = Gate::new();
        let wait = end.wait();
        let thread = thread::spawn(move || {
            owner.0.block_on(async {
                let _promise = owner.0.outsider();
                wait.await;
            });
            owner.0.stop();
        });
        let stop = move || {
            end.open();
            // It has stopped, or has said on standard error why it panicked.
            let _ = thread.join();
        };
        Some(Doomed { examinee: doomed, stop: Box::new(stop) })
    }

    fn spawn(&self, future: SendFuture) -> Result<(), SendFuture> {
        drop(self.0.spawn(future));
        Ok(())
    }

    fn blocked(wait: &mut dyn FnMut()) {
        countermand_sim::Sim::blocking(wait);
    }

    fn nap(&self, span: Duration) -> LocalFuture<'static, ()> {
        let sim = self.0.clone();
        Box::pin(async move {
            // Other threads are not in the sim's hands: give them a moment of real time as well.
            thread::sleep(span.min(Duration::from_micros(50)));
            sim.sleep(span).await;
        })
    }
}

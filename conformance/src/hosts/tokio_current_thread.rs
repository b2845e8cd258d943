//! Tokio with one thread.

use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use countermand_core::{Assembly, Host, Worker};
use tokio::runtime::{Builder, Runtime};

use crate::{Doomed, Examinee, Gate, LocalFuture, Profile, SendFuture};

/// How long the end of the main runtime waits for calls that a rule has left behind.
const LINGER: Duration = Duration::from_millis(200);

/// How long the end of a doomed one waits: it has stopped when its last thread ends, and not before.
const STOP: Duration = Duration::from_secs(30);

/// `countermand-tokio` on the current-thread runtime: the main future and all drivers share one thread.
#[derive(Debug)]
pub struct TokioCurrentThread(countermand_tokio::Tokio);

impl TokioCurrentThread {
    fn runtime() -> Runtime {
        let runtime = Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime on this thread takes nothing from the system but a timer")
    }
}

impl Examinee for TokioCurrentThread {
    const NAME: &'static str = "tokio-current-thread";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Host = countermand_tokio::Tokio;

    fn profile() -> Profile {
        Profile::ALL
    }

    fn run(_seed: u64, main: impl FnOnce(Rc<Self>) -> LocalFuture<'static, ()>) {
        let runtime = Self::runtime();
        runtime.block_on(main(Rc::new(Self(countermand_tokio::Tokio::from_handle(runtime.handle().clone())))));
        runtime.shutdown_timeout(LINGER);
    }

    fn host(&self) -> Arc<countermand_tokio::Tokio> {
        Arc::new(self.0.clone())
    }

    fn launch<H: Host<Alarm: Send>>(&self, assembly: Assembly<H>) -> Worker {
        self.0.launch(assembly).expect("the runtime is there and has timers")
    }

    fn doomed(_seed: u64) -> Option<Doomed<Self>> {
        let runtime = Self::runtime();
        let examinee = Self(countermand_tokio::Tokio::from_handle(runtime.handle().clone()));
        let end = Gate::new();
        let wait = end.wait();
        let thread = thread::spawn(move || {
            runtime.block_on(wait);
            runtime.shutdown_timeout(STOP);
        });
        let stop = move || {
            end.open();
            // It has stopped, or has said on standard error why it panicked.
            let _ = thread.join();
        };
        Some(Doomed { examinee, stop: Box::new(stop) })
    }

    fn spawn(&self, future: SendFuture) -> Result<(), SendFuture> {
        drop(tokio::spawn(future));
        Ok(())
    }
}

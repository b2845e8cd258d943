//! Tokio with several threads.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use countermand_core::{Assembly, Host, Worker};
use tokio::runtime::{Builder, Runtime};

use crate::{Doomed, Examinee, LocalFuture, Profile, SendFuture};

/// How long the end of the main runtime waits for calls that a rule has left behind.
const LINGER: Duration = Duration::from_millis(200);

/// How long the end of a doomed one waits: it has stopped when its last thread ends, and not before.
const STOP: Duration = Duration::from_secs(30);

/// `countermand-tokio` on the multi-thread runtime: the main future sits where that of `#[tokio::main]` does.
#[derive(Debug)]
pub struct Tokio(countermand_tokio::Tokio);

impl Tokio {
    fn runtime() -> Runtime {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build();
        runtime.expect("the system has threads for a runtime")
    }
}

impl Examinee for Tokio {
    const NAME: &'static str = "tokio";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Host = countermand_tokio::Tokio;

    fn profile() -> Profile {
        Profile::ALL
    }

    fn drives_elsewhere() -> bool {
        true
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
        Some(Doomed { examinee, stop: Box::new(move || runtime.shutdown_timeout(STOP)) })
    }

    fn spawn(&self, future: SendFuture) -> Result<(), SendFuture> {
        drop(tokio::spawn(future));
        Ok(())
    }
}

//! Smol on an executor of the program's.

use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use async_executor::Executor;
use countermand_core::{Assembly, Host, Worker};

use crate::{Doomed, Examinee, Gate, LocalFuture, Profile, SendFuture};

/// `countermand-smol` on an executor that two threads run. The main future sits on a third, which runs no driver: a job that does not give
/// back its driver's thread must not keep the rule from opening the job's gate.
#[derive(Debug)]
pub struct Smol {
    host: countermand_smol::Smol,
    executor: Arc<Executor<'static>>,
}

impl Smol {
    fn on(executor: &Arc<Executor<'static>>) -> Self {
        Self { host: countermand_smol::Smol::on(executor), executor: Arc::clone(executor) }
    }
}

impl Examinee for Smol {
    const NAME: &'static str = "smol";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Host = countermand_smol::Smol;

    fn profile() -> Profile {
        Profile::ALL
    }

    fn drives_elsewhere() -> bool {
        true
    }

    fn run(_seed: u64, main: impl FnOnce(Rc<Self>) -> LocalFuture<'static, ()>) {
        let executor = Arc::new(Executor::new());
        let end = Gate::new();
        let threads = [(); 2].map(|()| {
            let (executor, wait) = (Arc::clone(&executor), end.wait());
            thread::spawn(move || async_io::block_on(executor.run(wait)))
        });
        async_io::block_on(main(Rc::new(Self::on(&executor))));
        end.open();
        // They have stopped, or have said on standard error why they panicked.
        threads.into_iter().for_each(|thread| drop(thread.join()));
    }

    fn host(&self) -> Arc<countermand_smol::Smol> {
        Arc::new(self.host.clone())
    }

    fn launch<H: Host<Alarm: Send>>(&self, assembly: Assembly<H>) -> Worker {
        self.host.launch(assembly).expect("the executor is there")
    }

    fn doomed(_seed: u64) -> Option<Doomed<Self>> {
        // Held by its thread alone, and by the examinee until the worker was launched.
        let executor = Arc::new(Executor::new());
        let examinee = Self::on(&executor);
        let end = Gate::new();
        let wait = end.wait();
        let thread = thread::spawn(move || async_io::block_on(executor.run(wait)));
        let stop = move || {
            end.open();
            // It has stopped, or has said on standard error why it panicked.
            let _ = thread.join();
        };
        Some(Doomed { examinee, stop: Box::new(stop) })
    }

    fn spawn(&self, future: SendFuture) -> Result<(), SendFuture> {
        self.executor.spawn(future).detach();
        Ok(())
    }
}

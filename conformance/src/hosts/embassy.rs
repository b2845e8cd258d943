//! Embassy's executor on the development machine.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use countermand_core::{Assembly, Host, Worker};
use embassy_executor::{Executor, Spawner};
// Its time driver, and its critical sections.
use {critical_section as _, embassy_time as _};

use crate::{Examinee, LocalFuture, Profile, SendFuture};

/// `countermand-embassy` on the executor of `platform-std`: the main future and all drivers are tasks of one thread.
pub struct Embassy(Spawner);

impl std::fmt::Debug for Embassy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Embassy").finish_non_exhaustive()
    }
}

/// The main future; it stays on its thread.
#[embassy_executor::task]
async fn main(main: LocalFuture<'static, ()>, ended: Rc<Cell<bool>>) {
    main.await;
    ended.set(true);
}

/// Everything else. Boxed, since a task cannot be generic and the suite puts a host of its own over the adapter's. As many as the suite has at a time, and
/// more.
#[embassy_executor::task(pool_size = 4096)]
async fn any(future: SendFuture) {
    future.await;
}

impl Examinee for Embassy {
    const NAME: &'static str = "embassy";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Host = countermand_embassy::Embassy;

    fn profile() -> Profile {
        Profile::NONE.alloc().threads().unwind()
    }

    fn run(_seed: u64, main_future: impl FnOnce(Rc<Self>) -> LocalFuture<'static, ()>) {
        // Embassy's executors live for ever; this one takes its tasks with it.
        let executor: &'static mut Executor = Box::leak(Box::new(Executor::new()));
        let ended = Rc::new(Cell::new(false));
        let end = Rc::clone(&ended);
        executor.run_until(
            |spawner| {
                let main = main(main_future(Rc::new(Self(spawner))), end);
                spawner.spawn(main.expect("there is one main future at a time"));
            },
            || ended.get(),
        );
    }

    fn host(&self) -> Arc<countermand_embassy::Embassy> {
        Arc::new(countermand_embassy::Embassy::new())
    }

    fn launch<H: Host<Alarm: Send>>(&self, assembly: Assembly<H>) -> Worker {
        let spawner = self.0;
        let spawn = |attendant| any(Box::pin(attendant)).map(|token| spawner.spawn(token));
        countermand_embassy::Embassy::new().launch(assembly, spawn).expect("there are tasks for a worker")
    }

    fn spawn(&self, future: SendFuture) -> Result<(), SendFuture> {
        self.0.spawn(any(future).expect("there are tasks for the suite's futures"));
        Ok(())
    }
}

//! Plain threads.

use std::rc::Rc;
use std::sync::Arc;

use countermand_core::{Assembly, Host, Worker};

use crate::{Examinee, LocalFuture, Profile};

/// `countermand-blocking`: every attendant has a thread, and the main future sits on one that is nobody's.
#[derive(Debug)]
pub struct Blocking(countermand_blocking::Blocking);

impl Examinee for Blocking {
    const NAME: &'static str = "blocking";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Host = countermand_blocking::Blocking;

    fn profile() -> Profile {
        Profile::ALL
    }

    fn drives_elsewhere() -> bool {
        true
    }

    fn run(_seed: u64, main: impl FnOnce(Rc<Self>) -> LocalFuture<'static, ()>) {
        futures::executor::block_on(main(Rc::new(Self(countermand_blocking::Blocking::new()))));
    }

    fn host(&self) -> Arc<countermand_blocking::Blocking> {
        Arc::new(self.0.clone())
    }

    fn launch<H: Host<Alarm: Send>>(&self, assembly: Assembly<H>) -> Worker {
        self.0.launch(assembly).expect("the system has threads for a worker")
    }
}

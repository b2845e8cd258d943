//! Examines one rule of the contract on this target, and says what it found as a child process of the suite's program does.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::sync::Arc;

use countermand_conformance::{Call, Examinee, LocalFuture, Profile, SendFuture, examine, lend_clock};
use countermand_core::{Assembly, Host, Worker};
use countermand_embassy::Embassy;
use countermand_firmware::{clock, line, set_up};
use embassy_executor::{Executor, Spawner};

/// `countermand-embassy` on this target: the main future and all attendants are tasks of one executor.
struct OnEmbassy(Spawner);

/// Boxed, since a task cannot be generic and the suite puts a host of its own over the adapter's.
#[embassy_executor::task(pool_size = 256)]
async fn any(future: SendFuture) {
    future.await;
}

impl Examinee for OnEmbassy {
    const NAME: &'static str = "cortex-m3";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Host = Embassy;

    fn profile() -> Profile {
        Profile::NONE.alloc()
    }

    fn run(_: u64, _: impl FnOnce(Rc<Self>) -> LocalFuture<'static, ()>) {
        unreachable!("an image does not come back from its executor; it is examined in its main task");
    }

    fn host(&self) -> Arc<Embassy> {
        Arc::new(Embassy::new())
    }

    fn launch<H: Host<Alarm: Send>>(&self, assembly: Assembly<H>) -> Worker {
        let spawner = self.0;
        let spawn = |attendant| any(Box::pin(attendant)).map(|token| spawner.spawn(token));
        Embassy::new().launch(assembly, spawn).expect("there are tasks for a worker")
    }

    fn spawn(&self, future: SendFuture) -> Result<(), SendFuture> {
        self.0.spawn(any(future).expect("there are tasks for the suite's futures"));
        Ok(())
    }
}

#[embassy_executor::task]
async fn main(spawner: Spawner, arguments: String) {
    let call = Call::parse(&arguments).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(call.host, OnEmbassy::NAME, "this image has no such host");
    switch_on(call.mutant);
    let (finding, held) = examine(Rc::new(OnEmbassy(spawner)), &call).await;
    line::say(&finding);
    if !held {
        line::complain(&format_args!("{} is broken on {}", call.rule, call.host));
    }
    line::leave(held);
}

#[cfg(feature = "mutants")]
fn switch_on(name: &str) {
    use countermand_core::mutant::{Mutant, activate};
    if !name.is_empty() {
        let mutant = Mutant::ALL.iter().copied().find(|mutant| mutant.name() == name);
        activate(Some(mutant.unwrap_or_else(|| panic!("no mutant is called {name:?}"))));
    }
}

#[cfg(not(feature = "mutants"))]
fn switch_on(name: &str) {
    assert!(name.is_empty(), "this image was built without mutants");
}

#[cortex_m_rt::entry]
fn entry() -> ! {
    set_up();
    lend_clock(clock::since_the_origin);
    let arguments = line::arguments();
    // It lives for ever, as this function does.
    let executor: &'static mut Executor = Box::leak(Box::new(Executor::new()));
    executor.run(|spawner| spawner.spawn(main(spawner, arguments).expect("there is one main task")))
}

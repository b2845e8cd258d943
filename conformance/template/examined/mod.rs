//! All that the suite asks for: how a program runs on the host, and how a worker is started there.

use std::rc::Rc;
use std::sync::Arc;

use countermand_conformance::{Examinee, LocalFuture, Profile, SendFuture};
use countermand_core::{Assembly, Host, Worker};
use {{crate_name}}::MyHost;

/// The host as it is examined.
pub struct MyExaminee(MyHost);

impl Examinee for MyExaminee {
    const NAME: &'static str = "{{project-name}}";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Host = MyHost;

    fn profile() -> Profile {
        // Add `blocking` when the host overrides `Host::offload`.
        Profile::NONE.alloc().threads().unwind()
    }

    fn run(_seed: u64, main: impl FnOnce(Rc<Self>) -> LocalFuture<'static, ()>) {
        let host = MyHost::here();
        host.block_on(main(Rc::new(Self(host.clone()))));
    }

    fn host(&self) -> Arc<MyHost> {
        Arc::new(self.0.clone())
    }

    fn launch<H: Host<Alarm: Send>>(&self, assembly: Assembly<H>) -> Worker {
        self.0.launch(assembly)
    }

    fn spawn(&self, future: SendFuture) -> Result<(), SendFuture> {
        self.0.spawn(future);
        Ok(())
    }
}

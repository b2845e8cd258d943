//! The two runtimes.

use std::future::Future;

pub(crate) fn on_tokio<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(test)
}

pub(crate) fn on_smol<F: Future>(test: F) -> F::Output {
    smol::block_on(test)
}

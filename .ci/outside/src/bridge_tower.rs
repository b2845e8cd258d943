//! A request is a job.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use countermand::bridges::tower::{Conditions, WorkerLayer};
use tower_layer::Layer as _;
use tower_service::Service;

use crate::Tried;
use crate::board::on_worker;

#[derive(Clone)]
struct Length;

impl Service<&'static str> for Length {
    type Response = usize;
    type Error = Infallible;
    type Future = Ready<Result<usize, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: &'static str) -> Self::Future {
        ready(Ok(request.len()))
    }
}

pub(crate) fn tried() -> Tried {
    on_worker(|worker| async move {
        let layer = WorkerLayer::with(worker.clone(), |_: &&'static str| Conditions::new().name("length"));
        assert_eq!(layer.layer(Length).call("four").await?, 4);
        assert_eq!(worker.counts().completed, 1);
        Ok(())
    })
}

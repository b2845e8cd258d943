//! Each request of a `tower` service as a job of a worker.
//!
//! The worker bounds how many requests are in flight and how many wait, serves the urgent ones first, keeps their deadlines, refuses what has
//! no room, and drops a request whose caller has gone. All of that is the worker's; the layer describes a job for each request, and turns
//! its outcome into a result.
//!
//! ```
//! use std::time::Duration;
//!
//! use countermand_core::{FullPolicy, Priority, WorkerConfig};
//! use countermand_sim::Sim;
//! use countermand_tower::{Conditions, ServiceError, WorkerLayer};
//! use tower_layer::Layer as _;
//! use tower_service::Service as _;
//! # use std::{convert::Infallible, future::{Future, Ready, ready}, pin::Pin, task::{Context, Poll}};
//! # #[derive(Clone)] struct Shop(Sim);
//! # impl tower_service::Service<&'static str> for Shop {
//! #     type Response = usize; type Error = Infallible;
//! #     type Future = Pin<Box<dyn Future<Output = Result<usize, Infallible>> + Send>>;
//! #     fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> { Poll::Ready(Ok(())) }
//! #     fn call(&mut self, request: &'static str) -> Self::Future {
//! #         let sim = self.0.clone();
//! #         Box::pin(async move { sim.sleep(Duration::from_secs(request.len() as u64)).await; Ok(request.len()) })
//! #     }
//! # }
//!
//! let sim = Sim::new(1);
//! # let shop = Shop(sim.clone());
//! let worker = sim.start(WorkerConfig::new().lanes(2).capacity(8).full(FullPolicy::Reject))?;
//! let layer = WorkerLayer::with(worker, |request: &&'static str| {
//!     let priority = if request.starts_with("pay") { Priority::High } else { Priority::Normal };
//!     Conditions::new().name("shop").priority(priority).within(Duration::from_secs(5))
//! });
//! let mut service = layer.layer(shop); // takes as many seconds as the request has letters
//! let (paid, searched) = sim.block_on(async {
//!     (service.call("pay").await, service.call("search all of it").await)
//! });
//! assert_eq!(paid.ok(), Some(3));
//! assert!(matches!(searched, Err(ServiceError::TimedOut { .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds
//!
//! - A request is submitted when its response is first polled; its time counts from `call`.
//! - Dropping a response cancels its request, with cause `HandleDropped`: queued, it never starts; running, it is dropped at its next pause.
//! - A full queue does what the worker is set up to do. With [`FullPolicy::Reject`](countermand_core::FullPolicy::Reject) the response is
//!   [`ServiceError::Refused`] at once: load is shed. With `Wait` the response waits for a place, for no longer than the request has time. With
//!   `EvictLowest` a request of a lower priority makes room: its response is [`ServiceError::Cancelled`].
//! - A request that is refused is dropped, as in other layers of tower. Whoever wants to send it again keeps a clone.
//! - The service is ready when the one below is. The one below must be `Clone`: each request takes the one that said it was ready, and
//!   leaves a clone.
//! - A panic of the service below is [`ServiceError::Panicked`], and harms nothing else.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod conditions;
mod error;
mod future;
mod layer;
mod service;

pub use conditions::{Classify, Conditions};
pub use error::ServiceError;
pub use future::ResponseFuture;
pub use layer::WorkerLayer;
pub use service::WorkerService;

//! The routes: work, which is jobs, and figures, which are not, so that they can be had when there is no room.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::error_handling::HandleErrorLayer;
use axum::extract::{Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use countermand::bridges::tower::WorkerLayer;
use countermand::sinks::metrics::{self, Board};
use countermand::{Metrics, Worker};
use serde::Deserialize;
use tower::ServiceBuilder;

use crate::conditions::conditions;
use crate::refusal::refusal;

/// What `/work` is asked.
#[derive(Debug, Deserialize)]
struct Work {
    /// How long it takes.
    ms: u64,
}

/// The whole service.
pub(crate) fn service(worker: &Worker, figures: Arc<Metrics>, limit: Duration) -> Router {
    let jobs = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(refusal))
        .layer(WorkerLayer::with(worker.clone(), move |request: &Request| conditions(request, limit)));
    let listed = worker.clone();
    let board = Arc::new(Board::new().with(figures));
    Router::new()
        .route("/work", get(work))
        .layer(jobs)
        .route("/jobs", get(move || async move { jobs_of(&listed) }))
        .route(
            "/metrics",
            get(move || async move { ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], board.read().prometheus()) }),
        )
}

/// Stands for a database, another service, a model.
async fn work(Query(Work { ms }): Query<Work>) -> String {
    tokio::time::sleep(Duration::from_millis(ms)).await;
    format!("worked for {ms} ms\n")
}

/// A line for each request that is worked on or waits.
fn jobs_of(worker: &Worker) -> String {
    let line = |job: countermand::JobInfo| format!("{:<10} {} {:?} {:?}\n", job.priority, job.name, job.state, job.age);
    worker.jobs().into_iter().map(line).collect()
}

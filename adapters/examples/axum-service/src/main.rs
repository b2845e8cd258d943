//! An `axum` service whose requests are jobs of a worker.
//!
//! What it shows of the library: a deadline for each request, which its caller may shorten; the urgent first; `503` at once when there is no room;
//! work that stops when its caller goes; the figures of all that at `/metrics`; and an end that drains.
//!
//! ```sh
//! cargo run -p axum-service
//! curl 'http://127.0.0.1:8080/work?ms=50'
//! curl -H 'x-deadline-ms: 20' 'http://127.0.0.1:8080/work?ms=50'      # 504
//! curl -H 'x-priority: high' 'http://127.0.0.1:8080/work?ms=50'
//! curl http://127.0.0.1:8080/metrics
//! ```

mod args;
mod conditions;
mod refusal;
mod routes;

use std::error::Error;
use std::sync::Arc;

use clap::Parser as _;
use countermand::{FullPolicy, Metrics, Priority, Shutdown, Tokio, WorkerConfig};
use tokio::net::TcpListener;

use crate::args::Args;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let metrics = Arc::new(Metrics::new());
    let config = WorkerConfig::new()
        .name("requests")
        .lanes(args.lanes)
        .capacity(args.capacity)
        .full(FullPolicy::Reject)
        .observer(metrics.clone());
    let config = if args.capacity > 1 { config.reserve(Priority::High, 1) } else { config };
    let worker = Tokio::current()?.start(config)?;

    let listener = TcpListener::bind(args.address).await?;
    println!("listening on {}", listener.local_addr()?);
    let service = routes::service(&worker, metrics, args.limit);
    // Told to end, it takes no new connections, and lets those that are there have their responses.
    axum::serve(listener, service).with_graceful_shutdown(asked_to_end()).await?;
    let report = worker.shutdown(Shutdown::DrainFor(args.limit)).await;
    let counts = &report.counts;
    println!(
        "{} requests: {} answered, {} timed out, {} cancelled, {} refused",
        counts.accepted + counts.rejected,
        counts.completed,
        counts.timed_out,
        counts.cancelled,
        counts.rejected
    );
    Ok(())
}

async fn asked_to_end() {
    // Where signals cannot be heard, it ends by them as any program does.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

//! What the command line may say.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;

/// Serves requests until Ctrl-C, each as a job with a deadline.
#[derive(Debug, Parser)]
#[command(name = "axum-service", version)]
pub(crate) struct Args {
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) address: SocketAddr,

    /// How many requests are worked on at once.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) lanes: usize,

    /// How many more wait; one of these places is kept for the urgent.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) capacity: usize,

    /// How long a request may take, waiting and working.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "5s")]
    pub(crate) limit: Duration,
}

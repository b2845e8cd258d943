//! Uses countermand as somebody else would: a room for each of its features, which is there when the feature is, and says that it works.

#[cfg(any(
    feature = "alloc",
    feature = "std",
    feature = "bridge-tower",
    feature = "bridge-futures",
    feature = "sink-journal"
))]
mod board;
#[cfg(feature = "bridge-futures")]
mod bridge_futures;
#[cfg(feature = "bridge-tokio-util")]
mod bridge_tokio_util;
#[cfg(feature = "bridge-tower")]
mod bridge_tower;
mod held;
#[cfg(feature = "runtime-blocking")]
mod runtime_blocking;
#[cfg(feature = "runtime-embassy")]
mod runtime_embassy;
#[cfg(feature = "runtime-smol")]
mod runtime_smol;
#[cfg(feature = "runtime-tokio")]
mod runtime_tokio;
#[cfg(feature = "sink-journal")]
mod sink_journal;
#[cfg(feature = "sink-metrics")]
mod sink_metrics;
#[cfg(feature = "sink-redis")]
mod sink_redis;
#[cfg(feature = "sink-tracing")]
mod sink_tracing;
#[cfg(feature = "alloc")]
mod with_alloc;
#[cfg(feature = "config")]
mod with_config;
#[cfg(feature = "defmt")]
mod with_defmt;
#[cfg(feature = "serde")]
mod with_serde;
#[cfg(feature = "sim")]
mod with_sim;
#[cfg(feature = "std")]
mod with_std;
#[cfg(feature = "wire")]
mod with_wire;

// The implementation for cores without `std`.
use critical_section as _;

type Tried = Result<(), Box<dyn core::error::Error>>;

fn main() -> Tried {
    macro_rules! try_each {
        ($($feature:literal $tried:path;)+) => {
            $(
                #[cfg(feature = $feature)]
                {
                    $tried()?;
                    println!("{} works", $feature);
                }
            )+
        };
    }
    held::tried()?;
    println!("none works");
    try_each! {
        "std" with_std::tried;
        "alloc" with_alloc::tried;
        "critical-section" held::tried;
        "runtime-tokio" runtime_tokio::tried;
        "runtime-smol" runtime_smol::tried;
        "runtime-blocking" runtime_blocking::tried;
        "runtime-embassy" runtime_embassy::tried;
        "sim" with_sim::tried;
        "config" with_config::tried;
        "wire" with_wire::tried;
        "sink-journal" sink_journal::tried;
        "sink-redis" sink_redis::tried;
        "sink-tracing" sink_tracing::tried;
        "sink-metrics" sink_metrics::tried;
        "defmt" with_defmt::tried;
        "bridge-tokio-util" bridge_tokio_util::tried;
        "bridge-tower" bridge_tower::tried;
        "bridge-futures" bridge_futures::tried;
        "serde" with_serde::tried;
    }
    Ok(())
}

//! The subscriber of `tracing` that this program has: it shows packets on standard error, in the form of the log.

use countermand_tracing::TARGET;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::voice::LogFormat;

/// Has packets shown from here on. Where this program is a part of another that has a subscriber, it is that one's to show them.
pub(crate) fn subscribe(format: LogFormat) {
    let layer = fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    // Nothing but packets: what is at least so bad as is set is looked at before.
    let packets = Targets::new().with_target(TARGET, LevelFilter::TRACE);
    let layer = match format {
        LogFormat::Text => layer.with_filter(packets).boxed(),
        LogFormat::Json => layer.json().with_filter(packets).boxed(),
    };
    // Only if there is one already.
    let _ = tracing_subscriber::registry().with(layer).try_init();
}

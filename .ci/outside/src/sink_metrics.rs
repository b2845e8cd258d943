//! The figures of a worker as Prometheus text.

use std::sync::Arc;

use countermand::Metrics;
use countermand::sinks::metrics::Board;

use crate::Tried;

pub(crate) fn tried() -> Tried {
    let text = Board::new().with(Arc::new(Metrics::new())).read().prometheus();
    assert!(text.contains("countermand_jobs_submitted_total{priority=\"HIGH\"} 0\n"));
    Ok(())
}

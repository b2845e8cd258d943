//! The figures as Prometheus reads them: the router's, the workers', and those of the parts.

use countermand_metrics::{Board, Kind, Reading, Series};

use super::site::Site;
use crate::supervise::PartState;

const PART_UP: Series =
    Series::new("weatherlight.part.up", Kind::Gauge, "1", &["part"], "Whether a part does its work, or has done it.");
const PART_RESTARTS: Series = Series::new(
    "weatherlight.part.restarts",
    Kind::Counter,
    "{restart}",
    &["part"],
    "How often a part was started again.",
);

/// All figures, as text.
pub(crate) fn text(site: &Site) -> String {
    board(site).read().prometheus()
}

/// All figures, for whoever wants them in another form. Those of a feed's router have the name of the feed.
pub(crate) fn board(site: &Site) -> Board {
    let parts = site.board.clone();
    let mut board = Board::new().with(site.router.clone()).with(move |reading: &mut Reading| {
        for part in parts.parts() {
            let up = matches!(part.state, PartState::Running | PartState::Finished);
            reading.count(&PART_UP, &[("part", &part.name)], u64::from(up));
            reading.count(&PART_RESTARTS, &[("part", &part.name)], part.restarts);
        }
    });
    for (feed, router) in site.feeds.all() {
        board = board.with_attributes([("feed", feed.to_owned())], router);
    }
    for worker in &site.workers {
        let name = worker.config().name.to_string();
        board = board.with_attributes([("worker", name)], worker.counts());
    }
    board
}

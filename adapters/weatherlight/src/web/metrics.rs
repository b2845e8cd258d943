//! The figures as Prometheus reads them.

use std::fmt::Write as _;

use countermand::{Fate, Priority};

use super::site::Site;
use crate::supervise::PartState;

/// All figures, in Prometheus' text format.
pub(crate) fn text(site: &Site) -> String {
    let mut text = String::new();
    let ledger = site.router.ledger();
    let fates = [Fate::Delivered, Fate::DeadLettered, Fate::Expired, Fate::Shed];
    let by_priority = |text: &mut String, name: &str, counts: &[u64; Priority::COUNT]| {
        for priority in Priority::ALL {
            let _ = writeln!(text, "{name}{{priority=\"{priority}\"}} {}", counts[priority.index()]);
        }
    };
    head(&mut text, "countermand_router_accepted_total", "counter", "Packets taken in.");
    by_priority(&mut text, "countermand_router_accepted_total", &ledger.accepted);
    head(&mut text, "countermand_router_ended_total", "counter", "Packets by what became of them.");
    for priority in Priority::ALL {
        for fate in fates {
            let count = ledger.of(fate)[priority.index()];
            let _ = writeln!(text, "countermand_router_ended_total{{fate=\"{fate}\",priority=\"{priority}\"}} {count}");
        }
    }
    head(&mut text, "countermand_router_refused_total", "counter", "Packets whose senders were told no.");
    by_priority(&mut text, "countermand_router_refused_total", &ledger.refused);
    head(&mut text, "countermand_router_pending", "gauge", "Packets on their way.");
    by_priority(&mut text, "countermand_router_pending", &ledger.pending);
    head(&mut text, "countermand_worker_running", "gauge", "Jobs in a lane.");
    for worker in &site.workers {
        let _ =
            writeln!(text, "countermand_worker_running{{worker=\"{}\"}} {}", worker.config().name, worker.running());
    }
    head(&mut text, "weatherlight_part_up", "gauge", "Whether a part does its work.");
    for part in site.board.parts() {
        let up = u8::from(matches!(part.state, PartState::Running | PartState::Finished));
        let _ = writeln!(text, "weatherlight_part_up{{part=\"{}\"}} {up}", part.name);
    }
    head(&mut text, "weatherlight_part_restarts_total", "counter", "How often a part was started again.");
    for part in site.board.parts() {
        let _ = writeln!(text, "weatherlight_part_restarts_total{{part=\"{}\"}} {}", part.name, part.restarts);
    }
    text
}

/// Names and labels are ours and hold nothing that has to be escaped.
fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

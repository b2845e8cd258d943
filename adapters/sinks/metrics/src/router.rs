//! The figures of telemetry routers.

use countermand_core::{Ledger, OutletFigures, Priority, Router, Source, SourceFigures};

use crate::series::{self, QUEUE_FULL};
use crate::{Figures, Reading};

/// The ledger, what was shed by source, and the outlets.
impl<B: Send + Sync + 'static> Figures for Router<B> {
    fn read(&self, reading: &mut Reading) {
        self.ledger().read(reading);
        for (source, figures) in self.sources() {
            read_source(&source, &figures, reading);
        }
        for outlet in self.outlets() {
            read_outlet(&outlet, reading);
        }
    }
}

/// It stays as it was when it was asked for. Whoever keeps a ledger of its own, a journal say, can put it on a board by a closure.
impl Figures for Ledger {
    fn read(&self, reading: &mut Reading) {
        for priority in Priority::ALL {
            let of = priority.index();
            let priority = ("priority", priority.name());
            for (series, figures) in [
                (series::ROUTER_ACCEPTED, &self.accepted),
                (series::ROUTER_DELIVERED, &self.delivered),
                (series::ROUTER_DEAD_LETTERED, &self.dead_lettered),
                (series::ROUTER_EXPIRED, &self.expired),
                (series::ROUTER_PENDING, &self.pending),
                (series::ROUTER_REFUSED, &self.refused),
            ] {
                reading.count(&series, &[priority], figures[of]);
            }
            reading.count(&series::ROUTER_SHED, &[priority, ("reason", QUEUE_FULL)], self.shed[of]);
        }
    }
}

/// Sources are bounded in number: those beyond it are together under one name.
fn read_source(source: &Source, figures: &SourceFigures, reading: &mut Reading) {
    let source = ("source", source.as_str());
    for priority in Priority::ALL {
        let attributes = [source, ("priority", priority.name()), ("reason", QUEUE_FULL)];
        reading.count(&series::SOURCE_SHED, &attributes, figures.shed[priority.index()]);
    }
    reading.count(&series::SOURCE_UNKNOWN_PRIORITY, &[source], figures.unknown_priority);
}

fn read_outlet(figures: &OutletFigures, reading: &mut Reading) {
    let outlet = ("outlet", &*figures.name);
    for priority in Priority::ALL {
        let of = priority.index();
        let attributes = [outlet, ("priority", priority.name())];
        reading.count(&series::OUTLET_PENDING, &attributes, figures.pending[of].into());
        reading.count(&series::OUTLET_RESTING, &attributes, figures.open[of].into());
    }
    for (series, figure) in [
        (series::OUTLET_IN_FLIGHT, figures.in_flight as u64),
        (series::OUTLET_SERVED, figures.served.into()),
        (series::OUTLET_DELIVERED, figures.totals.delivered),
        (series::OUTLET_DEAD_LETTERED, figures.totals.dead_lettered),
        (series::OUTLET_FAILURES, figures.totals.failures),
        (series::OUTLET_MISBEHAVIOURS, figures.totals.misbehaviours),
    ] {
        reading.count(&series, &[outlet], figure);
    }
}

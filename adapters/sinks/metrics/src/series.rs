//! The table of all series: what each is called, counts, and is counted by.

/// What kind of figure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever exports figures must know all kinds")]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It grows and shrinks.
    Gauge,
    /// How durations are distributed.
    Histogram,
}

/// A series of figures: one for each combination of its attributes' values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Series {
    /// Its name, in small letters, with dots between its parts.
    pub name: &'static str,
    /// What kind it is.
    pub kind: Kind,
    /// What it counts, in UCUM's words: `s`, or what stands in `{}`, or `1`.
    pub unit: &'static str,
    /// By what it is counted.
    pub attributes: &'static [&'static str],
    /// What it says, in a sentence.
    pub help: &'static str,
}

impl Series {
    /// A series of somebody else's.
    #[must_use]
    pub const fn new(
        name: &'static str,
        kind: Kind,
        unit: &'static str,
        attributes: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { name, kind, unit, attributes, help }
    }
}

macro_rules! table {
    ($($constant:ident, $name:literal, $kind:ident, $unit:literal, [$($attribute:literal),*], $help:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`, in `", $unit, "`", $(", by `", $attribute, "`",)* ": ", $help)]
            pub const $constant: Series = Series::new($name, Kind::$kind, $unit, &[$($attribute),*], $help);
        )*

        /// All of them, in the order of the table.
        pub const ALL: &[Series] = &[$($constant),*];
    };
}

// What a `Metrics` counts of the jobs of one worker or of several.
table! {
    JOBS_SUBMITTED, "countermand.jobs.submitted", Counter, "{job}", ["priority"], "Jobs accepted.";
    JOBS_STARTED, "countermand.jobs.started", Counter, "{job}", ["priority"], "Jobs polled or called at least once.";
    JOBS_SETTLED, "countermand.jobs.settled", Counter, "{job}", ["priority", "outcome"], "Jobs that ended.";
    JOBS_REJECTED, "countermand.jobs.rejected", Counter, "{job}", ["priority", "reason"], "Jobs that came back to their submitters.";
    JOBS_EVICTED, "countermand.jobs.evicted", Counter, "{job}", ["priority"], "Queued jobs that made room for more urgent ones.";
    JOBS_LATE, "countermand.jobs.late", Counter, "{job}", ["priority"], "Jobs whose value came too late.";
    JOBS_STALLED, "countermand.jobs.stalled", Counter, "{job}", ["priority"], "Times that a job held its driver too long.";
    JOBS_POLLS, "countermand.jobs.polls", Counter, "{poll}", ["priority"], "Polls of jobs that have ended.";
    JOBS_UNSETTLED, "countermand.jobs.unsettled", Gauge, "{job}", ["priority"], "Jobs accepted that have not ended.";
    JOB_QUEUED, "countermand.job.queued", Histogram, "s", ["priority"], "How long jobs were in the queue.";
    JOB_RUNNING, "countermand.job.running", Histogram, "s", ["priority"], "How long started jobs ran.";
    // The books of one worker.
    WORKER_ACCEPTED, "countermand.worker.accepted", Counter, "{job}", [], "Jobs that the worker accepted.";
    WORKER_REJECTED, "countermand.worker.rejected", Counter, "{job}", [], "Jobs that came back to their submitters.";
    WORKER_SETTLED, "countermand.worker.settled", Counter, "{job}", ["outcome"], "Jobs of the worker that ended.";
    WORKER_TIMED_OUT_QUEUED, "countermand.worker.timed_out_queued", Counter, "{job}", [], "Jobs that timed out before they started.";
    WORKER_EVICTED, "countermand.worker.evicted", Counter, "{job}", [], "Cancelled jobs that made room for more urgent ones.";
    WORKER_LATE_DISCARDED, "countermand.worker.late_discarded", Counter, "{value}", [], "Values that came too late and were dropped.";
    WORKER_CONTAINED_PANICS, "countermand.worker.contained_panics", Counter, "{panic}", [], "Panics of hooks, callbacks and unread values.";
    WORKER_UNSETTLED, "countermand.worker.unsettled", Gauge, "{job}", [], "Jobs of the worker that have not ended.";
    // The ledger of a router: accepted = delivered + dead_lettered + expired + shed + pending, for each priority.
    ROUTER_ACCEPTED, "countermand.router.accepted", Counter, "{packet}", ["priority"], "Packets taken in.";
    ROUTER_DELIVERED, "countermand.router.delivered", Counter, "{packet}", ["priority"], "Packets that every sink has.";
    ROUTER_DEAD_LETTERED, "countermand.router.dead_lettered", Counter, "{packet}", ["priority"], "Packets that a sink would not have, kept with the reason.";
    ROUTER_EXPIRED, "countermand.router.expired", Counter, "{packet}", ["priority"], "Packets that were not worth delivering any more.";
    ROUTER_SHED, "countermand.router.shed", Counter, "{packet}", ["priority", "reason"], "Packets let go for want of room.";
    ROUTER_PENDING, "countermand.router.pending", Gauge, "{packet}", ["priority"], "Packets on their way.";
    ROUTER_REFUSED, "countermand.router.refused", Counter, "{packet}", ["priority"], "Packets never taken in, whose senders were told no.";
    // What a router knows beyond its ledger, by source and by outlet.
    SOURCE_SHED, "countermand.router.source.shed", Counter, "{packet}", ["source", "priority", "reason"], "Packets of a source let go for want of room.";
    SOURCE_UNKNOWN_PRIORITY, "countermand.router.source.unknown_priority", Counter, "{packet}", ["source"], "Packets whose indicator named no priority.";
    OUTLET_PENDING, "countermand.router.outlet.pending", Gauge, "{packet}", ["outlet", "priority"], "Packets that an outlet has.";
    OUTLET_IN_FLIGHT, "countermand.router.outlet.in_flight", Gauge, "{packet}", ["outlet"], "Packets that are with the sink of an outlet.";
    OUTLET_RESTING, "countermand.router.outlet.resting", Gauge, "1", ["outlet", "priority"], "1 while a sink that failed is let alone.";
    OUTLET_SERVED, "countermand.router.outlet.served", Gauge, "1", ["outlet"], "1 while somebody serves the outlet.";
    OUTLET_DELIVERED, "countermand.router.outlet.delivered", Counter, "{packet}", ["outlet"], "Packets that the sink of an outlet has.";
    OUTLET_DEAD_LETTERED, "countermand.router.outlet.dead_lettered", Counter, "{packet}", ["outlet"], "Packets that the sink of an outlet would never have.";
    OUTLET_FAILURES, "countermand.router.outlet.failures", Counter, "{failure}", ["outlet"], "Times that a sink failed so often in a row that it was let alone.";
    OUTLET_MISBEHAVIOURS, "countermand.router.outlet.misbehaviours", Counter, "{misbehaviour}", ["outlet"], "Times that a sink gave back another batch, answered for no packet, or panicked.";
}

/// OpenTelemetry's word for what is dropped since there is no room.
pub(crate) const QUEUE_FULL: &str = "queue_full";

/// The series of this name in the table.
pub(crate) fn find(name: &str) -> Option<&'static Series> {
    ALL.iter().find(|series| series.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_also_where_dots_are_underscores() {
        let names: BTreeSet<_> = ALL.iter().map(|series| series.name.replace('.', "_")).collect();
        assert_eq!(names.len(), ALL.len());
        for series in ALL {
            let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte));
            assert!(series.name.starts_with("countermand.") && plain(series.name), "{}", series.name);
            assert!(series.attributes.iter().all(|attribute| plain(attribute)), "{}", series.name);
            let unit = series.unit;
            assert!(unit == "s" || unit == "1" || (unit.starts_with('{') && unit.ends_with('}')), "{unit}");
            assert_eq!(series.kind == Kind::Histogram, unit == "s", "{}", series.name);
            assert!(series.help.ends_with('.') && !series.help.contains('\n'), "{}", series.name);
        }
    }
}

//! A good sink beside bad ones: it has everything while they do their worst.

use countermand_core::{Job, OutletConfig, Priority, Stream};

use super::office::{Office, rooms};
use super::taker::Mood;
use crate::rules::kit::{has, secs};
use crate::{Bench, Check, Flaw, Gate, Profile, ensure, ensure_eq};

const ROOM: u64 = 4;

pub(super) async fn e9_a_bad_sink_delays_nobody_else(bench: &Bench) -> Check {
    let mut runs = 0;
    for stream in Stream::ALL {
        for good_first in [true, false] {
            side_by_side(bench, stream, good_first).await?;
            runs += 1;
        }
    }
    Ok(runs)
}

/// Time stands still while it is looked at who has what: nothing can be owed to a time-out of a bad sink, and nothing is measured.
async fn side_by_side(bench: &Bench, stream: Stream, good_first: bool) -> Result<(), Flaw> {
    let slow = Gate::new();
    let mut bad: Vec<(&str, Mood)> = vec![
        ("slow", Mood::Waits(slow.clone())),
        ("stuck", Mood::Sticks),
        ("failing", Mood::refuses_now()),
        ("refusing", Mood::refuses_for_good()),
        ("lying", Mood::Forges),
        ("astray", Mood::AnswersAstray),
        ("silent", Mood::SaysNothing),
    ];
    if has(bench, Profile::NONE.unwind()) {
        bad.extend([
            ("panicking", Mood::Panics),
            ("panicking later", Mood::PanicsLater),
            ("panicking at the end", Mood::SticksAndPanics),
        ]);
    }
    let other = if stream == Stream::Normal { Stream::Emergency } else { Stream::Normal };
    let mut outlets: Vec<OutletConfig> = bad.iter().map(|(name, _)| OutletConfig::new(*name, stream)).collect();
    let good = if good_first { 0 } else { outlets.len() };
    // What is durable decides about the intake of what is CRITICAL.
    outlets.insert(good, OutletConfig::new("good", stream).keeps());
    outlets.push(OutletConfig::new("other", other));
    let other_place = outlets.len() - 1;
    let mut office = Office::open(bench, rooms(ROOM as u32), outlets).await?;
    let places = (0..office.sinks.len()).filter(|place| *place != good && *place != other_place);
    for (place, (_, mood)) in places.zip(&bad) {
        office.sinks[place].set(mood.clone());
    }
    let (priority, further) = if stream == Stream::Normal {
        (Priority::Normal, Priority::Critical)
    } else {
        (Priority::Critical, Priority::Normal)
    };
    let mut expected = (Vec::new(), Vec::new());
    // Far more than the bad ones have room for.
    for _ in 0..ROOM * 5 {
        expected.0.push(office.post(bench, "a", priority)?);
        expected.1.push(office.post(bench, "a", further)?);
        office.quiet(bench).await?;
        ensure_eq!(
            office.sinks[good].had_numbers(),
            expected.0,
            "what the good sink has, beside bad ones, of what was sent"
        );
        ensure_eq!(office.sinks[other_place].had_numbers(), expected.1, "what the sink of the other stream has");
        if priority == Priority::Critical {
            let fate = office.sent.iter().rev().find(|sent| sent.priority == priority).map(super::office::Sent::fate);
            ensure!(fate.flatten().is_some(), "no receipt for what a durable sink has, since others do not have it");
        }
        // A job of the same worker, on the same driver.
        let job = bench.submit(&office.worker, Job::task(async { 7 })).await?;
        office.quiet(bench).await?;
        ensure!(job.is_finished(), "a job of the worker did not run beside bad sinks");
    }
    ensure!(!slow.is_open(), "the slow sink was waited for");
    // And as time goes on: time-outs, repeated tries, rests.
    for _ in 0..10 {
        office.advance(bench, secs(20)).await?;
        expected.0.push(office.post(bench, "a", priority)?);
        office.quiet(bench).await?;
        ensure_eq!(
            office.sinks[good].had().iter().filter_map(|sight| sight.number).collect::<Vec<_>>(),
            expected.0,
            "what the good sink has, beside bad ones, after a while"
        );
    }
    slow.open();
    office.heal();
    office.drain(bench).await?;
    office.close(bench).await
}

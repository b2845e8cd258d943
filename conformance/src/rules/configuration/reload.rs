//! A configuration that is loaded again while it is read.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::{fs, thread};

use countermand_config::{Environment, Live, Loader, Reload};

use super::{broken, toml};
use crate::rules::kit::lock;
use crate::{Check, ensure};

pub(super) fn old_or_new() -> Check {
    const LAST: u32 = 200;
    // Two values that are always the same number, read while they change.
    let both = |number: u32| toml(&format!("worker.lanes = {number}\nworker.capacity = {number}"));
    let live = Live::new(both(1), |_| {}).map_err(broken)?;
    let (stop, torn) = (AtomicBool::new(false), AtomicUsize::new(0));
    let reads = thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let mut reader = live.reader();
                let (stop, torn) = (&stop, &torn);
                scope.spawn(move || {
                    let (mut reads, mut last) = (0_u64, 0);
                    while !stop.load(Ordering::Relaxed) {
                        let worker = &reader.read().worker;
                        // Never half of one and half of another, never an older one after a newer.
                        torn.fetch_add(
                            usize::from(worker.lanes != worker.capacity || worker.lanes < last),
                            Ordering::Relaxed,
                        );
                        (reads, last) = (reads + 1, worker.lanes);
                    }
                    // After the last reload it is the last that is read.
                    torn.fetch_add(usize::from(reader.read().worker.lanes != LAST), Ordering::Relaxed);
                    reads
                })
            })
            .collect();
        let reloaded = (2..=LAST).try_for_each(|number| live.reload_from(both(number)).map_err(broken));
        stop.store(true, Ordering::Relaxed);
        reloaded?;
        readers.into_iter().map(|reader| reader.join().map_err(|_| broken("a reader panicked"))).sum::<Check>()
    })?;
    let torn = torn.into_inner();
    ensure!(torn == 0, "{torn} of {reads} reads saw half of two configurations, or an old one after a new");
    Ok(reads)
}

pub(super) fn a_bad_one() -> Check {
    let folder = tempfile::tempdir().map_err(broken)?;
    let file = folder.path().join("service.toml");
    let write = |text: &str| fs::write(&file, text).map_err(broken);
    write("worker.lanes = 7\n")?;
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&events);
    let observer = move |event: &Reload| lock(&told).push(event.clone());
    let environment = Environment::from_iter([("ESP_LOG_LEVEL", "ERROR")]);
    let live = Live::new(Loader::new().file(&file).environment(environment), observer).map_err(broken)?;
    let mut reader = live.reader();
    let take = || std::mem::take(&mut *lock(&events));

    for bad in ["worker.lanes = 0\n", "worker.lnaes = 8\n", "worker.lanes = ", "\u{0}"] {
        write(bad)?;
        let error = live.reload().err().ok_or_else(|| broken("a bad file was loaded"))?;
        ensure!(reader.read().worker.lanes == 7, "the old one is gone: {}", reader.read().worker.lanes);
        let events = take();
        ensure!(events == [Reload::Refused(error)], "not one event that says so: {events:?}");
    }
    fs::remove_file(&file).map_err(broken)?;
    ensure!(live.reload().is_err() && take().len() == 1, "a file that is gone was loaded");

    write("worker.lanes = 8\ntelemetry.signing_key = \"correct-horse\"\n")?;
    live.reload().map_err(broken)?;
    ensure!(reader.read().worker.lanes == 8, "the new one is not in force");
    let events = take();
    let [Reload::Applied { changed, deprecations }] = &events[..] else {
        return Err(broken(format_args!("{events:?}")));
    };
    ensure!(changed == &["telemetry.signing_key", "worker.lanes"], "changed: {changed:?}");
    ensure!(deprecations.is_empty(), "an old name that was known is reported again: {deprecations:?}");
    ensure!(!format!("{events:?}{live:?}").contains("correct"), "a secret is told");

    // A secret for another: nothing of it can be seen but that it changed.
    write("worker.lanes = 8\ntelemetry.signing_key = \"battery-staple\"\n")?;
    live.reload().map_err(broken)?;
    let events = take();
    let [Reload::Applied { changed, .. }] = &events[..] else { return Err(broken(format_args!("{events:?}"))) };
    ensure!(changed == &["telemetry.signing_key"], "changed: {changed:?}");
    Ok(7)
}

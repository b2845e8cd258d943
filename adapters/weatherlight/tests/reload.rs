//! SIGHUP loads the configuration again: what may be changed is, all else stays and is named, and what cannot be changes nothing.

mod support;

use std::fs;
use std::io::Write as _;

use rustix::process::Signal;
use serde_json::Value;
use support::{Place, Sender, Supervisor, packet, wait};

fn configure(place: &Place, text: &str) {
    fs::write(place.path("own.toml"), text).expect("written");
}

/// Which settings are named in events of this name, until the reload is through.
fn settings(supervisor: &Supervisor, name: &str, count: usize) -> Vec<String> {
    let setting = |event: Value| event["attributes"]["setting"].as_str().expect("a setting").to_owned();
    (0..count).map(|_| setting(supervisor.event(name))).collect()
}

/// So many connections are let in, and one more is not.
fn seats(supervisor: &Supervisor, count: usize) {
    // Those of the time before are gone once they are closed, and who knows when that is seen.
    let mut all: Vec<Sender> = Vec::new();
    wait(|| {
        let mut sender = supervisor.connect();
        // One that is turned away may be closed by then.
        let line = packet(&format!("seat-{}", all.len()), "INFO") + "\n";
        let _ = sender.stream.get_mut().write_all(line.as_bytes());
        if sender.answer().is_some_and(|answer| answer["ok"] == true) {
            all.push(sender);
        }
        all.len() == count
    });
    assert_eq!(supervisor.connect().answer().expect("a reason")["ok"], false, "one more than {count} is let in");
}

#[test]
fn what_may_be_changed_is_and_all_else_is_named_and_stays() {
    let place = Place::new();
    configure(&place, "[weatherlight]\nconnections_per_sender = 2\n");
    let supervisor = place.start(&["--config", "own.toml"]);
    seats(&supervisor, 2);
    configure(
        &place,
        "[weatherlight]\nconnections_per_sender = 4\npackets_per_second = 100\njournal = \"other.journal\"\n\
         [worker]\nlanes = 7\n",
    );
    supervisor.signal(Signal::HUP);
    let reloaded = supervisor.event("weatherlight.reloaded");
    assert_eq!((&reloaded["attributes"]["changed"], &reloaded["attributes"]["waiting"]), (&"2".into(), &"2".into()));
    let changed = settings(&supervisor, "weatherlight.setting_changed", 2);
    assert_eq!(changed, ["weatherlight.connections_per_sender", "weatherlight.packets_per_second"]);
    assert_eq!(settings(&supervisor, "weatherlight.setting_waits", 2), ["weatherlight.journal", "worker.lanes"]);
    seats(&supervisor, 4);
    assert!(supervisor.end().success());
    assert!(!place.path("other.journal").exists());
    let told = place.tail("normal");
    assert!(told.iter().any(|line| line.contains("weatherlight.setting_waits") && line.contains("worker.lanes")));
}

#[test]
fn the_level_of_the_log_may_be_changed() {
    let place = Place::new();
    configure(&place, "telemetry.log_level = \"error\"\n");
    let supervisor = place.start_with(0, &["--config", "own.toml"]);
    // Until then a signal may find nobody who hears it.
    wait(|| supervisor.socket.exists());
    configure(&place, "telemetry.log_level = \"info\"\n");
    supervisor.signal(Signal::HUP);
    assert_eq!(supervisor.event("weatherlight.reloaded")["attributes"]["changed"], "1");
    assert!(supervisor.end().success());
}

#[test]
fn a_broken_file_changes_nothing_and_its_places_are_told() {
    let place = Place::new();
    configure(&place, "[weatherlight]\nconnections_per_sender = 2\n");
    let supervisor = place.start(&["--config", "own.toml"]);
    configure(&place, "[weatherlight]\nconnections_per_sender = 3\nidle_ms = \"long\"\nsecrte = \"correct-horse\"\n");
    supervisor.signal(Signal::HUP);
    let refused = supervisor.event("weatherlight.reload_refused");
    assert_eq!((&refused["level"], &refused["attributes"]["problems"]), (&"ERROR".into(), &"2".into()));
    let (first, second) = (supervisor.event("weatherlight.bad_setting"), supervisor.event("weatherlight.bad_setting"));
    for (event, setting, line) in [(&first, "weatherlight.idle_ms", "3"), (&second, "weatherlight.secrte", "4")] {
        let attributes = &event["attributes"];
        assert_eq!((&attributes["setting"], &attributes["line"]), (&setting.into(), &line.into()), "{event}");
        assert_eq!(attributes["source"], "own.toml", "{event}");
        assert!(!event.to_string().contains("correct-horse"), "{event}");
    }
    assert!(second["attributes"]["help"].as_str().is_some_and(|help| help.contains("\"secret\"")), "{second}");
    seats(&supervisor, 2);
    // A file that is not there is no reason to end either.
    fs::remove_file(place.path("own.toml")).expect("it was there");
    supervisor.signal(Signal::HUP);
    assert_eq!(supervisor.event("weatherlight.reload_refused")["attributes"]["problems"], "1");
    configure(&place, "[weatherlight]\nconnections_per_sender = 3\n");
    supervisor.signal(Signal::HUP);
    assert_eq!(supervisor.event("weatherlight.reloaded")["attributes"]["changed"], "1");
    seats(&supervisor, 3);
    assert!(supervisor.end().success());
}

#[test]
fn a_subsystem_hears_of_its_own_settings() {
    let place = Place::new();
    configure(&place, "");
    let supervisor = place.start(&["--config", "own.toml", "--as", "lab"]);
    configure(
        &place,
        "[subsystem.lab.weatherlight]\nconnections_per_sender = 2\n[subsystem.mill.weatherlight]\nidle_ms = 1000\n",
    );
    supervisor.signal(Signal::HUP);
    assert_eq!(supervisor.event("weatherlight.reloaded")["attributes"]["waiting"], "0");
    assert_eq!(settings(&supervisor, "weatherlight.setting_changed", 1), ["weatherlight.connections_per_sender"]);
    seats(&supervisor, 2);
    assert!(supervisor.end().success());
}

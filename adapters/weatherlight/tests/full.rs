//! A disk that is full, for real (E13): what is ordinary is told so, an alarm goes into the reserve, then is told so too; and all of it is
//! kept once there is room again.
//!
//! Wants to mount a small file system in memory. Where it may not the test says so and passes, unless `COUNTERMAND_NEEDS_TMPFS` is set.

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use support::{Place, Sender, packet};

/// A file system of its own. Dropped, it is gone.
struct Disk(PathBuf);

impl Disk {
    fn mount(path: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir(&path).expect("a directory");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&path).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(path)),
            other => {
                assert!(std::env::var_os("COUNTERMAND_NEEDS_TMPFS").is_none(), "it cannot be mounted: {other:?}");
                println!("skipped: a file system in memory cannot be mounted here");
                None
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Whoever still has it open keeps it until then.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Sends so many packets of about 10 kB, and counts those that are kept and those whose sender is told why not.
fn send(sender: &mut Sender, name: &str, level: &str, count: usize) -> (Vec<String>, usize) {
    let pad = "x".repeat(10_000);
    for number in 0..count {
        let bare = packet(&format!("{name}-{number}"), level);
        sender.line(&format!("{},\"pad\":\"{pad}\"}}", bare.trim_end_matches('}')));
    }
    let mut kept = Vec::new();
    let mut refused = 0;
    for _ in 0..count {
        let answer: Value = sender.answer().expect("an answer");
        if answer["ok"] == true {
            kept.push(answer["packet_id"].as_str().expect("a name").to_owned());
        } else {
            assert_eq!(answer["retry"], true, "{answer}");
            assert!(answer["error"].as_str().is_some_and(|why| why.starts_with("disk full")), "{answer}");
            refused += 1;
        }
    }
    (kept, refused)
}

#[test]
fn on_a_full_disk_alarms_go_into_the_reserve_and_then_are_told_no() {
    let place = Place::new();
    let Some(disk) = Disk::mount(place.path("disk"), "16m") else { return };
    let ballast = disk.0.join("ballast");
    fs::write(&ballast, vec![0; 10 << 20]).expect("there is room");
    let supervisor = place.start(&["--journal", "disk/journal", "--set", "weatherlight.commit_packets=64"]);
    let mut sender = supervisor.connect();
    let (ordinary, refused) = send(&mut sender, "ordinary", "INFO", 500);
    assert!(!ordinary.is_empty() && refused > 0, "{} kept, {refused} refused: it was never full", ordinary.len());
    let (mut alarms, refused) = send(&mut sender, "alarm", "CRITICAL", 40);
    assert_eq!((alarms.len(), refused), (40, 0), "there is a reserve of 1 MiB for these");
    let (more, refused) = send(&mut sender, "beyond", "CRITICAL", 120);
    assert!(!more.is_empty() && refused > 0, "{} kept, {refused} refused: the reserve has no end", more.len());
    alarms.extend(more);

    fs::remove_file(ballast).expect("it was there");
    // What was told no is kept now: by itself, and once, however often it is sent.
    let (again, refused) = send(&mut sender, "ordinary", "INFO", 500);
    assert_eq!((again.len(), refused), (500, 0));
    let (again, refused) = send(&mut sender, "beyond", "CRITICAL", 120);
    assert_eq!((again.len(), refused), (120, 0));
    assert!(supervisor.end().success());
    let kept = |stream: &str| {
        let output = place.run("tail", &["--journal", "disk/journal", "--stream", stream]);
        String::from_utf8(output.stdout).expect("UTF-8").lines().filter(|line| line.contains("\"pad\"")).count()
    };
    assert_eq!((kept("normal"), kept("emergency")), (500, 160));
    assert!(alarms.len() > 40);
    assert!(place.run("ledger", &["--journal", "disk/journal"]).status.success());
}

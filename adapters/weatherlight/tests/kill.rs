//! Killed at any moment while two write: nothing acknowledged is missing, nothing is there twice, the ledger balances (E6, E8, E10).

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use support::{PATIENCE, Place, packet, was_killed};

/// How often it is killed unless `WEATHERLIGHT_KILLS` says otherwise; the checks say a hundred.
const KILLS: u32 = 10;

/// How many packets a writer has on their way at a time.
const WINDOW: usize = 64;

/// A small generator of numbers that look random: the same for the same seed (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// One who writes, and writes again what was not acknowledged.
struct Writer {
    name: &'static str,
    next: u32,
    /// Sent, and not acknowledged.
    open: BTreeMap<String, String>,
    /// Acknowledged: what was sent.
    kept: BTreeSet<String>,
}

impl Writer {
    fn new(name: &'static str) -> Self {
        Self { name, next: 0, open: BTreeMap::new(), kept: BTreeSet::new() }
    }

    /// Writes until the connection breaks.
    fn write(&mut self, socket: &Path) {
        let Ok(stream) = UnixStream::connect(socket) else { return };
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        let mut answers = BufReader::new(stream.try_clone().expect("another handle"));
        let mut send = |line: &String| (&stream).write_all(format!("{line}\n").as_bytes()).is_ok();
        if !self.open.values().all(&mut send) {
            return;
        }
        loop {
            while self.open.len() < WINDOW {
                let name = format!("{}-{}", self.name, self.next);
                let level = ["INFO", "ERROR", "CRITICAL"][self.next as usize % 3];
                self.next += 1;
                let line = packet(&name, level);
                let sent = send(&line);
                self.open.insert(name, line);
                if !sent {
                    break;
                }
            }
            let mut answer = String::new();
            match answers.read_line(&mut answer) {
                Ok(bytes) if bytes > 0 && answer.ends_with('\n') => {}
                _ => return,
            }
            let answer: Value = serde_json::from_str(&answer).expect("JSON");
            let name = answer["packet_id"].as_str().expect("a name");
            if answer["ok"] == true {
                self.kept.extend(self.open.remove(name));
            }
        }
    }
}

/// So many lives, each ended at a random moment by a kill, or without the fault as asked for. How many were killed.
fn survives(host: &str, lives: u32, seed: u64, fault: bool) -> u32 {
    let place = Place::new();
    let mut random = Random(seed);
    let mut writers = [Writer::new("ada"), Writer::new("bob")];
    let mut killed = 0;
    for _ in 0..lives {
        let supervisor = place.start(&["--host", host]);
        let moment = Duration::from_micros(random.next() % 120_000);
        let socket = supervisor.socket.clone();
        thread::scope(|scope| {
            for writer in &mut writers {
                scope.spawn(|| writer.write(&socket));
            }
            // The one sleep that is meant: the moment is what is random.
            thread::sleep(moment);
            let status = if fault { supervisor.kill() } else { supervisor.end() };
            killed += u32::from(was_killed(status));
        });
    }
    let acknowledged: usize = writers.iter().map(|writer| writer.kept.len()).sum();
    println!("{host}, seed {seed}: {killed} kills, {acknowledged} acknowledged");
    assert!(acknowledged > 0, "nothing was ever acknowledged: this test has shown nothing");

    assert!(place.run("verify", &["weatherlight.journal"]).status.success(), "the journal is damaged");
    let mut seen = BTreeMap::new();
    for stream in ["normal", "emergency"] {
        for line in place.tail(stream) {
            *seen.entry(line).or_insert(0) += 1;
        }
    }
    for writer in &writers {
        for line in &writer.kept {
            assert_eq!(seen.get(line), Some(&1), "seed {seed}: acknowledged, and there so often: {line}");
        }
        for line in writer.open.values() {
            assert!(seen.get(line).is_none_or(|times| *times == 1), "seed {seed}: there twice: {line}");
        }
    }
    let ledger = place.run("ledger", &["--format", "json"]);
    assert!(ledger.status.success(), "seed {seed}: {}", String::from_utf8_lossy(&ledger.stdout));
    killed
}

#[test]
fn what_was_acknowledged_survives_kills_at_random_moments() {
    let kills = std::env::var("WEATHERLIGHT_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let seed = std::env::var("WEATHERLIGHT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    for (host, kills, seed) in
        [("tokio", kills, seed), ("smol", kills.div_ceil(5), seed + 1), ("threads", kills.div_ceil(5), seed + 2)]
    {
        assert_eq!(survives(host, kills, seed, true), kills, "{host}: the fault did not happen each time");
    }
}

#[test]
fn null_control_one_that_is_told_to_end_was_not_killed() {
    assert_eq!(survives("tokio", 2, 1, false), 0, "killed without a kill");
}

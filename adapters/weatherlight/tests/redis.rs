//! Redis beside the journal: what came while it was away is there when it is back, each packet once for each time it was told.
//!
//! Wants `redis-server`. Where that is missing the test says so and passes, unless `COUNTERMAND_NEEDS_REDIS` is set.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use support::{Place, Supervisor, alarm, packet, wait};

/// A server on a socket of its own, with what it has on disk in the directory.
struct Server(Child);

impl Server {
    fn start(place: &Place) -> Option<Self> {
        let mut command = Command::new("redis-server");
        command.current_dir(place.directory.path()).args(["--port", "0", "--unixsocket"]).arg(place.path("redis.sock"));
        command.args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""]);
        let child = match command.stdout(Stdio::null()).spawn() {
            Ok(child) => child,
            Err(error) if std::env::var_os("COUNTERMAND_NEEDS_REDIS").is_none() => {
                println!("skipped: redis-server does not start: {error}");
                return None;
            }
            Err(error) => panic!("redis-server does not start: {error}"),
        };
        let server = Self(child);
        wait(|| ask(&place.path("redis.sock"), &["PING"]).is_some_and(|answer| answer.starts_with("+PONG")));
        Some(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One question to the server; nothing if nobody answers.
fn ask(socket: &Path, words: &[&str]) -> Option<String> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(Duration::from_millis(200))).ok()?;
    let parts: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
    stream.write_all(format!("*{}\r\n{parts}", words.len()).as_bytes()).ok()?;
    let mut answer = Vec::new();
    let mut piece = [0; 65_536];
    // Its answer has come when no more comes.
    while let Ok(bytes @ 1..) = stream.read(&mut piece) {
        answer.extend_from_slice(&piece[..bytes]);
    }
    String::from_utf8(answer).ok()
}

/// The packets in a stream of the server, by their own names.
fn names(place: &Place, stream: &str) -> BTreeSet<String> {
    let answer = ask(&place.path("redis.sock"), &["XRANGE", stream, "-", "+"]).unwrap_or_default();
    let packets = answer.split("\"packet_id\":\"").skip(1);
    packets.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).filter(|name| name.starts_with("p-")).collect()
}

/// A supervisor that feeds the server.
fn start(place: &Place, arguments: &[&str]) -> Supervisor {
    let url = format!("telemetry.redis_url=unix://{}", place.path("redis.sock").display());
    let redis = ["--set", "telemetry.sinks=journal,redis", "--set", &url, "--set", "weatherlight.restart_most_ms=200"];
    place.start(&[&redis, arguments].concat())
}

#[test]
fn what_came_while_it_was_away_is_fed_when_it_is_back() {
    for host in ["tokio", "smol", "threads"] {
        let place = Place::new();
        let Some(server) = Server::start(&place) else { return };
        let supervisor = start(&place, &["--host", host]);
        let mut sender = supervisor.connect();
        sender.keep(&packet("p-before", "CRITICAL"));
        wait(|| names(&place, "oona.emergency").contains("p-before"));
        let resting =
            "countermand_router_outlet_resting{feed=\"redis\",outlet=\"redis.emergency\",priority=\"CRITICAL\"}";
        let told = |line: &String| line.contains("telemetry.sink_failed") && line.contains("redis.emergency");
        // Null control: where each sign is looked for that it is away, there is none as long as it is there.
        wait(|| supervisor.part("redis.emergency")["state"] == "running");
        assert_ne!(supervisor.figure(resting), Some(1), "{host}");
        assert!(!supervisor.get("/health").1.contains("\"status\":\"degraded\""), "{host}");
        assert!(!place.tail("normal").iter().any(told), "{host}");
        drop(server);
        // Nobody waits for the server: the journal has it.
        sender.keep(&packet("p-while", "CRITICAL"));
        sender.keep(&packet("p-while-too", "INFO"));
        // And that it is away can be seen.
        assert_eq!(supervisor.event("weatherlight.sink_failed")["level"], "WARNING", "{host}");
        wait(|| supervisor.part("redis.emergency")["state"] == "backing-off");
        assert!(supervisor.get("/health").1.contains("\"status\":\"degraded\""), "{host}");
        wait(|| supervisor.figure(resting) == Some(1));
        wait(|| place.tail("normal").iter().any(told));
        let _server = Server::start(&place).expect("it started before");
        sender.keep(&packet("p-after", "CRITICAL"));
        let all = ["p-after", "p-before", "p-while"].map(str::to_owned);
        wait(|| names(&place, "oona.emergency") == BTreeSet::from(all.clone()));
        wait(|| names(&place, "oona.normal").contains("p-while-too"));
        wait(|| supervisor.part("redis.emergency")["state"] == "running");
        assert_eq!(supervisor.figure(resting), Some(0), "{host}");
        assert!(supervisor.end().success(), "{host}");
        assert!(place.run("ledger", &[]).status.success(), "{host}");
        // What is told of it is fed as well, so it is told once.
        assert_eq!(place.tail("normal").iter().filter(|line| told(line)).count(), 1, "{host}");
    }
}

/// One entry of a stream: what its fields are.
fn entries(place: &Place, stream: &str) -> Vec<BTreeMap<String, String>> {
    let answer = ask(&place.path("redis.sock"), &["XRANGE", stream, "-", "+"]).unwrap_or_default();
    // `*2`, the id, and then a list of the names and values.
    let mut lines = answer.split("\r\n").filter(|line| !line.starts_with('$') && !line.starts_with(':'));
    let mut entries = Vec::new();
    lines.next();
    while lines.next() == Some("*2") {
        let (_, count) = (lines.next(), lines.next().and_then(|count| count.strip_prefix('*')?.parse().ok()));
        let words: Vec<&str> = lines.by_ref().take(count.unwrap_or(0)).collect();
        entries.push(words.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect());
    }
    entries
}

/// Which of the packets `p-0`, `p-1` … an entry is.
fn number(entry: &BTreeMap<String, String>) -> usize {
    let name = entry["body"].split("\"packet_id\":\"p-").nth(1).expect("a name");
    name.split('"').next().and_then(|number| number.parse().ok()).expect("a number")
}

/// How many alarms the reader has acknowledged.
fn delivered(place: &Place) -> usize {
    let ledger = place.run("ledger", &["--format", "json"]);
    let ledger: serde_json::Value = serde_json::from_slice(&ledger.stdout).expect("JSON");
    assert_eq!(ledger["journal"]["balances"], true, "{ledger}");
    let count = ledger["journal"]["consumers"]["redis"]["CRITICAL"]["delivered"].as_u64();
    count.and_then(|count| count.try_into().ok()).expect("a number")
}

/// For how many packets an entry stands.
fn stands_for(entry: &BTreeMap<String, String>) -> usize {
    entry.get("repeats_count").map_or(1, |count| count.parse().expect("a number"))
}

#[test]
fn a_flood_of_one_alarm_is_told_together_and_each_of_it_is_kept() {
    const FLOOD: usize = 3_000;
    let place = Place::new();
    let Some(_server) = Server::start(&place) else { return };
    let rate = ["--set", "telemetry.emergency_max_per_minute=120"];
    let supervisor = start(&place, &rate);
    let mut sender = supervisor.connect();
    for number in 0..FLOOD {
        // The worst of them is one that the rate has no room for.
        let level = if number == FLOOD - 1 { "CRITICAL" } else { "ERROR" };
        sender.line(&alarm(&format!("p-{number}"), level, "on_fire"));
    }
    for _ in 0..FLOOD {
        assert_eq!(sender.answer().expect("an answer")["ok"], true);
    }
    sender.keep(&alarm("p-other", "CRITICAL", "flooded"));
    let told = || {
        let entries = entries(&place, "oona.emergency");
        let (fire, other): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry["subject"] == "on_fire");
        (fire, other.len())
    };
    wait(|| told().0.iter().map(stands_for).sum::<usize>() == FLOOD && told().1 == 1);
    let (fire, _) = told();
    assert!(fire.len() < FLOOD / 4, "{} entries for {FLOOD} packets", fire.len());
    // In the order in which they came: those that the rate allows one by one, and then what stands for the rest.
    assert!(!fire[0].contains_key("repeats_count") && fire[0]["body"].contains("\"p-0\""), "{:?}", fire[0]);
    assert!(fire.iter().map(number).is_sorted());
    let mut before = 0;
    for entry in fire.iter().filter(|entry| entry.contains_key("repeats_count")) {
        let of = |key: &str| entry[key].parse::<u64>().expect("a number");
        assert!(of("repeats_count") > 1 && of("repeats_first") <= of("repeats_last"), "{entry:?}");
        // Nanoseconds since 1970.
        assert!(of("repeats_first") > 1_700_000_000_000_000_000 && of("repeats_first") >= before, "{entry:?}");
        before = of("repeats_last");
    }
    // The worst of them came last, and is told as such.
    let highest = |entry: &BTreeMap<String, String>| entry.get("repeats_highest").unwrap_or(&entry["level"]).clone();
    let highest: Vec<String> = fire.iter().map(highest).collect();
    let (last, others) = highest.split_last().expect("there are entries");
    assert!(last == "CRITICAL" && others.iter().all(|level| level == "ERROR"), "{highest:?}");

    // Every one of them is in the journal, and the reader has all of them.
    assert_eq!(place.tail("emergency").len(), FLOOD + 1);
    wait(|| delivered(&place) == FLOOD + 1);
    assert!(supervisor.end().success());
    // And so nothing of it comes again.
    let before = entries(&place, "oona.emergency").len();
    let supervisor = start(&place, &rate);
    supervisor.connect().keep(&packet("p-after", "CRITICAL"));
    wait(|| names(&place, "oona.emergency").contains("p-after"));
    assert_eq!(entries(&place, "oona.emergency").len(), before + 1);
    assert!(supervisor.end().success());
}

#[test]
fn killed_in_the_middle_of_a_flood_it_tells_the_rest_when_it_is_back() {
    const FLOOD: usize = 1_000;
    let place = Place::new();
    let Some(_server) = Server::start(&place) else { return };
    let slow = start(&place, &["--set", "telemetry.emergency_max_per_minute=10"]);
    let mut sender = slow.connect();
    for number in 0..FLOOD {
        sender.keep(&alarm(&format!("p-{number}"), "CRITICAL", &format!("about_{}", number % 40)));
    }
    // Ten alarms have gone, and some tell of others; the rest is on its way.
    wait(|| entries(&place, "oona.emergency").len() >= 10);
    assert!(support::was_killed(slow.kill()), "the fault did not happen: it ended by itself");
    let told = entries(&place, "oona.emergency").iter().map(stands_for).sum::<usize>();
    assert!(told < FLOOD, "{told} of {FLOOD} were told already");
    let supervisor = start(&place, &["--set", "telemetry.emergency_max_per_minute=0"]);
    // At least once: what was told and not acknowledged is told again.
    wait(|| delivered(&place) == FLOOD);
    assert!(entries(&place, "oona.emergency").iter().map(stands_for).sum::<usize>() >= FLOOD);
    assert_eq!(place.tail("emergency").len(), FLOOD);
    assert!(supervisor.end().success());
}

#[test]
fn the_rate_may_be_changed_while_it_runs_and_nothing_is_lost() {
    const ALARMS: usize = 100;
    let place = Place::new();
    let Some(_server) = Server::start(&place) else { return };
    let configure = |rate: u32| {
        let text = format!("telemetry.emergency_max_per_minute = {rate}\n");
        std::fs::write(place.path("own.toml"), text).expect("written");
    };
    configure(10);
    let supervisor = start(&place, &["--config", "own.toml"]);
    let mut sender = supervisor.connect();
    for number in 0..ALARMS {
        sender.keep(&alarm(&format!("p-{number}"), "CRITICAL", &format!("about_{number}")));
    }
    wait(|| names(&place, "oona.emergency").len() >= 10);
    // One in six seconds, and no two are about the same: that would take nine minutes.
    assert!(names(&place, "oona.emergency").len() < ALARMS);
    configure(0);
    supervisor.signal(rustix::process::Signal::HUP);
    wait(|| names(&place, "oona.emergency").len() == ALARMS);
    assert!(supervisor.end().success());
}

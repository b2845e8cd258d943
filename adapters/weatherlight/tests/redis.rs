//! Redis beside the journal: what came while it was away is there when it is back, each packet once for each time it was told.
//!
//! Wants `redis-server`. Where that is missing the test says so and passes, unless `COUNTERMAND_NEEDS_REDIS` is set.

mod support;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use support::{PATIENCE, Place, packet};

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

/// Waits for something outside of this process, which tells of itself only when it is asked.
fn wait(mut is_there: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_there() {
        assert!(Instant::now() < until, "it did not come");
        thread::sleep(Duration::from_millis(20));
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

#[test]
fn what_came_while_it_was_away_is_fed_when_it_is_back() {
    for host in ["tokio", "smol", "threads"] {
        let place = Place::new();
        let Some(server) = Server::start(&place) else { return };
        let url = format!("telemetry.redis_url=unix://{}", place.path("redis.sock").display());
        let supervisor = place.start(&[
            "--host",
            host,
            "--set",
            "telemetry.sinks=journal,redis",
            "--set",
            &url,
            "--set",
            "weatherlight.restart_most_ms=200",
        ]);
        let mut sender = supervisor.connect();
        sender.keep(&packet("p-before", "CRITICAL"));
        wait(|| names(&place, "oona.emergency").contains("p-before"));
        drop(server);
        // Nobody waits for the server: the journal has it.
        sender.keep(&packet("p-while", "CRITICAL"));
        sender.keep(&packet("p-while-too", "INFO"));
        let _server = Server::start(&place).expect("it started before");
        sender.keep(&packet("p-after", "CRITICAL"));
        let all = ["p-after", "p-before", "p-while"].map(str::to_owned);
        wait(|| names(&place, "oona.emergency") == BTreeSet::from(all.clone()));
        wait(|| names(&place, "oona.normal").contains("p-while-too"));
        assert!(supervisor.end().success(), "{host}");
        assert!(place.run("ledger", &[]).status.success(), "{host}");
    }
}

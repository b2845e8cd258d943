//! Nobody is let in who does not belong, and nobody costs the others anything.

mod support;

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use support::{Place, Sender, packet, wait};

#[test]
fn the_socket_is_for_its_owner() {
    let place = Place::new();
    let supervisor = place.start(&[]);
    let mode = |path: &std::path::Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&supervisor.socket), mode(supervisor.socket.parent().expect("a directory"))), (0o600, 0o700));
    assert!(supervisor.end().success());
}

#[test]
fn over_tcp_only_who_knows_the_secret_is_heard_and_the_secret_is_never_shown() {
    let place = Place::new();
    fs::write(place.path("secret"), "correct-horse\n").expect("written");
    fs::set_permissions(place.path("secret"), fs::Permissions::from_mode(0o600)).expect("a mode");
    let supervisor =
        place.start(&["--set", "weatherlight.tcp=127.0.0.1:0", "--set", "weatherlight.secret_file=secret"]);
    let line = packet("intruder", "CRITICAL");
    for hello in ["", "weatherlight/1 json\n", "weatherlight/1 json wrong\n", "weatherlight/1 ask correct-horse\n"] {
        let mut sender = Sender::over_tcp(TcpStream::connect(&supervisor.addresses["tcp"]).expect("it listens"));
        // It may have closed by then.
        let _ = sender.stream.get_mut().write_all(format!("{hello}{line}\n").as_bytes());
        if let Some(answer) = sender.answer() {
            assert_eq!((&answer["ok"], answer["number"].is_null()), (&false.into(), true), "{hello}");
        }
        assert_eq!(sender.answer(), None, "{hello}");
    }
    assert!(place.tail("emergency").is_empty());
    let mut known = Sender::over_tcp(TcpStream::connect(&supervisor.addresses["tcp"]).expect("it listens"));
    known.say("weatherlight/1 json correct-horse\n");
    known.keep(&packet("known", "CRITICAL"));
    let (_, live) = supervisor.get("/live.json");
    let shown = place.run("config", &["show", "--set", "weatherlight.secret=correct-horse"]);
    for text in [live, String::from_utf8(shown.stdout).expect("UTF-8")] {
        assert!(!text.contains("correct-horse"), "{text}");
    }
    assert!(supervisor.end().success());

    // A secret that others may read is none.
    fs::set_permissions(place.path("secret"), fs::Permissions::from_mode(0o644)).expect("a mode");
    let open = place.run("run", &["--set", "weatherlight.tcp=127.0.0.1:0", "--set", "weatherlight.secret_file=secret"]);
    assert_eq!(open.status.code(), Some(2));
    let said = String::from_utf8_lossy(&open.stderr);
    assert!(said.contains("mode 0644") && !said.contains("correct-horse"), "{said}");
}

#[test]
fn one_sender_does_not_take_all_connections() {
    let place = Place::new();
    let supervisor = place.start(&["--set", "weatherlight.connections_per_sender=2"]);
    let mut seated: Vec<Sender> = (0..2).map(|_| supervisor.connect()).collect();
    for (number, sender) in seated.iter_mut().enumerate() {
        sender.keep(&packet(&format!("seated-{number}"), "INFO"));
    }
    let mut third = supervisor.connect();
    let answer = third.answer().expect("a reason");
    assert_eq!((&answer["ok"], &answer["retry"]), (&false.into(), &true.into()));
    assert_eq!(third.answer(), None);
    // Another process has its own.
    fs::write(place.path("own.jsonl"), packet("other", "CRITICAL")).expect("written");
    assert!(place.run("send", &["own.jsonl"]).status.success());
    assert!(supervisor.end().success());
}

#[test]
fn whoever_floods_or_talks_nonsense_or_says_nothing_holds_up_nobody() {
    let place = Place::new();
    let supervisor = place.start(&["--set", "weatherlight.packet_kibibytes=1"]);
    // Begins a packet and never ends it.
    let mut slow = supervisor.connect();
    slow.say("{\"packet_id\":\"slow");
    // Sends and sends, and never reads an answer.
    let flood = UnixStream::connect(&supervisor.socket).expect("it listens");
    flood.set_write_timeout(Some(std::time::Duration::from_millis(50))).expect("a limit");
    let flooding = std::thread::spawn(move || {
        let lines: String = (0..100_000).map(|number| packet(&format!("flood-{number}"), "INFO") + "\n").collect();
        // Until its own pipe is full: that is what slows it down.
        let _ = (&flood).write_all(lines.as_bytes());
        flood
    });
    let mut nonsense = supervisor.connect();
    let garbage: Vec<u8> = (0..200_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    nonsense.say("{");
    // It is closed after a while.
    let _ = nonsense.stream.get_mut().write_all(&garbage);
    let mut calm = supervisor.connect();
    for number in 0..50 {
        calm.keep(&packet(&format!("calm-{number}"), if number % 2 == 0 { "CRITICAL" } else { "ERROR" }));
    }
    let flood = flooding.join().expect("it floods");
    assert_eq!(place.tail("emergency").len(), 25);
    let too_large = format!("{{\"packet_id\":\"{}\"}}", "x".repeat(2_000));
    calm.line(&too_large);
    assert!(calm.answer().expect("an answer")["error"].as_str().expect("a reason").contains("longer than 1024 bytes"));
    calm.keep(&packet("after-all", "CRITICAL"));
    drop((slow, flood));
    assert!(supervisor.end().success());
}

#[test]
fn a_log_that_nobody_reads_holds_up_nobody() {
    let place = Place::new();
    let mut command = place.command("run");
    command.args(["--set", "weatherlight.page=", "--set", "weatherlight.connections_per_sender=1"]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    let socket = place.path("weatherlight/intake.sock");
    wait(|| socket.exists());
    let mut seated = Sender::over(UnixStream::connect(&socket).expect("it listens"));
    seated.keep(&packet("seated", "INFO"));
    // Each of these is a line in the log, far more than a pipe holds.
    for _ in 0..2_000 {
        let mut other = Sender::over(UnixStream::connect(&socket).expect("it listens"));
        assert_eq!(other.answer().expect("a reason")["ok"], false);
    }
    seated.keep(&packet("alarm", "CRITICAL"));
    kill_process(Pid::from_child(&child), Signal::TERM).expect("it is there");
    assert!(child.wait().expect("it ends").success());
    assert_eq!(place.tail("emergency"), [packet("alarm", "CRITICAL")]);
}

#[test]
fn a_connection_that_is_all_nonsense_is_closed() {
    let place = Place::new();
    let supervisor = place.start(&[]);
    let mut sender = supervisor.connect();
    sender.say("{\n".repeat(150));
    let mut answers = 0;
    while let Some(answer) = sender.answer() {
        assert_eq!(answer["ok"], false);
        answers += 1;
    }
    assert_eq!(answers, 100);
    assert!(supervisor.end().success());
}

#[test]
fn the_page_is_read_only_and_of_here() {
    let place = Place::new();
    let supervisor = place.start(&[]);
    let mut sender = supervisor.connect();
    let hostile = "{\"packet_id\":\"x\",\"source_subsystem\":\"<img src=x onerror=alert(1)>\",\"level\":\"TELEMETRY_LEVEL_CRITICAL\"}";
    sender.keep(hostile);
    let (head, page) = supervisor.get("/");
    assert!(
        head.starts_with("http/1.1 200")
            && head.contains("content-security-policy: default-src 'none'; script-src 'sha256-"),
        "{head}"
    );
    assert!(head.contains("connect-src 'self'") && head.contains("frame-ancestors 'none'"), "{head}");
    assert!(!page.contains("onerror") && !page.contains("http://") && !page.contains("https://"), "{page}");
    let (head, live) = supervisor.get("/live.json");
    assert!(head.contains("application/json") && head.contains("nosniff"), "{head}");
    let live: serde_json::Value = serde_json::from_str(&live).expect("JSON");
    assert_eq!(live["alarms"][0]["source"], "<img src=x onerror=alert(1)>");
    assert_eq!((&live["health"], &live["ledger"]["balances"]), (&"healthy".into(), &true.into()));
    assert!(live["jobs"].as_array().is_some_and(|jobs| jobs.iter().any(|job| job["name"] == "connection")), "{live}");
    let (head, health) = supervisor.get("/health");
    assert!(head.starts_with("http/1.1 200") && health.contains("\"status\":\"healthy\""), "{health}");
    let (_, metrics) = supervisor.get("/metrics");
    assert!(metrics.contains("countermand_router_accepted_total{priority=\"CRITICAL\"} 1"), "{metrics}");
    assert!(supervisor.get("/elsewhere").0.starts_with("http/1.1 404"));
    let host = &supervisor.addresses["page"];
    assert!(
        supervisor
            .page(&format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n"))
            .0
            .starts_with("http/1.1 405")
    );
    assert!(supervisor.page("GET / HTTP/1.1\r\nHost: attacker.example\r\n\r\n").0.starts_with("http/1.1 421"));
    assert!(supervisor.end().success());
}

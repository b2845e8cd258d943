//! The sinks beside the journal that need no server: packets in the log through `tracing`, figures at an OpenTelemetry collector.

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::Value;
use support::{PATIENCE, Place, Supervisor, alarm, packet, wait};

/// The line in which a packet is shown.
fn shown(supervisor: &Supervisor, name: &str) -> Value {
    supervisor.line(name, |line| line["target"] == "countermand::telemetry" && line["fields"]["packet_id"] == name)
}

#[test]
fn packets_are_shown_through_tracing_from_the_level_of_the_log_on() {
    for host in ["tokio", "smol", "threads"] {
        let place = Place::new();
        let supervisor = place.start(&["--host", host, "--set", "telemetry.sinks=journal,tracing"]);
        let mut sender = supervisor.connect();
        sender.keep(&packet("ordinary", "INFO"));
        sender.keep(&alarm("alarm", "CRITICAL", "on_fire"));
        let line = shown(&supervisor, "alarm");
        assert_eq!((&line["level"], &line["fields"]["message"]), (&"ERROR".into(), &"on_fire".into()), "{host}");
        assert_eq!(line["fields"]["priority"], "CRITICAL", "{host}");
        assert_eq!(shown(&supervisor, "ordinary")["level"], "INFO", "{host}");
        assert!(supervisor.end().success(), "{host}");
    }
}

#[test]
fn what_is_below_the_level_of_the_log_and_what_is_in_it_already_is_not_shown() {
    let place = Place::new();
    let arguments = ["--set", "telemetry.sinks=journal,tracing", "--set", "telemetry.log_level=error"];
    // It says nothing of its doors then.
    let supervisor = place.start_with(0, &arguments);
    wait(|| supervisor.socket.exists());
    let mut sender = supervisor.connect();
    sender.keep(&packet("quiet", "INFO"));
    sender.keep(&packet("quiet-too", "WARNING"));
    sender.keep(&packet("loud", "ERROR"));
    // They are of one stream, and WARNING comes before ERROR.
    let first = supervisor.line("a packet", |line| line["target"] == "countermand::telemetry");
    assert_eq!(first["fields"]["packet_id"], "loud");
    assert!(supervisor.end().success());
}

/// The readers of the journal.
fn readers(place: &Place) -> Vec<String> {
    let ledger = place.run("ledger", &["--format", "json"]);
    let ledger: Value = serde_json::from_slice(&ledger.stdout).expect("JSON");
    assert_eq!(ledger["journal"]["balances"], true, "{ledger}");
    ledger["journal"]["consumers"].as_object().expect("an object").keys().cloned().collect()
}

#[test]
fn the_journal_keeps_nothing_for_a_log_that_shows_no_packets_any_more() {
    let place = Place::new();
    let supervisor = place.start(&["--set", "telemetry.sinks=journal,tracing"]);
    let mut sender = supervisor.connect();
    sender.keep(&packet("shown", "CRITICAL"));
    shown(&supervisor, "shown");
    assert!(supervisor.end().success());
    assert_eq!(readers(&place), ["tracing"]);
    let supervisor = place.start(&[]);
    assert_eq!(supervisor.event("weatherlight.reader_removed")["attributes"]["reader"], "tracing");
    assert!(supervisor.end().success());
    assert_eq!(readers(&place), [""; 0]);
    assert_eq!(place.tail("emergency"), [packet("shown", "CRITICAL")]);
}

/// A collector that gives out what it is sent, and answers with what it is told to.
fn collector(status: &'static str) -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let (to, came) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let (mut head, mut length) = (String::new(), 0);
            while reader.read_line(&mut head).is_ok_and(|bytes| bytes > 2) {}
            for line in head.lines() {
                if let Some(count) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = count.trim().parse().expect("a number");
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            // Whoever asked may have gone.
            let _ = reader.get_mut().write_all(answer.as_bytes());
            if to.send((head, body)).is_err() {
                return;
            }
        }
    });
    (address, came)
}

#[test]
fn a_collector_gets_the_figures_again_and_again() {
    let place = Place::new();
    let (address, came) = collector("200 OK");
    let url = format!("telemetry.otlp_url={address}");
    let sinks = ["--set", "telemetry.sinks=journal,metrics", "--set", "telemetry.otlp_interval_ms=100", "--set", &url];
    let supervisor = place.start(&sinks);
    supervisor.connect().keep(&packet("counted", "CRITICAL"));
    for _ in 0..2 {
        let (head, body) = came.recv_timeout(PATIENCE).expect("figures");
        assert!(head.starts_with("POST /v1/metrics HTTP/1.1"), "{head}");
        let has = |name: &str| body.windows(name.len()).any(|part| part == name.as_bytes());
        assert!(has("countermand.router.accepted") && has("weatherlight.part.up") && has("weatherlight"));
    }
    assert_eq!(supervisor.part("otlp")["state"], "running");
    assert!(supervisor.end().success());
}

#[test]
fn a_collector_that_says_no_or_nothing_holds_up_nobody() {
    let place = Place::new();
    let (refuses, _came) = collector("503 Service Unavailable");
    let refuses = format!("telemetry.otlp_url={refuses}");
    let supervisor = place.start(&["--set", "telemetry.sinks=journal,metrics", "--set", &refuses]);
    let event = supervisor.event("weatherlight.sink_failed");
    assert_eq!(event["attributes"]["sink"], "otlp");
    assert!(event["description"].as_str().is_some_and(|why| why.contains("503")), "{event}");
    assert_eq!(supervisor.part("otlp")["state"], "backing-off");
    supervisor.connect().keep(&packet("kept", "CRITICAL"));
    assert!(supervisor.end().success());

    // It takes the connection, and that is all.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("telemetry.otlp_url=http://{}", silent.local_addr().expect("an address"));
    let supervisor = place.start(&["--set", "telemetry.sinks=journal,metrics,tracing", "--set", &address]);
    let asked = silent.accept().expect("it connects");
    let mut sender = supervisor.connect();
    sender.keep(&packet("kept-too", "CRITICAL"));
    shown(&supervisor, "kept-too");
    assert!(supervisor.end().success());
    drop(asked);
}

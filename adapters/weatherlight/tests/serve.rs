//! A supervisor that runs: what it acknowledges is there, by whichever door it came, on every host, and after the end.

mod support;

use std::fs;
use std::io::Read as _;
use std::net::TcpStream;

use countermand::Format;
use countermand_wire::{Limits, to_protobuf, write_framed};
use serde_json::Value;
use support::{Place, Sender, packet, recordings};

/// The lines of a stream that are not the supervisor's own.
fn of_senders(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().filter(|line| !line.contains("\"source_subsystem\":\"weatherlight")).collect()
}

#[test]
fn what_is_acknowledged_comes_back_on_every_host() {
    for host in ["tokio", "smol", "threads"] {
        let place = Place::new();
        let supervisor = place.start(&["--host", host]);
        let mut sender = supervisor.connect();
        sender.line(&packet("ordinary", "INFO"));
        sender.line(&packet("alarm", "CRITICAL"));
        sender.line("nonsense");
        let mut answers: Vec<Value> = (0..3).map(|_| sender.answer().expect("an answer")).collect();
        answers.sort_by_key(|answer| answer["number"].as_u64());
        assert_eq!((&answers[0]["ok"], &answers[0]["packet_id"]), (&true.into(), &"ordinary".into()), "{host}");
        assert_eq!((&answers[1]["ok"], &answers[1]["packet_id"]), (&true.into(), &"alarm".into()), "{host}");
        assert_eq!((&answers[2]["ok"], &answers[2]["retry"]), (&false.into(), &false.into()), "{host}");
        assert!(answers[2]["error"].as_str().expect("a reason").starts_with("line 3: "), "{host}");
        // Asked of the one that runs.
        assert_eq!(of_senders(place.tail("normal")), [packet("ordinary", "INFO")], "{host}");
        assert_eq!(place.tail("emergency"), [packet("alarm", "CRITICAL")], "{host}");
        let ledger = place.run("ledger", &["--format", "json"]);
        assert!(ledger.status.success(), "{host}");
        let ledger: Value = serde_json::from_slice(&ledger.stdout).expect("JSON");
        assert_eq!(ledger["router"]["by_priority"]["LOW"]["dead_lettered"], 1, "{host}");
        assert!(supervisor.end().success(), "{host}");
        // And of the file that it left.
        assert_eq!(place.tail("emergency"), [packet("alarm", "CRITICAL")], "{host}");
        assert!(!place.path("weatherlight/intake.sock").exists(), "{host}");
    }
}

#[test]
fn recordings_go_through_the_client_and_come_back_byte_for_byte() {
    let files = recordings();
    if files.is_empty() {
        println!("skipped: there are no recordings beside the project");
        return;
    }
    let place = Place::new();
    let supervisor = place.start(&[]);
    let names: Vec<&str> = files.iter().map(|file| file.to_str().expect("UTF-8")).collect();
    // Sent twice, as by somebody who lost the answers: kept once.
    for _ in 0..2 {
        let sent = place.run("send", &names);
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
        assert_eq!(String::from_utf8_lossy(&sent.stdout), "kept: 6, to be sent again: 0, no packets: 0\n");
    }
    let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).expect("readable")).collect();
    let mut sent: Vec<&str> = texts.iter().flat_map(|text| text.lines()).collect();
    let kept = of_senders(place.tail("normal"));
    let mut kept: Vec<&str> = kept.iter().map(String::as_str).collect();
    sent.sort_unstable();
    kept.sort_unstable();
    assert_eq!(kept, sent);
    assert!(supervisor.end().success());
}

#[test]
fn standard_input_is_answered_on_standard_output_and_its_end_can_be_the_end() {
    let place = Place::new();
    let mut supervisor = place.start(&["--stdin", "json", "--until-eof"]);
    let mut input = supervisor.child.stdin.take().expect("piped");
    std::io::Write::write_all(&mut input, format!("{}\n", packet("typed", "ERROR")).as_bytes()).expect("it reads");
    drop(input);
    let mut answers = String::new();
    supervisor.child.stdout.take().expect("piped").read_to_string(&mut answers).expect("it answers");
    let answer: Value = serde_json::from_str(&answers).expect("one line of JSON");
    assert_eq!((&answer["ok"], &answer["packet_id"]), (&true.into(), &"typed".into()));
    assert!(supervisor.child.wait().expect("it ends").success());
    assert_eq!(of_senders(place.tail("normal")), [packet("typed", "ERROR")]);
}

#[test]
fn protobuf_over_tcp_with_the_secret() {
    let place = Place::new();
    let supervisor =
        place.start(&["--set", "weatherlight.tcp=127.0.0.1:0", "--set", "weatherlight.secret=correct-horse"]);
    let mut sender = Sender::over_tcp(TcpStream::connect(&supervisor.addresses["tcp"]).expect("it listens"));
    sender.say("weatherlight/1 protobuf correct-horse\n");
    let bytes = to_protobuf(packet("binary", "CRITICAL").as_bytes(), &Limits::default()).expect("a packet");
    let mut framed = Vec::new();
    write_framed(Format::Protobuf, &bytes, &mut framed);
    sender.say(&framed);
    assert_eq!(sender.answer().expect("an answer")["packet_id"], "binary");
    let kept = place.run("tail", &["--stream", "emergency"]);
    assert_eq!(kept.stdout, framed);
    let shown = place.run("tail", &["--stream", "emergency", "--json"]);
    assert_eq!(String::from_utf8_lossy(&shown.stdout), packet("binary", "CRITICAL") + "\n");
    assert!(supervisor.end().success());
}

#[test]
fn told_to_end_it_answers_what_it_has_read_and_takes_no_more() {
    let place = Place::new();
    // Commits are far apart, so that some packets are on their way when the end comes.
    let supervisor = place.start(&["--set", "weatherlight.commit_ms=500"]);
    let mut sender = supervisor.connect();
    for number in 0..200 {
        sender.line(&packet(&format!("p-{number}"), "INFO"));
    }
    // One answer: from here on the rest is read or on its way.
    let first = sender.answer().expect("an answer");
    assert_eq!(first["ok"], true);
    let mut acknowledged = vec![first["packet_id"].as_str().expect("a name").to_owned()];
    supervisor.signal(rustix::process::Signal::TERM);
    while let Some(answer) = sender.answer() {
        if answer["ok"] == true {
            acknowledged.push(answer["packet_id"].as_str().expect("a name").to_owned());
        } else {
            assert_eq!(answer["retry"], true, "{answer}");
        }
    }
    assert!(supervisor.end_after_signal().success());
    let kept = of_senders(place.tail("normal"));
    for name in &acknowledged {
        assert!(kept.contains(&packet(name, "INFO")), "{name} was acknowledged, and is not there");
    }
    let ledger = place.run("ledger", &["--format", "json"]);
    assert!(ledger.status.success());
}

#[test]
fn a_stream_is_followed_as_it_grows() {
    let place = Place::new();
    let supervisor = place.start(&[]);
    let mut sender = supervisor.connect();
    sender.keep(&packet("before", "CRITICAL"));
    let mut follower = supervisor.connect();
    follower.say("weatherlight/1 ask\n{\"ask\":\"tail\",\"stream\":\"emergency\",\"follow\":true}\n");
    let mut next = || {
        let head = follower.answer().expect("a packet");
        let mut packet = String::new();
        std::io::BufRead::read_line(&mut follower.stream, &mut packet).expect("a packet");
        assert_eq!(head["bytes"].as_u64(), Some(packet.len() as u64 - 1));
        packet
    };
    assert_eq!(next(), packet("before", "CRITICAL") + "\n");
    sender.keep(&packet("after", "CRITICAL"));
    assert_eq!(next(), packet("after", "CRITICAL") + "\n");
    assert!(supervisor.end().success());
}

#[test]
fn two_supervisors_do_not_share_a_journal() {
    let place = Place::new();
    let supervisor = place.start(&[]);
    let second = place.run("run", &["--set", "weatherlight.socket=other/intake.sock", "--set", "weatherlight.page="]);
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use"));
    assert!(supervisor.end().success());
}

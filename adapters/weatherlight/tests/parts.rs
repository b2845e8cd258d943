//! The supervisor looks after its own parts: one that fails rests and is started again, and one that fails too often is given up.

mod support;

use std::net::TcpListener;

use support::{Place, packet};

const SECRET: &str = "weatherlight.secret=correct-horse";

#[test]
fn a_door_that_is_taken_is_tried_again_until_it_is_free() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let tcp = format!("weatherlight.tcp={}", taken.local_addr().expect("an address"));
    let limits = ["--set", "weatherlight.restarts=1000", "--set", "weatherlight.restart_most_ms=100"];
    let supervisor = place.start_with(2, &[&["--set", SECRET, "--set", &tcp], &limits[..]].concat());
    let event = supervisor.event("weatherlight.part_failed");
    assert_eq!(event["attributes"]["part"], "tcp");
    assert!(event["description"].as_str().is_some_and(|why| why.contains("in use")), "{event}");
    // The others do their work meanwhile.
    supervisor.connect().keep(&packet("meanwhile", "CRITICAL"));
    drop(taken);
    let event = supervisor.event("weatherlight.listening");
    assert_eq!(event["attributes"]["door"], "tcp");
    let tcp = supervisor.part("tcp");
    assert_eq!(tcp["state"], "running");
    assert!(tcp["restarts"].as_u64().is_some_and(|restarts| restarts > 0), "{tcp}");
    assert!(supervisor.get("/health").0.starts_with("http/1.1 200"));
    assert!(supervisor.end().success());
}

#[test]
fn one_that_fails_too_often_is_given_up_and_said_to_be() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let tcp = format!("weatherlight.tcp={}", taken.local_addr().expect("an address"));
    let limits = ["--set", "weatherlight.restarts=2", "--set", "weatherlight.restart_first_ms=1"];
    let supervisor = place.start_with(2, &[&["--set", SECRET, "--set", &tcp], &limits[..]].concat());
    let event = supervisor.event("weatherlight.part_given_up");
    assert_eq!((&event["level"], &event["attributes"]["part"]), (&"CRITICAL".into(), &"tcp".into()));
    assert_eq!(supervisor.part("tcp")["state"], "failed");
    let (head, health) = supervisor.get("/health");
    assert!(head.starts_with("http/1.1 503") && health.contains("unhealthy"), "{head}\n{health}");
    // It is an alarm like any other, and the doors that are open stay so.
    supervisor.connect().keep(&packet("still", "CRITICAL"));
    assert!(place.tail("emergency").iter().any(|line| line.contains("weatherlight.part_given_up")));
    assert_eq!(supervisor.end().code(), Some(1));
}

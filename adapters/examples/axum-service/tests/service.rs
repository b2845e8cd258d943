//! Talks to the service as its callers do. Whether something has begun is read from its own figures, never guessed from the time.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Only for what fails the test is it ever over.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longer than any test.
const FOR_EVER: &str = "/work?ms=86400000";

struct Service {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: String,
}

impl Service {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_axum-service"))
            .args(["--address", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("it listens");
        let address = line.trim().strip_prefix("listening on ").expect("where").to_owned();
        Self { child, stdout, address }
    }

    /// Sends a request, and does not wait for its response.
    fn send(&self, path: &str, heads: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{heads}\r\n", self.address);
        stream.write_all(request.as_bytes()).expect("it reads");
        stream
    }

    fn get(&self, path: &str, heads: &str) -> (u16, String) {
        response(self.send(path, heads))
    }

    /// Looks until so many requests are in that state.
    fn wait_for(&self, state: &str, count: usize) {
        self.look("/jobs", |jobs| jobs.matches(state).count() == count);
    }

    fn wait_for_figure(&self, line: &str) {
        self.look("/metrics", |figures| figures.lines().any(|figure| figure == line));
    }

    fn look(&self, path: &str, so: impl Fn(&str) -> bool) {
        let began = Instant::now();
        while !so(&self.get(path, "").1) {
            assert!(began.elapsed() < PATIENCE, "{}", self.get(path, "").1);
        }
    }

    /// Tells it to end, and gives back what it says then.
    fn end(mut self) -> String {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("it is there");
        let mut told = String::new();
        self.stdout.read_to_string(&mut told).expect("UTF-8");
        assert!(self.child.wait().expect("it ends").success());
        told
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn response(mut stream: TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, body.to_owned())
}

#[test]
fn a_request_is_answered_or_its_deadline_is() {
    let service = Service::start(&["--limit", "1h"]);
    assert_eq!(service.get("/work?ms=0", ""), (200, String::from("worked for 0 ms\n")));
    let (status, why) = service.get(FOR_EVER, "x-deadline-ms: 20\r\n");
    assert_eq!((status, &*why), (504, "the request's time was out\n"));
    assert_eq!(service.get("/work?ms=soon", "").0, 400);
    let figures = service.get("/metrics", "").1;
    assert!(figures.contains("countermand_jobs_submitted_total{priority=\"NORMAL\"} 3\n"), "{figures}");
    assert_eq!(service.end(), "3 requests: 2 answered, 1 timed out, 0 cancelled, 0 refused\n");
}

#[test]
fn load_is_shed_but_not_the_urgent_and_who_goes_takes_the_work_along() {
    let service = Service::start(&["--lanes", "1", "--capacity", "2", "--limit", "1h"]);
    let running = service.send(FOR_EVER, "");
    service.wait_for("Running", 1);
    let queued = service.send(FOR_EVER, "");
    service.wait_for("Queued", 1);
    let (status, why) = service.get(FOR_EVER, "");
    assert_eq!(status, 503, "the last place is not for this one");
    assert!(why.contains("the queue is full"), "{why}");
    let urgent = service.send("/work?ms=0", "x-priority: high\r\n");
    service.wait_for("Queued", 2);
    drop(running);
    assert_eq!(response(urgent).0, 200, "the lane is free as soon as its caller has gone");
    drop(queued);
    service.wait_for_figure("countermand_jobs_settled_total{outcome=\"cancelled\",priority=\"NORMAL\"} 2");
    assert_eq!(service.end(), "4 requests: 1 answered, 0 timed out, 2 cancelled, 1 refused\n");
}

//! What the tests of the program have in common: a directory, a supervisor in it, and somebody who talks to it.
#![allow(dead_code, reason = "each test needs some of it")]

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// How long a test waits for what must come; only for one that fails it is ever over.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The program.
pub(crate) fn weatherlight() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weatherlight"));
    // Nothing of the machine that the tests run on.
    command.env_clear();
    command
}

/// The recorded packets, if they lie beside the project.
pub(crate) fn recordings() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/telemetry");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    files.sort();
    files
}

/// A packet of this level, whose own name says which one it is.
pub(crate) fn packet(name: &str, level: &str) -> String {
    format!("{{\"packet_id\":\"{name}\",\"source_subsystem\":\"test\",\"level\":\"TELEMETRY_LEVEL_{level}\"}}")
}

/// An alarm about `subject`, of this level.
pub(crate) fn alarm(name: &str, level: &str, subject: &str) -> String {
    format!(
        "{{\"packet_id\":\"{name}\",\"source_subsystem\":\"test\",\"level\":\"TELEMETRY_LEVEL_{level}\",\
         \"events\":[{{\"event_id\":\"e\",\"description\":\"{subject}\",\"level\":\"TELEMETRY_LEVEL_{level}\"}}],\
         \"system_health\":{{\"indicators\":{{\"priority\":\"critical\"}}}}}}"
    )
}

/// A directory, and a configuration in which everything is in it.
pub(crate) struct Place {
    pub(crate) directory: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The program, called with this command and with everything in the directory.
    pub(crate) fn command(&self, command: &str) -> Command {
        let mut program = weatherlight();
        program.arg(command).current_dir(self.directory.path());
        program
    }

    pub(crate) fn run(&self, command: &str, arguments: &[&str]) -> Output {
        self.command(command).args(arguments).output().expect("it runs")
    }

    /// What stands in a stream, line by line.
    pub(crate) fn tail(&self, stream: &str) -> Vec<String> {
        let output = self.run("tail", &["--stream", stream]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
    }

    /// A supervisor in the directory, once it listens at every door.
    pub(crate) fn start(&self, arguments: &[&str]) -> Supervisor {
        let doors = if arguments.iter().any(|argument| argument.contains("weatherlight.tcp=")) { 3 } else { 2 };
        self.start_with(doors, arguments)
    }

    /// A supervisor in the directory, once it listens at so many doors.
    pub(crate) fn start_with(&self, doors: usize, arguments: &[&str]) -> Supervisor {
        let mut command = self.command("run");
        command.args(["--log-format", "json", "--set", "weatherlight.page=127.0.0.1:0"]).args(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let (log, lines) = channel();
        let stderr = child.stderr.take().expect("piped");
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if log.send(line).is_err() {
                    break;
                }
            }
        });
        let mut supervisor = Supervisor {
            child,
            socket: self.path("weatherlight/intake.sock"),
            addresses: BTreeMap::new(),
            log: lines,
            passed: RefCell::default(),
        };
        while supervisor.addresses.len() < doors {
            let event = supervisor.event("weatherlight.listening");
            let attribute = |key: &str| event["attributes"][key].as_str().expect("a text").to_owned();
            supervisor.addresses.insert(attribute("door"), attribute("address"));
        }
        supervisor
    }
}

/// Waits for something outside of this process, which tells of itself only when it is asked.
pub(crate) fn wait(mut is_there: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_there() {
        assert!(Instant::now() < until, "it did not come");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a supervisor was killed, and did not end by itself.
pub(crate) fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::KILL.as_raw())
}

/// A supervisor that runs. Dropped, it is killed.
pub(crate) struct Supervisor {
    pub(crate) child: Child,
    pub(crate) socket: PathBuf,
    /// Where it listens, by door.
    pub(crate) addresses: BTreeMap<String, String>,
    log: Receiver<String>,
    /// Events that came before the one that was waited for.
    passed: RefCell<VecDeque<Value>>,
}

impl Supervisor {
    /// The next event of this name in its log that was not given out before.
    pub(crate) fn event(&self, name: &str) -> Value {
        self.line(name, |line| line["event"] == name)
    }

    /// The next line of its log that is `wanted` and was not given out before; `name` is what it is called if it does not come.
    pub(crate) fn line(&self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut passed = self.passed.borrow_mut();
        if let Some(at) = passed.iter().position(&wanted) {
            return passed.remove(at).expect("it was found there");
        }
        loop {
            let line = self.log.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("no {name}: {error}; {passed:?}"));
            let line: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if wanted(&line) {
                return line;
            }
            passed.push_back(line);
        }
    }

    /// One of its parts, or of its sinks, as the page has it.
    pub(crate) fn part(&self, name: &str) -> Value {
        let (_, live) = self.get("/live.json");
        let live: Value = serde_json::from_str(&live).expect("JSON");
        let parts = live["parts"].as_array().expect("a list").clone();
        parts.into_iter().find(|part| part["name"] == name).expect("there is such a part")
    }

    /// One of its figures, as Prometheus reads it.
    pub(crate) fn figure(&self, series: &str) -> Option<u64> {
        let (_, metrics) = self.get("/metrics");
        let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
        line.parse().ok()
    }

    pub(crate) fn connect(&self) -> Sender {
        Sender::over(UnixStream::connect(&self.socket).expect("it listens"))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("it is there");
    }

    /// Tells it to end, and waits.
    pub(crate) fn end(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.child.wait().expect("it ends")
    }

    /// Waits for the end that a signal has asked for.
    pub(crate) fn end_after_signal(mut self) -> ExitStatus {
        self.child.wait().expect("it ends")
    }

    /// Ends it at once, as the loss of power would.
    pub(crate) fn kill(mut self) -> ExitStatus {
        self.child.kill().expect("it is there");
        self.child.wait().expect("it ends")
    }

    /// One exchange with the page: the status line and the heads, and the body.
    pub(crate) fn page(&self, request: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.addresses["page"]).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("it answers");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        (head.to_ascii_lowercase(), body.to_owned())
    }

    pub(crate) fn get(&self, path: &str) -> (String, String) {
        self.page(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.addresses["page"]))
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody who talks to a supervisor.
pub(crate) struct Sender<S = UnixStream> {
    pub(crate) stream: BufReader<S>,
}

impl Sender<UnixStream> {
    pub(crate) fn over(stream: UnixStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        Self { stream: BufReader::new(stream) }
    }
}

impl Sender<TcpStream> {
    pub(crate) fn over_tcp(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        Self { stream: BufReader::new(stream) }
    }
}

impl<S: std::io::Read + std::io::Write> Sender<S> {
    pub(crate) fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(bytes.as_ref()).expect("it reads");
    }

    pub(crate) fn line(&mut self, line: &str) {
        self.say(format!("{line}\n"));
    }

    /// The next answer; nothing if the connection was closed.
    pub(crate) fn answer(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))),
            // What was not read is thrown away when it closes.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("no answer: {error}"),
        }
    }

    /// Sends a packet and waits until it is kept.
    pub(crate) fn keep(&mut self, line: &str) {
        self.line(line);
        let answer = self.answer().expect("an answer");
        assert_eq!(answer["ok"], true, "{answer}");
    }
}

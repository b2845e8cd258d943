//! A `redis-server` of the test's own: on a port that nobody else has, in a directory that goes away with it, and as durable as it can be.

use std::io::{BufRead as _, BufReader, ErrorKind};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use countermand_redis::RedisConfig;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tempfile::TempDir;

pub(crate) struct Server {
    dir: TempDir,
    port: u16,
    child: Option<Child>,
}

/// Below the ports that the system gives to those who connect: one of those could get hold of the port while the server is down.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

impl Server {
    /// A server that answers; `None`, and a reason on the standard error, if there is no such program here.
    pub(crate) fn start() -> Option<Self> {
        for _ in 0..50 {
            let mut server = Self::at(free_port())?;
            if server.try_restart() {
                return Some(server);
            }
        }
        panic!("no server came up on any of fifty ports");
    }

    /// A server on this port that is not started yet.
    pub(crate) fn at(port: u16) -> Option<Self> {
        match Command::new("redis-server").arg("--version").stdout(Stdio::null()).status() {
            Ok(_) => Some(Self { dir: TempDir::new().unwrap(), port, child: None }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                assert!(std::env::var_os("COUNTERMAND_NEEDS_REDIS").is_none(), "no redis-server on the PATH");
                eprintln!("skipped: there is no redis-server on the PATH");
                None
            }
            Err(error) => panic!("redis-server: {error}"),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn config(&self) -> RedisConfig {
        RedisConfig::new(format!("redis://127.0.0.1:{}", self.port))
    }

    /// A connection past the crate that is examined.
    pub(crate) fn raw(&self) -> redis::Connection {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap();
        client.get_connection().unwrap()
    }

    /// Does one command past the crate that is examined.
    pub(crate) fn run<T: redis::FromRedisValue>(&self, command: &str) -> T {
        let mut parts = command.split(' ');
        let mut command = redis::cmd(parts.next().unwrap());
        for part in parts {
            command.arg(part);
        }
        command.query(&mut self.raw()).unwrap()
    }

    /// Ends it as an operator would, and waits until it has.
    pub(crate) fn stop(&mut self) {
        self.signal(Signal::TERM);
        self.reap();
    }

    /// Ends it at once, as it stands.
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.reap();
    }

    /// Starts it again, with the same data on the same port, and waits until it is ready.
    pub(crate) fn restart(&mut self) {
        assert!(self.try_restart(), "the server did not come up again");
    }

    /// From now on it answers nobody, and refuses nobody.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
        waitpid(Some(self.pid()), WaitOptions::UNTRACED).unwrap();
    }

    /// It answers again.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn try_restart(&mut self) -> bool {
        let settings = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always"];
        let mut command = Command::new("redis-server");
        command.arg("--port").arg(self.port.to_string()).arg("--dir").arg(self.dir.path()).args(settings);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = said.by_ref().map_while(Result::ok).any(|line| line.contains("Ready to accept connections"));
        if ready {
            // What it says is read on, since it would wait for that at some time.
            std::thread::spawn(move || said.map_while(Result::ok).for_each(drop));
            self.child = Some(child);
        } else {
            child.wait().unwrap();
        }
        ready
    }

    fn pid(&self) -> Pid {
        Pid::from_child(self.child.as_ref().expect("a running server"))
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    fn reap(&mut self) {
        self.child.take().unwrap().wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let width = PORTS.end - PORTS.start;
    let first = (std::process::id() % u32::from(width)) as u16;
    loop {
        let port = PORTS.start + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % width;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

//! The supervisor: `weatherlight` as a process of its own, from this very program.

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::Value;

/// See the head of the file. Dropped before its end, it is killed.
#[derive(Debug)]
pub(crate) struct Supervisor {
    child: Child,
    directory: PathBuf,
}

impl Supervisor {
    /// Starts it with everything in `directory`, and waits until it listens.
    pub(crate) fn start(directory: &Path) -> Result<Self, Box<dyn Error>> {
        let mut command = weatherlight(directory, "run")?;
        // Its standard input is its life: when we end, it does, whatever ends us.
        command.args(["--log-format", "json", "--stdin", "json", "--until-eof", "--set", "weatherlight.page="]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut supervisor = Self { child, directory: directory.to_owned() };
        let log = supervisor.child.stderr.take().ok_or("it has no standard error")?;
        let mut log = BufReader::new(log).lines();
        let mut said = String::new();
        loop {
            let Some(line) = log.next().transpose()? else {
                return Err(format!("weatherlight did not start:\n{said}").into());
            };
            let event: Value = serde_json::from_str(&line).unwrap_or_default();
            if event["event"] == "weatherlight.listening" && event["attributes"]["door"] == "socket" {
                break;
            }
            said = said + &line + "\n";
        }
        // It goes on telling; nobody listens, but the pipe must not fill.
        thread::spawn(move || log.map_while(Result::ok).for_each(drop));
        Ok(supervisor)
    }

    /// Where it takes packets.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.join("weatherlight/intake.sock")
    }

    /// Lets it end: it drains, and says whether everything went well.
    pub(crate) fn end(mut self) -> Result<(), Box<dyn Error>> {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("weatherlight ended with {status}").into()) }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What one of its commands prints.
pub(crate) fn ask(directory: &Path, command: &str, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    let output = weatherlight(directory, command)?.args(arguments).stdin(Stdio::null()).output()?;
    if !output.status.success() {
        return Err(format!("weatherlight {command}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn weatherlight(directory: &Path, command: &str) -> Result<Command, Box<dyn Error>> {
    let mut program = Command::new(std::env::current_exe()?);
    program.args(["weatherlight", command]).current_dir(directory);
    Ok(program)
}

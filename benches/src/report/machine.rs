//! On what, and with what, was measured.

use std::fs;
use std::process::Command;

/// The peers whose versions are told.
const PEERS: [&str; 19] = [
    "tokio",
    "tokio-util",
    "smol",
    "async-executor",
    "async-task",
    "blocking",
    "rayon",
    "threadpool",
    "async-priority-channel",
    "kanal",
    "flume",
    "async-channel",
    "embassy-sync",
    "futures",
    "metrics",
    "metrics-exporter-prometheus",
    "prometheus-client",
    "tracing",
    "tracing-subscriber",
];

/// The workspace's own record of what it was built with.
const LOCK: &str = include_str!("../../../Cargo.lock");

/// Lines about the machine and the versions: what, and which.
pub(crate) fn lines() -> Vec<(&'static str, String)> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let build = if cfg!(debug_assertions) { "with debug assertions: the figures mean nothing" } else { "optimized" };
    let peers: Vec<String> = PEERS.iter().filter_map(|name| Some(format!("{name} {}", version(name)?))).collect();
    vec![
        ("processor", format!("{processors} × {}", processor())),
        ("system", format!("{} {}", std::env::consts::ARCH, kernel())),
        ("compiler", compiler()),
        ("build", build.to_owned()),
        ("countermand", env!("CARGO_PKG_VERSION").to_owned()),
        ("peers", peers.join(", ")),
        ("python3", told("python3", "--version")),
    ]
}

/// The compiler that is here, by its own account.
pub(crate) fn compiler() -> String {
    told("rustc", "--version")
}

fn told(program: &str, flag: &str) -> String {
    match Command::new(program).arg(flag).output() {
        Ok(answer) if answer.status.success() => String::from_utf8_lossy(&answer.stdout).trim().to_owned(),
        _ => "not there".to_owned(),
    }
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(|| "an unknown processor".to_owned(), |(_, name)| name.trim().to_owned())
}

fn kernel() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{} {}", std::env::consts::OS, text.trim()).trim().to_owned()
}

/// The version of a package in the lock file.
fn version(name: &str) -> Option<&'static str> {
    let mut lines =
        LOCK.lines().skip_while(|line| line.strip_prefix("name = ").map(|rest| rest.trim_matches('"')) != Some(name));
    lines.nth(1)?.strip_prefix("version = ").map(|rest| rest.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_a_version() {
        for name in PEERS {
            let version = version(name).unwrap_or_else(|| panic!("{name} is not in the lock file"));
            assert!(version.starts_with(|first: char| first.is_ascii_digit()), "{name} {version}");
        }
    }
}

//! Runs the example `checksum` on every host, and compares what it prints with what `sha256sum` prints, byte for byte.
#![cfg(unix)]

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use countermand::Token;
use rustix::fs::{CWD, FileType, Mode};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

#[path = "../examples/checksum/tree.rs"]
#[allow(dead_code, reason = "the test looks at the walk alone")]
mod tree;

use tree::walk;

const HOSTS: [&str; 3] = ["tokio", "smol", "blocking"];

/// More than any machine reads in the time a test may take, and it needs no room on the disk: a file that is never finished.
const NEVER_READ: u64 = 1 << 42;

/// A user who owns nothing.
const NOBODY: u32 = 65_534;

/// The example's program: `cargo test` builds it beside the tests.
fn checksum() -> Command {
    let test = std::env::current_exe().expect("the path of this test");
    let profile = test.ancestors().nth(2).expect("a test lies in PROFILE/deps");
    let program = profile.join("examples").join("checksum");
    assert!(
        program.is_file(),
        "{} is missing; `cargo test` builds it, `cargo test --test checksum` alone does not",
        program.display()
    );
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}

/// When a program is killed that does not come to its end: then a fault fails its test, and holds up nobody.
const LIMIT: Duration = Duration::from_secs(120);

/// Kills the program after the limit, unless it is let go before.
struct Guard {
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<bool>>,
}

impl Guard {
    fn of(child: &Child) -> Self {
        let (over, watch) = channel();
        let pid = Pid::from_child(child);
        let thread = thread::spawn(move || {
            let late = watch.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout);
            if late {
                // It may have ended just now.
                let _ = kill_process(pid, Signal::KILL);
            }
            late
        });
        Self { over: Some(over), thread: Some(thread) }
    }

    /// The program's streams have ended.
    fn let_go(mut self) {
        drop(self.over.take());
        let late = self.thread.take().is_some_and(|thread| thread.join().expect("the guard"));
        assert!(!late, "the program had not ended after {LIMIT:?}");
    }
}

fn output(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let guard = Guard::of(&child);
    let output = child.wait_with_output().expect("what the program said");
    guard.let_go();
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What `sha256sum` says of the same tree, in the same order.
fn sha256sum(root: &Path) -> Output {
    output(&mut sha256sum_of(root))
}

fn sha256sum_of(root: &Path) -> Command {
    let script = r#"set -o pipefail; find "$1" -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum --"#;
    let mut command = Command::new("bash");
    command.args(["-c", script, "bash"]).arg(root);
    command
}

fn write(root: &Path, name: &[u8], content: &[u8]) -> PathBuf {
    let path = root.join(OsStr::from_bytes(name));
    fs::create_dir_all(path.parent().expect("a file lies in a directory")).expect("create the directory");
    fs::write(&path, content).expect("write the file");
    path
}

/// A tree with every kind of trouble that a name or an entry can make, and a file that takes a while.
fn odd_tree() -> TempDir {
    let tree = odd_tree_of_small_files();
    let big: Vec<u8> = (0_u32..3_000_000).flat_map(|n| n.wrapping_mul(0x9e37_79b1).to_le_bytes()).collect();
    write(tree.path(), b"big", &big);
    tree
}

fn odd_tree_of_small_files() -> TempDir {
    let tree = tempfile::tempdir().expect("a temporary directory");
    let root = tree.path();
    for name in [
        &b"plain"[..],
        b"two words",
        b" leading and trailing ",
        b"*star",
        b"-dash",
        b"back\\slash",
        b"new\nline",
        b"carriage\rreturn",
        b"all\\of\nthem\r",
        b"tab\tand bell\x07",
        b"not text \xff\xfe",
        b"not text \xff\n",
        "größe".as_bytes(),
        b"deep/er/and deeper\n/file",
        b"deep.er",
        b"a/b",
        b"a.b",
        b"a!b",
    ] {
        write(root, name, name);
    }
    write(root, b"empty", b"");
    fs::create_dir(root.join("empty directory")).expect("create the directory");
    for n in 0..300 {
        write(root, format!("many/{}/{n}", n % 7).as_bytes(), format!("{n}\n").repeat(n * 11).as_bytes());
    }
    std::os::unix::fs::symlink("nowhere", root.join("dangling")).expect("a symbolic link");
    std::os::unix::fs::symlink("plain", root.join("link to a file")).expect("a symbolic link");
    std::os::unix::fs::symlink("..", root.join("deep/link upwards")).expect("a symbolic link");
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(CWD, root.join("pipe that nobody writes"), FileType::Fifo, mode, 0).expect("a pipe");
    tree
}

#[test]
fn every_host_prints_what_sha256sum_prints() {
    let tree = odd_tree();
    let expected = sha256sum(tree.path());
    assert!(expected.status.success(), "{}", text(&expected.stderr));
    assert!(expected.stdout.split(|&byte| byte == b'\n').count() > 315, "the tree has its files");
    for host in HOSTS {
        for jobs in ["1", "3", "64"] {
            let ours = output(checksum().args(["--host", host, "--jobs", jobs]).arg(tree.path()));
            assert_eq!(text(&ours.stderr), "", "{host}, {jobs} jobs");
            assert!(ours.status.success(), "{host}, {jobs} jobs: {}", ours.status);
            assert_eq!(text(&ours.stdout), text(&expected.stdout), "{host}, {jobs} jobs");
            assert!(ours.stdout == expected.stdout, "{host}, {jobs} jobs: the bytes differ where they are not text");
        }
    }
}

#[test]
fn the_directory_is_named_as_it_was_given() {
    let tree = odd_tree();
    let parent = tree.path().parent().expect("a temporary directory has a parent");
    let name = tree.path().file_name().expect("a temporary directory has a name");
    let mut slashed = name.to_owned();
    slashed.push("//");
    for (directory, root) in [(tree.path(), OsStr::new(".")), (parent, name), (parent, &slashed)] {
        let script = r#"cd "$1" && find "$2" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum --"#;
        let expected = output(Command::new("bash").args(["-c", script, "bash"]).arg(directory).arg(root));
        let ours = output(checksum().current_dir(directory).arg(root));
        assert!(expected.status.success() && ours.status.success());
        assert_eq!(text(&ours.stdout), text(&expected.stdout));
    }
}

#[test]
fn a_single_file_will_do() {
    let tree = odd_tree();
    let file = tree.path().join("back\\slash");
    let ours = output(checksum().arg(&file));
    assert!(ours.status.success());
    assert_eq!(text(&ours.stdout), text(&sha256sum(&file).stdout));
}

#[test]
fn an_empty_tree_gives_an_empty_list() {
    let tree = tempfile::tempdir().expect("a temporary directory");
    for host in HOSTS {
        let ours = output(checksum().args(["--host", host]).arg(tree.path()));
        assert!(ours.status.success());
        assert_eq!((text(&ours.stdout), text(&ours.stderr)), (String::new(), String::new()));
    }
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_listed() {
    let tree = odd_tree();
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).expect("set the mode");
    let closed = write(tree.path(), b"closed\nfile", b"nobody may read this");
    let shut = write(tree.path(), b"shut/file", b"nobody may come here");
    mode(&closed, 0o000);
    mode(shut.parent().expect("a directory"), 0o000);
    // Who reads everything steps down to who may not, and takes the program to where that one can reach it.
    let reads_everything = File::open(&closed).is_ok();
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    let program = elsewhere.path().join("checksum");
    if reads_everything {
        fs::copy(checksum().get_program(), &program).expect("a copy of the program");
        mode(elsewhere.path(), 0o755);
        mode(tree.path(), 0o755);
    }
    let lowly = |mut command: Command| {
        if reads_everything {
            command.uid(NOBODY);
        }
        output(&mut command)
    };
    let mut command = sha256sum_of(tree.path());
    command.current_dir("/");
    let expected = lowly(command);
    assert_ne!(expected.status.code(), Some(0), "sha256sum cannot read all of it either");
    for host in HOSTS {
        let mut command = if reads_everything { Command::new(&program) } else { checksum() };
        command.args(["--host", host]).arg(tree.path()).current_dir("/").stdin(Stdio::null());
        let ours = lowly(command);
        assert_eq!(text(&ours.stdout), text(&expected.stdout), "{host}");
        assert_eq!(ours.status.code(), Some(1), "{host}");
        for hidden in ["closed\\nfile: Permission denied", "/shut: "] {
            assert!(text(&ours.stderr).contains(hidden), "{host}: {}", text(&ours.stderr));
        }
        assert!(text(&ours.stderr).ends_with(" done, 2 not done\n"), "{host}: {}", text(&ours.stderr));
    }
    mode(shut.parent().expect("a directory"), 0o755);
}

/// Reading the first page of a process's memory fails for everybody, also for one who may read all files.
#[cfg(target_os = "linux")]
#[test]
fn a_read_error_is_named() {
    let memory = "/proc/self/mem";
    let expected = output(Command::new("sha256sum").arg(memory));
    assert_eq!(expected.status.code(), Some(1), "sha256sum cannot read it either");
    for host in HOSTS {
        let ours = output(checksum().args(["--host", host, memory]));
        assert_eq!(ours.status.code(), Some(1), "{host}");
        assert_eq!(text(&ours.stdout), "", "{host}");
        assert!(
            text(&ours.stderr).starts_with("checksum: /proc/self/mem: Input/output error"),
            "{}",
            text(&ours.stderr)
        );
        assert!(text(&ours.stderr).ends_with("checksum: 0 done, 1 not done\n"), "{}", text(&ours.stderr));
    }
}

#[test]
fn what_takes_too_long_is_named_and_the_rest_is_listed() {
    // None of the others takes anything like as long.
    let tree = odd_tree_of_small_files();
    let expected = sha256sum(tree.path());
    File::create(tree.path().join("endless")).and_then(|file| file.set_len(NEVER_READ)).expect("a sparse file");
    for host in HOSTS {
        let ours = output(checksum().args(["--host", host, "--timeout", "2s"]).arg(tree.path()));
        assert_eq!(text(&ours.stdout), text(&expected.stdout), "{host}");
        assert_eq!(ours.status.code(), Some(1), "{host}");
        let complaints = format!("checksum: {}/endless: timed out\n", tree.path().display());
        assert!(text(&ours.stderr).starts_with(&complaints), "{host}: {}", text(&ours.stderr));
        assert!(text(&ours.stderr).ends_with(" 1 not done\n"), "{host}: {}", text(&ours.stderr));
    }
}

#[test]
fn ctrl_c_stops_at_once_and_says_what_was_done() {
    for host in HOSTS {
        let tree = odd_tree();
        let expected = sha256sum(tree.path());
        for name in ["endless 1", "endless 2"] {
            File::create(tree.path().join(name)).and_then(|file| file.set_len(NEVER_READ)).expect("a sparse file");
        }
        let mut child = checksum()
            .args(["--host", host, "--jobs", "1", "--verbose"])
            .arg(tree.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let guard = Guard::of(&child);
        let mut stdout = child.stdout.take().expect("a pipe");
        let list = thread::spawn(move || {
            let mut list = Vec::new();
            stdout.read_to_end(&mut list).map(|_| list).expect("the list")
        });
        let mut complaints = BufReader::new(child.stderr.take().expect("a pipe"));

        // With one job at a time and the small files first, all of them are done when the reading of the first great one starts.
        let mut seen = String::new();
        while !seen.contains("endless 1") {
            seen.clear();
            assert_ne!(
                complaints.read_line(&mut seen).expect("text"),
                0,
                "{host}: it ended without reading the last file"
            );
        }
        kill_process(Pid::from_child(&child), Signal::INT).expect("a signal to a child");

        let mut rest = String::new();
        complaints.read_to_string(&mut rest).expect("text");
        let list = list.join().expect("the list");
        guard.let_go();
        let status = child.wait().expect("it ends");
        assert_eq!(status.code(), Some(130), "{host}: {rest}");
        assert_eq!(text(&list), text(&expected.stdout), "{host}: what was done is listed");
        let done = expected.stdout.iter().filter(|&&byte| byte == b'\n').count();
        let root = tree.path().display();
        assert_eq!(
            rest,
            format!(
                "checksum: {root}/endless 1: stopped while it was read\nchecksum: {root}/endless 2: not begun\n\
                 checksum: interrupted: {done} done, 2 not done\n"
            ),
            "{host}"
        );
    }
}

/// The walk by itself: whoever interrupts it comes at no moment that a test could choose.
#[test]
fn a_walk_that_is_interrupted_says_that_there_may_be_more() {
    let tree = odd_tree_of_small_files();
    let stop = Token::new();
    let whole = walk(tree.path(), &stop);
    assert!(whole.files.len() > 315 && !whole.cut_short && whole.unreadable.is_empty());
    assert!(whole.files.is_sorted_by_key(|file| file.size));
    stop.cancel();
    let cut = walk(tree.path(), &stop);
    assert!(cut.files.is_empty() && cut.cut_short);
}

#[test]
fn what_cannot_be_begun_is_refused_with_its_reason() {
    let tree = odd_tree();
    let link = tree.path().join("link to a file");
    let no_such = tree.path().join("no such");
    for (arguments, reason) in [
        (vec![OsStr::new("--jobs"), OsStr::new("0"), tree.path().as_os_str()], "lanes"),
        (vec![link.as_os_str()], "neither a directory nor a regular file"),
        (vec![no_such.as_os_str()], "No such file or directory"),
        (vec![OsStr::new("--timeout"), OsStr::new("soon"), tree.path().as_os_str()], "soon"),
    ] {
        let ours = output(checksum().args(&arguments));
        assert_eq!(ours.status.code(), Some(2), "{arguments:?}");
        assert_eq!(text(&ours.stdout), "");
        assert!(text(&ours.stderr).contains(reason), "{arguments:?}: {}", text(&ours.stderr));
    }
}

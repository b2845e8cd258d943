//! `send`: sends packets to a supervisor that runs, and waits until each is kept.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read, Write, stdout};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;

use countermand::Format;
use countermand::config::Environment;
use serde_json::Value;

use crate::args::SendArgs;
use crate::intake::MAGIC;
use crate::progress::Progress;
use crate::recording::{self, Stuck, format_of};
use crate::setup::Setup;
use crate::status::{BAD, FAILED, GOOD, Status, Trouble};

/// Where packets are sent.
enum Line {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// What became of what was sent.
#[derive(Default)]
struct Sent {
    kept: u64,
    /// Is worth sending again.
    later: u64,
    /// Never will be kept.
    never: u64,
    /// Sent, and not answered yet: where it stands.
    open: BTreeMap<u64, String>,
}

/// Sends the files, one connection for each form of packet.
pub(crate) fn send(args: &SendArgs, environment: &Environment) -> Status {
    let setup = Setup::load(&args.config, environment).map_err(Trouble::Bad)?;
    let mut total = Sent::default();
    let progress = Progress::over(&args.files);
    for format in [Format::Json, Format::Protobuf] {
        let files: Vec<&PathBuf> = args.files.iter().filter(|file| format_of(file, args.input) == format).collect();
        if files.is_empty() {
            continue;
        }
        let line = connect(args, &setup, format).map_err(Trouble::Failed)?;
        let sent = exchange(line, format, &files, args, setup.limits().bytes, &progress)?;
        total.kept += sent.kept;
        total.later += sent.later;
        total.never += sent.never;
        for place in sent.open.values() {
            progress.tell(format_args!("{place}: no answer came"))?;
            total.later += 1;
        }
    }
    drop(progress);
    writeln!(stdout(), "kept: {}, to be sent again: {}, no packets: {}", total.kept, total.later, total.never)?;
    Ok(match total {
        Sent { later: 1.., .. } => FAILED,
        Sent { never: 1.., .. } => BAD,
        _ => GOOD,
    })
}

fn connect(args: &SendArgs, setup: &Setup, format: Format) -> Result<Line, String> {
    match args.tcp {
        Some(address) => {
            let secret = setup.secret()?;
            if secret.is_empty() {
                return Err(
                    "over TCP the shared secret is needed: set weatherlight.secret or weatherlight.secret_file"
                        .to_owned(),
                );
            }
            let mut stream = TcpStream::connect(address).map_err(|error| format!("{address}: {error}"))?;
            let hello = format!("{MAGIC} {format} {}\n", secret.expose());
            stream.write_all(hello.as_bytes()).map_err(|error| format!("{address}: {error}"))?;
            Ok(Line::Tcp(stream))
        }
        None => {
            let path = setup.socket().ok_or("weatherlight.socket is not set: there is nowhere to send to")?;
            let mut stream = UnixStream::connect(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let hello = format!("{MAGIC} {format}\n");
            stream.write_all(hello.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(Line::Unix(stream))
        }
    }
}

fn exchange(
    line: Line,
    format: Format,
    files: &[&PathBuf],
    args: &SendArgs,
    limit: usize,
    progress: &Progress,
) -> Result<Sent, Trouble> {
    let sent = Mutex::new(Sent::default());
    let answers = line.another()?;
    let read = thread::scope(|scope| {
        let hearing = scope.spawn(|| hear(answers, &sent, progress));
        let read = write(&line, format, files, args, limit, &sent, progress);
        line.end();
        let heard = hearing.join().unwrap_or_else(|_| Err(io::Error::other("the reader of the answers panicked")));
        read.and(heard.map_err(|error| Trouble::Failed(format!("the answers: {error}"))))
    });
    read?;
    Ok(sent.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Writes all packets. The number under which each is answered is its place in what is written here, not in its file.
fn write(
    mut line: &Line,
    format: Format,
    files: &[&PathBuf],
    args: &SendArgs,
    limit: usize,
    sent: &Mutex<Sent>,
    progress: &Progress,
) -> Result<(), Trouble> {
    let mut number = 0;
    let mut framed = Vec::new();
    for path in files {
        let done = recording::read(path, args.input, limit, progress, |_, frame| match frame {
            Ok((at, bytes)) => {
                number += 1;
                let place = format!("{}: {at}", path.display());
                sent.lock().unwrap_or_else(PoisonError::into_inner).open.insert(number, place);
                framed.clear();
                countermand_wire::write_framed(format, bytes, &mut framed);
                line.write_all(&framed)
            }
            Err(error) => {
                progress.tell(format_args!("{}: {error}", path.display()))?;
                sent.lock().unwrap_or_else(PoisonError::into_inner).never += 1;
                Ok(())
            }
        });
        match done {
            Ok(()) => {}
            Err(Stuck::Unreadable(path, error)) => {
                return Err(Trouble::Bad(format!("{}: it cannot be read: {error}", path.display())));
            }
            // The supervisor has closed the connection; what it said before that is in its answers.
            Err(Stuck::Enough(_)) => return Ok(()),
        }
    }
    Ok(())
}

fn hear(answers: Line, sent: &Mutex<Sent>, progress: &Progress) -> io::Result<()> {
    for line in BufReader::new(&answers).lines() {
        let line = line?;
        let answer: Value = serde_json::from_str(&line)?;
        let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(number) = answer["number"].as_u64() else {
            let error = answer["error"].as_str().unwrap_or("it was refused").to_owned();
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, error));
        };
        let place = sent.open.remove(&number).unwrap_or_default();
        if answer["ok"] == true {
            sent.kept += 1;
            continue;
        }
        if answer["retry"] == true {
            sent.later += 1;
        } else {
            sent.never += 1;
        }
        progress.tell(format_args!("{place}: {}", answer["error"].as_str().unwrap_or("it was refused")))?;
    }
    Ok(())
}

impl Line {
    fn another(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Unix(stream) => Self::Unix(stream.try_clone()?),
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
        })
    }

    /// Says that nothing more comes.
    fn end(&self) {
        // The other end may have closed it already.
        let _ = match self {
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
        };
    }
}

impl Read for &Line {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Line::Unix(stream) => (&*stream).read(into),
            Line::Tcp(stream) => (&*stream).read(into),
        }
    }
}

impl Write for &Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Line::Unix(stream) => (&*stream).write(bytes),
            Line::Tcp(stream) => (&*stream).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

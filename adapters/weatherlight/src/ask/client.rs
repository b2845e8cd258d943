//! Asks a question where it can be answered.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::Value;

use super::desk::{Desk, Say};
use super::question::Question;
use crate::intake::MAGIC;
use crate::setup::Setup;
use crate::status::Trouble;
use crate::store::Store;

/// Asks the supervisor that runs; if none does, looks into the journal itself. Each part of the answer is given to `say`.
///
/// # Errors
///
/// Where nobody answers; what `say` says.
pub(crate) fn ask(setup: &Setup, question: &Question, say: Say<'_>) -> Result<(), Trouble> {
    let running = setup.socket().map(UnixStream::connect).and_then(Result::ok);
    match (running, question) {
        (Some(stream), _) => of_supervisor(stream, question, say),
        (None, Question::Tail(_, true)) => {
            let socket = setup.socket().unwrap_or_default();
            let why = format!("{}: no supervisor listens there, and without one nothing comes", socket.display());
            Err(Trouble::Failed(why))
        }
        (None, _) => of_journal(setup, question, say),
    }
}

fn of_journal(setup: &Setup, question: &Question, say: Say<'_>) -> Result<(), Trouble> {
    let path: &Path = setup.journal();
    if !path.exists() {
        // Else it would be made.
        return Err(Trouble::Failed(format!("{}: there is no journal, and no supervisor runs", path.display())));
    }
    let (store, _) = Store::open(path, &setup.config).map_err(Trouble::Failed)?;
    let desk = Desk { store, router: None, limits: setup.limits() };
    desk.respond(question, None, say).map_err(told)
}

fn of_supervisor(mut stream: UnixStream, question: &Question, say: Say<'_>) -> Result<(), Trouble> {
    let lost = |error: io::Error| Trouble::Failed(format!("the supervisor does not answer: {error}"));
    stream.write_all(format!("{MAGIC} ask\n{}\n", question.line()).as_bytes()).map_err(lost)?;
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    while stream.read_until(b'\n', &mut line).map_err(lost)? > 0 {
        let head: Value = serde_json::from_slice(&line).map_err(|error| lost(error.into()))?;
        line.clear();
        let has_packet = matches!(question, Question::Tail(..) | Question::DeadLetter(_));
        let packet = match head["bytes"].as_u64().and_then(|bytes| usize::try_from(bytes).ok()) {
            Some(bytes) if has_packet => {
                let mut packet = vec![0; bytes + 1];
                stream.read_exact(&mut packet).map_err(lost)?;
                packet.pop();
                Some(packet)
            }
            _ => None,
        };
        say(&head, packet.as_deref()).map_err(told)?;
    }
    Ok(())
}

/// What is wrong with the answer is no fault of whoever is told it.
fn told(error: io::Error) -> Trouble {
    if error.kind() == io::ErrorKind::Other { Trouble::Failed(error.to_string()) } else { Trouble::Said(error) }
}

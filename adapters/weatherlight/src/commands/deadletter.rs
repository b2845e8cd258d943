//! `deadletter`: looks after the packets that nobody would have.

use std::io::{self, Write as _, stderr, stdout};

use countermand::config::Environment;
use serde_json::Value;

use super::said;
use crate::args::{Deadletter, DeadletterArgs, Show, Which};
use crate::ask::{Numbers, Question, ask, format_of};
use crate::figures::{plain, right};
use crate::setup::Setup;
use crate::status::{FAILED, GOOD, Status, Trouble};

/// Lists, shows, routes once more or throws away.
pub(crate) fn deadletter(args: &DeadletterArgs, environment: &Environment) -> Status {
    let setup = Setup::load(&args.config, environment).map_err(Trouble::Bad)?;
    match &args.command {
        Deadletter::List { format } => list(&setup, *format),
        Deadletter::Show { number } => show(&setup, *number),
        Deadletter::Replay(which) => change(&setup, &Question::Replay(numbers(which))),
        Deadletter::Purge(which) => change(&setup, &Question::Purge(numbers(which))),
    }
}

fn numbers(which: &Which) -> Numbers {
    if which.all { Numbers::All } else { Numbers::These(which.numbers.clone()) }
}

fn list(setup: &Setup, format: Show) -> Status {
    let mut out = stdout().lock();
    let mut table = plain(["number", "since", "source", "priority", "bytes", "refused by", "reason"]);
    let mut say = |head: &Value, _: Option<&[u8]>| {
        if head["number"].is_null() {
            return Err(io::Error::other(said(head)));
        }
        match format {
            Show::Json => writeln!(out, "{head}"),
            Show::Table => {
                let cells =
                    ["number", "since", "source", "priority", "bytes", "sink", "reason"].map(|key| match &head[key] {
                        Value::String(text) => text.clone(),
                        other => other.to_string(),
                    });
                table.add_row(cells);
                Ok(())
            }
        }
    };
    ask(setup, &Question::DeadLetters, &mut say)?;
    if format == Show::Table {
        right(&mut table, 0);
        writeln!(out, "{table}")?;
    }
    Ok(GOOD)
}

/// The packet as it came goes to standard output, what is known of it to standard error.
fn show(setup: &Setup, number: u64) -> Status {
    let mut say = |head: &Value, packet: Option<&[u8]>| {
        let Some(packet) = packet else { return Err(io::Error::other(said(head))) };
        let mut framed = Vec::new();
        countermand_wire::write_framed(format_of(head), packet, &mut framed);
        writeln!(stderr(), "{head}")?;
        stdout().write_all(&framed)
    };
    ask(setup, &Question::DeadLetter(number), &mut say)?;
    Ok(GOOD)
}

fn change(setup: &Setup, question: &Question) -> Status {
    let mut status = GOOD;
    let mut say = |head: &Value, _: Option<&[u8]>| {
        for what in ["replayed", "purged"] {
            if let Some(count) = head[what].as_u64() {
                writeln!(stdout(), "{what}: {count}")?;
            }
        }
        if head["error"].is_string() {
            status = FAILED;
            let number = head["number"].as_u64().map_or_else(String::new, |number| format!("{number}: "));
            writeln!(stderr(), "weatherlight: {number}{}", said(head))?;
        }
        Ok(())
    };
    ask(setup, question, &mut say)?;
    Ok(status)
}

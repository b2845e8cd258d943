//! `tail`: gives back what is kept, each packet as it came in.

use std::io::{self, Write as _, stdout};

use countermand::Stream;
use countermand::config::Environment;
use serde_json::Value;

use super::said;
use crate::args::{StreamName, TailArgs};
use crate::ask::{Question, ask, format_of};
use crate::program::{GOOD, Status, Trouble};
use crate::setup::Setup;

/// Gives packets back: JSON as lines, protobuf each after its length.
pub(crate) fn tail(args: &TailArgs, environment: &Environment) -> Status {
    let setup = Setup::load(&args.config, environment).map_err(Trouble::Bad)?;
    let streams = match args.stream {
        Some(StreamName::Normal) => vec![Stream::Normal],
        Some(StreamName::Emergency) => vec![Stream::Emergency],
        None => vec![Stream::Emergency, Stream::Normal],
    };
    let mut out = stdout().lock();
    let mut framed = Vec::new();
    for stream in streams {
        let mut say = |head: &Value, packet: Option<&[u8]>| {
            let Some(packet) = packet else { return Err(io::Error::other(said(head))) };
            framed.clear();
            countermand_wire::write_framed(format_of(head), packet, &mut framed);
            out.write_all(&framed)?;
            if args.follow { out.flush() } else { Ok(()) }
        };
        ask(&setup, &Question::Tail(stream, args.follow), &mut say)?;
    }
    out.flush()?;
    Ok(GOOD)
}

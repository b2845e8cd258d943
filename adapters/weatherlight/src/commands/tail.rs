//! `tail`: gives back what is kept, each packet as it came in.

use std::io::{self, Write as _, stdout};

use countermand::config::Environment;
use countermand::{Format, Stream};
use serde_json::Value;

use super::said;
use crate::args::{StreamName, TailArgs};
use crate::ask::{Question, ask, format_of};
use crate::setup::Setup;
use crate::status::{GOOD, Status, Trouble};

/// Gives packets back as they came: JSON as lines, protobuf each after its length; or all as lines of JSON.
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
            match format_of(head) {
                Format::Protobuf if args.json => {
                    let line = as_json(packet, &setup).map_err(io::Error::other)?;
                    countermand_wire::write_framed(Format::Json, line.as_bytes(), &mut framed);
                }
                format => countermand_wire::write_framed(format, packet, &mut framed),
            }
            out.write_all(&framed)?;
            if args.follow { out.flush() } else { Ok(()) }
        };
        ask(&setup, &Question::Tail(stream, args.follow), &mut say)?;
    }
    out.flush()?;
    Ok(GOOD)
}

fn as_json(packet: &[u8], setup: &Setup) -> Result<String, countermand_wire::WireError> {
    // What is kept may be from a time of larger packets.
    let limits = setup.limits().bytes(packet.len().max(1));
    countermand_wire::to_json(&countermand_wire::decode(Format::Protobuf, packet, &limits)?)
}

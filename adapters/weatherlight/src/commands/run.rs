//! `run`: takes packets in until it is told to end, and then keeps what was taken in.

use std::io::{Write as _, stderr};
use std::time::{Duration, SystemTime};

use countermand::config::{Environment, SinkName};
use countermand::{Cause, Event, Intake as _, Level, Token};

use crate::args::{RunArgs, Stdin};
use crate::house::House;
use crate::preflight;
use crate::program::{FAILED, GOOD, Status, Trouble};
use crate::service::Service;
use crate::setup::Setup;
use crate::stop::Stop;
use crate::tuned::{Dials, Tuned};
use crate::voice::{LogFormat, Voice};

/// Starts the service, waits for the end, and ends it in order.
pub(crate) fn run(args: &RunArgs, log_format: LogFormat, environment: &Environment) -> Status {
    let setup = Setup::load(&args.config, environment).map_err(Trouble::Bad)?;
    let tuned = Tuned::new(Dials::from(&setup.config));
    let voice = Voice::new(log_format, tuned.clone());
    for warning in &setup.warnings {
        voice.log(&Event::new("weatherlight.old_name", Level::Warning).describe(warning));
    }
    let end = end_at_a_signal()?;
    let house = House::new(args.host).map_err(Trouble::Failed)?;
    let status = serve(args, &setup, &house, &voice, &tuned, &end);
    house.leave();
    status
}

fn serve(args: &RunArgs, setup: &Setup, house: &House, voice: &Voice, tuned: &Tuned, end: &Token) -> Status {
    let cleared = preflight::examine(setup, house, voice)?;
    let service =
        Service::start(cleared, setup, house, voice, tuned, end, SystemTime::now()).map_err(Trouble::Failed)?;
    if args.stdin != Stdin::None {
        service.stdin(args.stdin, args.until_eof).map_err(Trouble::Failed)?;
    }
    for sink in &setup.config.telemetry.sinks {
        match sink {
            SinkName::Journal => {}
            SinkName::Redis => service.redis(setup).map_err(Trouble::Failed)?,
            // These are of whoever has the packets, not of a supervisor: its page has the figures.
            other => {
                let event = Event::new("weatherlight.sink_left_out", Level::Warning);
                voice.take(&event.describe("a supervisor does not feed it").with("sink", other));
            }
        }
    }
    // Nothing can go wrong with a pair of sockets that was had.
    let stop = Stop::of(end).map_err(|error| Trouble::Failed(error.to_string()))?;
    stop.rest(Duration::MAX).map_err(|error| Trouble::Failed(error.to_string()))?;
    let ended = service.end();
    let event = Event::new("weatherlight.ended", if ended.is_clean() { Level::Info } else { Level::Critical });
    voice.log(&event.describe(&ended));
    Ok(if ended.is_clean() { GOOD } else { FAILED })
}

/// A token that SIGTERM, SIGINT and SIGHUP cancel. A second one ends the process at once.
fn end_at_a_signal() -> Result<Token, Trouble> {
    let end = Token::new();
    let signalled = end.clone();
    let handler = move || {
        if !signalled.cancel_with(Cause::REQUESTED.with_text("a signal")) {
            // What was acknowledged is durable already.
            let _ = writeln!(stderr(), "weatherlight: told to end a second time");
            std::process::exit(FAILED.into());
        }
    };
    ctrlc::set_handler(handler).map_err(|error| Trouble::Failed(format!("signals cannot be heard: {error}")))?;
    Ok(end)
}

//! `run`: takes packets in until it is told to end, and then keeps what was taken in.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use countermand::config::Environment;
use countermand::{Event, Level};

use crate::args::{RunArgs, Stdin};
use crate::house::House;
use crate::preflight;
use crate::reload::Reloading;
use crate::service::Service;
use crate::setup::Setup;
use crate::signals::{self, Heard};
use crate::status::{FAILED, GOOD, Status, Trouble};
use crate::stop::Stop;
use crate::tuned::{Dials, Tuned};
use crate::voice::{LogFormat, Voice};

/// Starts the service, waits for the end, and ends it in order.
pub(crate) fn run(args: &RunArgs, log_format: LogFormat, environment: &Environment) -> Status {
    let setup = Setup::load(&args.config, environment).map_err(Trouble::Bad)?;
    let tuned = Tuned::new(Dials::from(&setup.config));
    let voice = Voice::new(log_format, tuned.clone());
    let voice = voice.map_err(|error| Trouble::Failed(format!("the log cannot be written: {error}")))?;
    for warning in setup.configured.deprecations() {
        voice.log(&Event::new("weatherlight.old_name", Level::Warning).describe(warning));
    }
    let heard = signals::hear().map_err(|error| Trouble::Failed(format!("signals cannot be heard: {error}")))?;
    let status = House::new(args.host).map_err(Trouble::Failed).and_then(|house| {
        let status = serve(args, &setup, log_format, &house, &voice, &tuned, heard);
        house.leave();
        status
    });
    voice.flush();
    status
}

fn serve(
    args: &RunArgs,
    setup: &Setup,
    log_format: LogFormat,
    house: &House,
    voice: &Voice,
    tuned: &Tuned,
    Heard { end, hangups }: Heard,
) -> Status {
    let cleared = preflight::examine(setup, house, voice)?;
    let service =
        Service::start(cleared, setup, house, voice, tuned, &end, SystemTime::now()).map_err(Trouble::Failed)?;
    if args.stdin != Stdin::None {
        service.stdin(args.stdin, args.until_eof).map_err(Trouble::Failed)?;
    }
    service.sinks(setup, log_format).map_err(Trouble::Failed)?;
    let (configured, hangups) = (setup.configured.clone(), Arc::new(hangups));
    let reloading = Reloading { configured, tuned: tuned.clone(), voice: voice.clone(), hangups };
    service.reloads(reloading).map_err(Trouble::Failed)?;
    // Nothing can go wrong with a pair of sockets that was had.
    let stop = Stop::of(&end).map_err(|error| Trouble::Failed(error.to_string()))?;
    stop.rest(Duration::MAX).map_err(|error| Trouble::Failed(error.to_string()))?;
    let ended = service.end();
    let event = Event::new("weatherlight.ended", if ended.is_clean() { Level::Info } else { Level::Critical });
    voice.log(&event.describe(&ended));
    Ok(if ended.is_clean() { GOOD } else { FAILED })
}

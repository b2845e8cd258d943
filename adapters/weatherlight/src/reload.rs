//! Loads the configuration again when it is told to by SIGHUP: what may be changed is, all else stays, and it is said which is which.

use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use countermand::config::{LoadError, Problem, Reload};
use countermand::{CallContext, Event, Intake as _, Level};

use crate::configured::Configured;
use crate::stop::{Ready, Stop};
use crate::tuned::{Dials, Tuned};
use crate::voice::Voice;

/// How many problems of a configuration are told one by one.
const MOST: usize = 16;

/// See the head of the file.
#[derive(Clone, Debug)]
pub(crate) struct Reloading {
    pub(crate) configured: Arc<Configured>,
    pub(crate) tuned: Tuned,
    pub(crate) voice: Voice,
    /// Something to read for each signal, or for several.
    pub(crate) hangups: Arc<UnixStream>,
}

impl Reloading {
    /// Waits for signals until the job is cancelled.
    ///
    /// # Errors
    ///
    /// What the system says of waiting, in words.
    pub(crate) fn serve(&self, cx: &CallContext) -> Result<(), String> {
        let in_words = |error: std::io::Error| error.to_string();
        let stop = Stop::of(cx.token()).map_err(in_words)?;
        while stop.readable(&*self.hangups, None).map_err(in_words)? == Ready::Go {
            // Those that came together are answered together.
            let mut hangups = &*self.hangups;
            hangups.read(&mut [0; 64]).map_err(in_words)?;
            self.load();
        }
        Ok(())
    }

    fn load(&self) {
        match self.configured.again() {
            Some(Reload::Applied { changed, deprecations }) => {
                for deprecation in deprecations {
                    self.voice.log(&Event::new("weatherlight.old_name", Level::Warning).describe(deprecation));
                }
                self.apply(&changed);
            }
            Some(Reload::Refused(error)) => self.refuse(&error),
            _ => {}
        }
    }

    fn apply(&self, changed: &[String]) {
        self.tuned.set(Dials::from(&self.configured.config()));
        let (now, later): (Vec<_>, Vec<_>) = changed.iter().partition(|key| Dials::KEYS.contains(&key.as_str()));
        for key in &now {
            let event = Event::new("weatherlight.setting_changed", Level::Info);
            self.voice.take(&event.with("setting", key));
        }
        for key in &later {
            let event = Event::new("weatherlight.setting_waits", Level::Warning);
            self.voice.take(&event.describe("it stays as it was until the next start").with("setting", key));
        }
        let event = Event::new("weatherlight.reloaded", Level::Info);
        self.voice.take(&event.with("changed", now.len()).with("waiting", later.len()));
    }

    fn refuse(&self, error: &LoadError) {
        for problem in error.problems().iter().take(MOST) {
            self.voice.take(&told(problem));
        }
        let all = error.problems().len() + error.untold();
        let event = Event::new("weatherlight.reload_refused", Level::Error);
        let event = event.describe("the configuration cannot be, and nothing of it was changed");
        self.voice.take(&event.with("problems", all));
    }
}

/// What is wrong, and where. The place is in parts, so that a long path does not cost the line.
fn told(problem: &Problem) -> Event {
    let mut event = Event::new("weatherlight.bad_setting", Level::Error).describe(&problem.message);
    event = event.with("setting", &problem.key);
    event = match problem.place() {
        Some((source, line, column)) => event.with("source", source).with("line", line).with("column", column),
        None => event.with("source", &problem.origin),
    };
    match &problem.help {
        Some(help) => event.with("help", help),
        None => event,
    }
}
